"""Names in rules that nobody and nothing bears. Pure.

Such a rule never matches what its author meant: one that denies protects nothing.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from vaultsigner.config.problems import KnownWords
from vaultsigner.config.settings import Settings
from vaultsigner.policy.places import Place
from vaultsigner.policy.policy_set import PolicySet

_NOUNS = {"open_api": "Open API app"}


@dataclass(frozen=True, slots=True)
class UnknownName:
    """One of them.

    Args:
        rule: the rule's id.
        name: as it is written there, or in a group that the rule uses.
        place: of the rule, or of the group.
        about: `rule desk-trades` or `group desk`.
        told: what is wrong, and what may have been meant.
        opens: the rule denies, so what its author wanted to forbid may be allowed.
    """

    rule: str
    name: str
    place: Place | None
    about: str
    told: str
    opens: bool

    @property
    def text(self) -> str:
        """All of it in a line."""
        where = f"{self.place}: " if self.place else ""
        return f"policies: {where}{self.about}: {self.told}"


def unknown_names(policies: PolicySet, settings: Settings) -> tuple[UnknownName, ...]:
    """Every name in the rules and in the groups they use that the configuration does not have, in the order of the rules.

    A group is told once, with the first rule that uses it; it leaves something open if any rule that denies uses it.
    """
    names: dict[str, Collection[str]] = {
        "wallet": settings.wallets,
        "user": settings.users,
        "client": settings.clients,
        "exchange": settings.exchanges,
        "open_api": settings.open_api,
    }
    known = {f"{kind}:{name}" for kind, named in names.items() for name in named}
    words = {kind: KnownWords(named) for kind, named in names.items()}
    return tuple(_unknown(policies, known, words))


def _unknown(policies: PolicySet, known: set[str], words: dict[str, KnownWords]) -> Iterator[UnknownName]:
    denied = {group for rule in policies.rules if rule.effect == "deny" for group in rule.principals.groups}
    told: set[str] = set()
    for rule in policies.rules:
        approvers = rule.approvals.of if rule.approvals else ()
        for pattern in _missing({*rule.principals.names, *rule.targets.names, *approvers}, known, words):
            about, opens = f"rule {rule.id}", rule.effect == "deny"
            yield UnknownName(rule.id, pattern, rule.place, about, _told(pattern, words), opens)
        for group in sorted((rule.principals.groups - told) & policies.groups.keys()):
            told.add(group)
            for member in _missing(set(policies.groups[group].members), known, words):
                place, told_of = policies.groups[group].place, _told(member, words)
                yield UnknownName(rule.id, member, place, f"group {group}", told_of, group in denied)


def _missing(patterns: set[str], known: set[str], words: dict[str, KnownWords]) -> list[str]:
    return sorted(each for each in patterns - known if each.partition(":")[0] in words)


def _told(pattern: str, words: dict[str, KnownWords]) -> str:
    kind, _, name = pattern.partition(":")
    return f"no {_NOUNS.get(kind, kind)} is called {name}; {words[kind].hint(name)}"
