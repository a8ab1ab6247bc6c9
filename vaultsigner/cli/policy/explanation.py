"""Shows why a request is decided as it is: each rule, then the decision."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vaultsigner.cli.policy.words import (
    approvals_in_words,
    by_rule,
    fields_in_words,
    limit_in_words,
    printable,
)
from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.principals import Principal
from vaultsigner.policy import Explanation, RuleExplanation
from vaultsigner.policy.decimals import shown_decimal
from vaultsigner.policy.documents import explanation_document

PIPE_WIDTH = 160
MANY_RULES = 40
_COLOURS = {"allow": "green", "deny": "red"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that somebody asks about.

    Args:
        assumed: what was not said, and so assumed: `ip`, `at`.
        permission: what config.yml says to it; None where there is none, or it has no word on it.
        note: what the decision about a real request may depend on besides.
    """

    principal: Principal
    intent: Intent
    circumstances: Circumstances
    assumed: frozenset[str]
    permission: dict[str, JsonValue] | None = None
    note: str | None = None


def make_console() -> Console:
    """As wide as the terminal; for a pipe wide enough that rows stay whole."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


def show_explanation(console: Console, asked: Asked, explanation: Explanation) -> None:
    """For people."""
    for line in _question(asked):
        console.print(Text(line), soft_wrap=True)
    console.print()
    console.print(_rules(explanation))
    hidden = len(explanation.rules) - len(_worth_showing(explanation))
    if hidden:
        told = f"and {hidden} rules for others, or for other operations or targets; --json has them"
        console.print(Text(told, "bright_black"), soft_wrap=True)
    console.print()
    for line, style in (*_answer(explanation.decision), _fence(asked.permission)):
        console.print(Text(line, style), soft_wrap=True)
    if asked.note is not None:
        console.print(Text(f"  Note: {printable(asked.note, limit=1000)}", "yellow"), soft_wrap=True)


def document_of(asked: Asked, explanation: Explanation) -> JsonValue:
    """For programs: what POST /api/policy/explain answers an operator."""
    return explanation_document(
        asked.principal,
        asked.intent,
        asked.circumstances,
        explanation,
        permission=asked.permission,
        note=asked.note,
        with_places=True,
    )


def _question(asked: Asked) -> list[str]:
    intent, circumstances = asked.intent, asked.circumstances
    ip_note = " (assumed: say --ip)" if "ip" in asked.assumed else ""
    at_note = " (now; --at asks about another moment)" if "at" in asked.assumed else ""
    lines = [f"{asked.principal} asks for {intent.operation} on {intent.target}"]
    lines.append(
        f"  from {circumstances.ip}{ip_note}, at {circumstances.at:%a %Y-%m-%d %H:%M:%S} UTC{at_note}"
    )
    many = len(intent.items) > 1
    for number, item in enumerate(intent.items, start=1):
        lines.append(f"  {f'item {number}: ' if many else ''}{fields_in_words(item)}")
    if intent.memo:
        lines.append(f"  memo {printable(intent.memo)}")
    return lines


def _rules(explanation: Explanation) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("", "Rule", "Says", "Why", "Where"):
        table.add_column(title, overflow="fold")
    for each in _worth_showing(explanation):
        decided = each.rule == explanation.decision.rule
        style = _COLOURS[each.effect] if each.matched else "bright_black"
        mark = "=>" if decided else "yes" if each.matched else "no"
        table.add_row(
            Text(mark, style),
            Text(each.rule, f"{style} bold" if decided else style),
            Text(each.effect, style),
            Text(printable(each.why, limit=400)),
            Text(Path(each.place).name, "bright_black"),
        )
    return table


def _worth_showing(explanation: Explanation) -> list[RuleExplanation]:
    """Among very many rules those that speak of other people, operations or targets would hide the others."""
    if len(explanation.rules) <= MANY_RULES:
        return list(explanation.rules)
    return [each for each in explanation.rules if each.matched or not each.why.startswith("it is not for ")]


def _answer(decision: Decision) -> list[tuple[str, str]]:
    lines = [(f"Decision: {decision.effect}, {by_rule(decision.rule)}", f"bold {_COLOURS[decision.effect]}")]
    for limit in decision.limits:
        over = limit.use > limit.max
        note = ": more than there ever is" if over else ""
        uses = f"uses {shown_decimal(limit.use)}{note}"
        lines.append((f"  limit      {limit_in_words(limit)}; this {uses}", "red" if over else ""))
    if decision.approvals is not None:
        lines.append((f"  approvals  {approvals_in_words(decision.approvals)}", "yellow"))
    if decision.limits:
        lines.append(("  What is left of a limit is known to the running service alone.", "bright_black"))
    return lines


def _fence(permission: Mapping[str, JsonValue] | None) -> tuple[str, str]:
    """What comes before policy, and so decides where it says no."""
    if permission is None:
        return "  The permissions in config.yml come first, and are not asked here.", "bright_black"
    told = f"  permission {permission['needed']}: {permission['why']}"
    return (told, "") if permission["there"] else (f"{told}: refused before policy is asked", "red")
