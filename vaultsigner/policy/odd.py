"""What a look at one rule finds: allowed in a policy file, and yet hardly meant."""

from dataclasses import dataclass

from vaultsigner.strict_yaml import YamlPath


@dataclass(frozen=True, slots=True)
class Odd:
    """One such thing.

    Args:
        text: for people: what is odd, and what to do about it.
        member: of the rule, where it stands; the rule as a whole otherwise.
        value: the entry in that member, or in a list named there, that it is about.
    """

    text: str
    member: YamlPath = ()
    value: str | None = None
