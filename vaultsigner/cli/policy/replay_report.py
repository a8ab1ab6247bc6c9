"""What a replay found, as tables and for programs, and its progress on a terminal."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from vaultsigner.audit.files.reading import Unreadable
from vaultsigner.cli.policy.replaying import Change, ChangeKey, Replay
from vaultsigner.cli.policy.words import (
    approvals_in_words,
    limit_in_words,
    printable,
)
from vaultsigner.policy.documents import approvals_document, limit_document

ROWS = 40
FEW = 3
NOT_REPLAYED = "Limits and approvals are conditions here, and are not replayed."
_GRAVITY = {"deny": 0, "over a limit": 1, "allow after approvals": 2, "allow": 3}
_COLOURS = {"deny": "red", "over a limit": "red", "allow after approvals": "yellow", "allow": "green"}


@dataclass(slots=True)
class _Row:
    """What a person reads in one row. `key` and `first` are of the most frequent change in it."""

    key: ChangeKey
    first: Change
    count: int = 0
    callers: dict[str, None] = field(default_factory=dict)
    targets: dict[str, None] = field(default_factory=dict)


@contextmanager
def progress_on(console: Console, total_bytes: int) -> Iterator[Callable[[int], None]]:
    """A bar where the console is a terminal; yields what to tell how many bytes more are done."""
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, refresh_per_second=4) as progress:
        task = progress.add_task("Reading the record", total=total_bytes)
        yield lambda done: progress.update(task, advance=done)


def show_replay(console: Console, replay: Replay, unreadable: Unreadable) -> None:
    """For people."""
    rows = _rows(_in_order(replay))
    if rows:
        console.print(_changes(rows[:ROWS]))
        rest = replay.changed - sum(row.count for row in rows[:ROWS])
        if rest:
            console.print(
                f"and {rest:,} requests more that would be decided otherwise; --json has more of them"
            )
        console.print()
    if replay.conditions:
        console.print(_conditions(replay))
        console.print(Text(NOT_REPLAYED, "bright_black"), soft_wrap=True)
        console.print()
    for line, style in _summary(replay, unreadable):
        console.print(Text(line, style), soft_wrap=True)


def replay_document(replay: Replay, unreadable: Unreadable) -> dict[str, Any]:
    """For programs."""
    return {
        "policy": replay.policies.digest,
        "since": replay.since.isoformat().replace("+00:00", "Z") if replay.since is not None else None,
        "intents": replay.intents,
        "changed": replay.changed,
        "same_effect_other_rule": replay.other_rule,
        "unreadable": {"count": unreadable.count, "first": unreadable.places},
        "changes": [_change_document(key, change) for key, change in _in_order(replay)],
        "changes_not_told_apart": replay.left_out,
        "conditions": [
            {
                "rule": rule,
                "requests": condition.count,
                "limits": [limit_document(limit) for limit in condition.limits],
                "approvals": approvals_document(condition.approvals),
            }
            for rule, condition in sorted(replay.conditions.items())
        ],
        "not_replayed": ["limits", "approvals"],
    }


def _change_document(key: ChangeKey, change: Change) -> dict[str, Any]:
    return {
        "operation": key.operation,
        "principal": key.principal,
        "target": key.target,
        "was": {"verdict": key.was, "rule": key.was_by},
        "would_be": {"verdict": key.now, "rule": key.now_by, "why": change.why},
        "requests": change.count,
        "first": change.first,
        "last": change.last,
        "examples": [example._asdict() for example in change.examples],
    }


def _in_order(replay: Replay) -> list[tuple[ChangeKey, Change]]:
    """What is refused from now on comes first, then what is newly allowed; of these, the most frequent."""
    return sorted(
        replay.changes.items(),
        key=lambda found: (_GRAVITY[found[0].now], -found[1].count, *map(str, found[0])),
    )


def _rows(changes: list[tuple[ChangeKey, Change]]) -> list[_Row]:
    """Changes of many callers and targets in one row each, while programs are told each by itself."""
    rows: dict[tuple[str | None, ...], _Row] = {}
    for key, change in changes:
        what = (key.operation, key.was, key.was_by, key.now, key.now_by)
        row = rows.setdefault(what, _Row(key, change))
        row.count += change.count
        row.callers[key.principal] = None
        row.targets[key.target] = None
    return sorted(rows.values(), key=lambda row: (_GRAVITY[row.key.now], -row.count))


def _changes(rows: list[_Row]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, leading=1)
    table.add_column("Requests", justify="right")
    for title in ("For what, who, on what", "Was, would be", "The first of them"):
        table.add_column(title, overflow="fold")
    for row in rows:
        key, change = row.key, row.first
        first = change.examples[0]
        place = f"{printable(first.chain)}:{first.seq}, {printable(first.time[:19])}"
        asked = f"{printable(key.operation)}\n{_few(row.callers)}\n{_few(row.targets)}"
        was = f"{printable(key.was)}{_by(key.was_by)}\n"
        table.add_row(
            f"{row.count:,}",
            Text(asked),
            Text.assemble(was, (f"{key.now}{_by(key.now_by)}", _COLOURS[key.now])),
            Text.assemble(printable(change.why, limit=400), (f"\n{place}", "bright_black")),
        )
    return table


def _conditions(replay: Replay) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Requests", justify="right")
    table.add_column("Allowed by", overflow="fold")
    table.add_column("On condition of", overflow="fold")
    for rule, condition in sorted(replay.conditions.items()):
        asked = [limit_in_words(limit) for limit in condition.limits]
        asked += [approvals_in_words(condition.approvals)] if condition.approvals is not None else []
        table.add_row(f"{condition.count:,}", Text(rule), Text("\n".join(asked)))
    return table


def _few(names: Iterable[str]) -> str:
    shown = [printable(name) for name in names]
    more = f" and {len(shown) - FEW} more" if len(shown) > FEW else ""
    return f"{', '.join(shown[:FEW])}{more}"


def _by(rule: str | None) -> str:
    return " (no rule)" if rule is None else f" ({printable(rule)})"


def _summary(replay: Replay, unreadable: Unreadable) -> Iterator[tuple[str, str]]:
    same = replay.intents - replay.changed
    since = f" since {replay.since:%Y-%m-%d %H:%M} UTC" if replay.since is not None else ""
    yield f"{replay.intents:,} requests{since}, policy {replay.policies.digest[:19]}", "bold"
    yield f"  {replay.changed:,} would be decided otherwise", "red" if replay.changed else "green"
    other = f", {replay.other_rule:,} of them by another rule" if replay.other_rule else ""
    yield f"  {same:,} as before{other}", ""
    if unreadable.count:
        shown = ", ".join(printable(place, limit=1024) for place in unreadable.places[:3])
        one = unreadable.count == 1
        told = "1 line is no record and was" if one else f"{unreadable.count:,} lines are no records and were"
        yield f"  {told} left out{'' if one else ', the first'}: {shown}", "red"
