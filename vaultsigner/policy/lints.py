"""What is allowed in a policy file and yet hardly meant. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from vaultsigner.domain.intents import Intent
from vaultsigner.domain.principals import Principal
from vaultsigner.policy.coverage import contradict, covers
from vaultsigner.policy.facts import Question
from vaultsigner.policy.fields import DESTINATION_FIELDS, has_field
from vaultsigner.policy.index import RuleIndex
from vaultsigner.policy.limit_lints import unreachable_limits
from vaultsigner.policy.odd import Odd
from vaultsigner.policy.operations import OPERATIONS, TRANSFERS
from vaultsigner.policy.places import Place, Places
from vaultsigner.policy.policy_set import PolicySet
from vaultsigner.policy.rules import NamePatterns, Rule
from vaultsigner.policy.value_lints import BEACON_PREFIXES, impossible_values

_MOST_COMPARED = 1000
"""Rules that one rule is compared with; among more of the same names, the first of them stand for all."""
_NOBODY = "\0"
"""A name that nobody bears: only patterns match it."""


@dataclass(frozen=True, slots=True)
class Lint:
    """One finding.

    Args:
        rule: the rule's id.
        place: where in its file, or in that of a list it uses; None where the rule comes from no file.
        text: for people: what is odd, and what to do about it.
    """

    rule: str
    place: Place | None
    text: str

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}rule {self.rule}: {self.text}"


def lints(
    policies: PolicySet,
    today: date | None = None,
    *,
    places: Places | None = None,
    prefixes: Collection[str] = BEACON_PREFIXES,
) -> tuple[Lint, ...]:
    """Every finding, in the order of the rules: rules that never match or are never asked, values that no request has, limits
    that are never reached, transfers to anywhere, approvals that nobody is left to give.

    Args:
        policies: all rules.
        today: the day by UTC, to tell of rules that have expired; None leaves that out.
        places: of the same rules; without them a finding is told where its rule begins.
        prefixes: of the addresses on the networks that there are.
    """
    index = RuleIndex(list(enumerate(policies.rules)))
    found: list[Lint] = []
    entries: set[tuple[Place | None, str]] = set()
    for number, rule in enumerate(policies.rules):
        for odd in (
            *_never_matches(rule, today),
            *_fields_not_there(rule),
            *impossible_values(rule, prefixes),
            *_shadowed(number, policies.rules, index),
            *unreachable_limits(rule),
            *_free_transfers(rule),
            *_nobody_left(rule),
        ):
            place = _place(rule, odd, places)
            # An entry of a list is told once, with the first of the rules that use the list.
            if places is None or odd.value is None or (place, odd.text) not in entries:
                found.append(Lint(rule.id, place, odd.text))
            entries.add((place, odd.text))
    return tuple(found)


def _place(rule: Rule, odd: Odd, places: Places | None) -> Place | None:
    if places is None:
        return rule.place
    if odd.value is None:
        return places.of(rule.id, odd.member)
    return places.of_text(rule.id, odd.value, odd.member)


def _never_matches(rule: Rule, today: date | None) -> Iterator[Odd]:
    if today is not None and rule.expires is not None and rule.expires < today:
        text = f"it expired with {rule.expires} and never matches again; remove it, or write another day"
        yield Odd(text, ("expires",))
    for one, other in combinations(rule.conditions, 2):
        if contradict(one, other):
            but = "" if rule.effect == "allow" else f" a request that has {one.field}"
            text = f"it can never match{but}: no {one.field} meets all that `when` asks of it"
            yield Odd(text, ("when", one.field))
            return


def _fields_not_there(rule: Rule) -> Iterator[Odd]:
    """What a message cannot have keeps an allow rule from ever matching it, and lets a deny rule always match."""
    asked = dict.fromkeys(condition.field for condition in rule.conditions)
    summed = dict.fromkeys(limit.field for limit in rule.limits if limit.field is not None)
    for field in {**asked, **summed}:
        lacking = [each for each in OPERATIONS if each in rule.operations and not has_field(each, field)]
        if not lacking:
            continue
        listed = ", ".join(lacking)
        what = f"asks for {field}" if field in asked else f"sums {field}"
        member = ("when", field) if field in asked else ("limits",)
        if rule.effect == "deny":
            others = " that meet its other conditions" if len(asked) > 1 else ""
            text = (
                f"there is no {field} in {listed}, and a deny rule counts that as met: it denies all of them{others}; "
                f"name operations that have {field}"
            )
        elif len(lacking) == len(rule.operations):
            text = f"it can never match: it {what}, and there is none in {listed}"
        else:
            text = f"it never matches {listed}: it {what}, and there is none in them; give them a rule of their own"
        yield Odd(text, member)


def _shadowed(number: int, rules: tuple[Rule, ...], index: RuleIndex) -> Iterator[Odd]:
    rule = rules[number]
    for other in index.candidates(_narrowest(rule))[:_MOST_COMPARED]:
        if other == number or not covers(rules[other], rule):
            continue
        wide = rules[other]
        if wide.effect == "deny" and rule.effect == "allow":
            yield Odd(f"rule {wide.id} denies all that it allows")
            return
        if wide.effect == rule.effect and _is_asked_first(other, wide, number, rule):
            told = "denies" if wide.effect == "deny" else "allows"
            lost = "" if wide.effect == "deny" else ", so its limits and approvals never count"
            text = (
                f"rule {wide.id} {told} all that it {told}{lost}; remove one of the two, or narrow {wide.id}"
            )
            yield Odd(text)
            return


def _is_asked_first(other: int, wide: Rule, number: int, rule: Rule) -> bool:
    if (wide.approvals is None) is not (rule.approvals is None):
        return wide.approvals is None
    return other < number


def _narrowest(rule: Rule) -> Question:
    """A request that every rule which covers this one is asked about, too."""
    operation = min(rule.operations)
    principal = Principal("user", _NOBODY)
    intent = Intent(operation, _some_name(rule.targets), ())
    question = Question(principal, intent, None)
    question.who = _some_name(rule.principals)
    return question


def _some_name(patterns: NamePatterns) -> str:
    if patterns.everything:
        return f"{_NOBODY}:{_NOBODY}"
    kinds = sorted(patterns.kinds)
    return f"{kinds[0]}:{_NOBODY}" if kinds else min(patterns.names | patterns.members)


def _free_transfers(rule: Rule) -> Iterator[Odd]:
    moving = [each for each in OPERATIONS if each in rule.operations & TRANSFERS]
    if rule.effect == "deny" or not moving:
        return
    asked = {condition.field for condition in rule.conditions} | {limit.field for limit in rule.limits}
    if not asked & {"amount", *DESTINATION_FIELDS}:
        field = "to_address" if moving[0].startswith("transfer.") else "address"
        text = (
            f"it allows {', '.join(moving)} of any amount to anywhere; write when: {{{field}: {{in: [...]}}}}, "
            'or amount: {max: "..."}, or a limit that sums amount'
        )
        yield Odd(text, ("operations",))


def _nobody_left(rule: Rule) -> Iterator[Odd]:
    """Nobody approves what they asked for."""
    if rule.approvals is None:
        return
    for who in rule.approvals.of:
        if rule.principals.match(who) and len(rule.approvals.of) - 1 < rule.approvals.count:
            text = (
                f"{who} may ask and may approve, but not for the same request: then only {len(rule.approvals.of) - 1} are left "
                f"for {rule.approvals.count} approvals; name more approvers"
            )
            yield Odd(text, ("approvals", "of"))
            return
