"""What a replay found, as tables and for programs, and its progress on a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from vaultsigner.audit.reading import Unreadable
from vaultsigner.cli.policy_replay import Change, ChangeKey, Replay
from vaultsigner.cli.policy_words import (
    approvals_document,
    approvals_in_words,
    limit_document,
    limit_in_words,
    printable,
)

ROWS = 40
NOT_REPLAYED = "Limits and approvals are conditions here, and are not replayed."
_GRAVITY = {"deny": 0, "over a limit": 1, "allow after approvals": 2, "allow": 3}
_COLOURS = {"deny": "red", "over a limit": "red", "allow after approvals": "yellow", "allow": "green"}


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
    changes = _in_order(replay)
    if changes:
        console.print(_changes(changes[:ROWS]))
        if len(changes) > ROWS or replay.left_out:
            rest = replay.changed - sum(change.count for _, change in changes[:ROWS])
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


def _changes(changes: list[tuple[ChangeKey, Change]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Requests", justify="right")
    for title in ("Who", "What", "On", "Was", "Would be", "The first of them"):
        table.add_column(title, overflow="fold")
    for key, change in changes:
        table.add_row(
            f"{change.count:,}",
            Text(printable(key.principal)),
            Text(printable(key.operation)),
            Text(printable(key.target)),
            Text(f"{printable(key.was)}{_by(key.was_by)}"),
            Text(f"{key.now}{_by(key.now_by)}", _COLOURS[key.now]),
            Text.assemble(printable(change.why, limit=400), (f"\n{_place(change)}", "bright_black")),
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


def _place(change: Change) -> str:
    first = change.examples[0]
    return f"{printable(first.chain)}:{first.seq}, {printable(first.time[:19])}"


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
