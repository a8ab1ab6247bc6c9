"""Why a request is decided as it is, rule by rule."""

from dataclasses import dataclass

from vaultsigner.domain.decisions import Decision, Effect


@dataclass(frozen=True, slots=True)
class RuleExplanation:
    """What one rule says to one request.

    Args:
        rule: its id.
        effect: what it says where it matches.
        place: file, line and column; empty for rules that come from no file.
        matched: whether it matches.
        why: for people: what made a deny rule match, or the first reason why the rule does not; `matches` otherwise.
    """

    rule: str
    effect: Effect
    place: str
    matched: bool
    why: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every rule of the set in the order of the files, and what they come to."""

    rules: tuple[RuleExplanation, ...]
    decision: Decision
