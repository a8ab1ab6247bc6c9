"""Values that no request has: an allow rule never matches by them, and a deny rule does not hold. Pure."""

from collections.abc import Collection, Iterator

from vaultsigner.config.build import DEFAULT_ENVIRONMENTS
from vaultsigner.config.problems import KnownWords
from vaultsigner.policy.addresses import Trouble, trouble_with_destination, trouble_with_receiver
from vaultsigner.policy.conditions import TextIn, one_spelling
from vaultsigner.policy.odd import Odd
from vaultsigner.policy.rules import Rule
from vaultsigner.policy.vocabularies import words_of

BEACON_PREFIXES = frozenset(environment.address_prefix for environment in DEFAULT_ENVIRONMENTS.values())
_SO = {
    ("allow", False): "so the rule never matches by it",
    ("deny", False): "so the rule denies nothing by it",
    ("allow", True): "so the rule keeps nothing out by it",
    ("deny", True): "so the rule lets nothing through by it",
}
"""What comes of such a value, by the rule's effect and by whether the condition is `not_in`."""


def impossible_values(rule: Rule, prefixes: Collection[str] = BEACON_PREFIXES) -> Iterator[Odd]:
    """Words outside a closed vocabulary, and addresses that are none, each told once where it stands.

    Args:
        prefixes: of the addresses on the networks that there are.
    """
    for condition in rule.conditions:
        if not isinstance(condition, TextIn):
            continue
        so = _SO[rule.effect, condition.negated]
        yield from _unknown_words(rule, condition, so)
        if condition.field == "to_address" and any(each.startswith("transfer.") for each in rule.operations):
            yield from _receivers(condition, so, prefixes)
        elif condition.field == "address":
            yield from _destinations(condition, so)


def _unknown_words(rule: Rule, condition: TextIn, so: str) -> Iterator[Odd]:
    words = words_of(rule.operations, condition.field)
    if not words:
        return
    known, compared = KnownWords(words), {one_spelling(condition.field, word) for word in words}
    for value in sorted(condition.values):
        if one_spelling(condition.field, value) not in compared:
            text = f"no request has this {condition.field}, {so}; {known.hint(value)}"
            yield Odd(text, ("when", condition.field), value)


def _receivers(condition: TextIn, so: str, prefixes: Collection[str]) -> Iterator[Odd]:
    """What does not look like a Beacon address is told only where nothing else is there: a list may serve other chains, too."""
    troubles = {value: trouble_with_receiver(value, prefixes) for value in sorted(condition.values)}
    member = ("when", condition.field)
    for value, trouble in troubles.items():
        if trouble not in (None, "no address"):
            yield Odd(_told(trouble, so, prefixes), member, value)
    if set(troubles.values()) == {"no address"}:
        yield Odd(_told("no address", so, prefixes), member, next(iter(troubles)))


def _destinations(condition: TextIn, so: str) -> Iterator[Odd]:
    for value in sorted(condition.values):
        trouble = trouble_with_destination(value)
        if trouble is not None:
            yield Odd(_told(trouble, so, ()), ("when", condition.field), value)


def _told(trouble: Trouble | None, so: str, prefixes: Collection[str]) -> str:
    begin = " or ".join(f"{prefix}1" for prefix in sorted(prefixes))
    if trouble == "letter case":
        return (
            "this address is not in small letters, as requests and records have it; it is compared as if it were: "
            "write it in small letters"
        )
    if trouble == "network":
        return f"no network of ours has this address, {so}; addresses begin with {begin}"
    if trouble == "checksum":
        return f"the checksum of this address does not hold, {so}; a character is wrong, missing or too many: copy it anew"
    return f"this is no address that a transfer can go to, {so}; write one that begins with {begin}"
