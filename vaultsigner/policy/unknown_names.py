"""Names in rules that nobody and nothing bears. Pure.

Such a rule never matches what its author meant: one that denies protects nothing.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from vaultsigner.config.problems import KnownWords
from vaultsigner.config.settings import Settings
from vaultsigner.policy.policy_set import PolicySet
from vaultsigner.policy.rules import Rule


@dataclass(frozen=True, slots=True)
class UnknownName:
    """One of them.

    Args:
        rule: the rule's id.
        text: where, what, and what may have been meant.
        opens: the rule denies, so what its author wanted to forbid may be allowed.
    """

    rule: str
    text: str
    opens: bool


def unknown_names(policies: PolicySet, settings: Settings) -> tuple[UnknownName, ...]:
    """Every name in the rules that the configuration does not have, in the order of the rules."""
    names: dict[str, Collection[str]] = {
        "wallet": settings.wallets,
        "user": settings.users,
        "client": settings.clients,
    }
    known = {f"{kind}:{name}" for kind, named in names.items() for name in named}
    words = {kind: KnownWords(named) for kind, named in names.items()}
    return tuple(_unknown(policies.rules, known, words))


def _unknown(rules: Iterable[Rule], known: set[str], words: dict[str, KnownWords]) -> Iterator[UnknownName]:
    for rule in rules:
        for pattern in sorted((rule.principals.names | rule.targets.names) - known):
            kind, _, name = pattern.partition(":")
            where = f"{rule.place}: " if rule.place else ""
            text = f"policies: {where}rule {rule.id}: no {kind} is called {name}; {words[kind].hint(name)}"
            yield UnknownName(rule.id, text, opens=rule.effect == "deny")
