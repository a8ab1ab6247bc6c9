"""One rule, and whom and what it speaks of."""

from dataclasses import dataclass, field

from vaultsigner.domain.decisions import Effect
from vaultsigner.domain.names import Operation
from vaultsigner.domain.permissions import PERMISSION_FOR_MESSAGE

OPERATIONS: tuple[Operation, ...] = tuple(
    Operation(f"{message}.{action}") for message in PERMISSION_FOR_MESSAGE for action in ("sign", "broadcast")
)
"""Everything that policies decide on."""


@dataclass(frozen=True, slots=True)
class NamePatterns:
    """Which names a rule means: every one of a kind, or some by name.

    Args:
        everything: `*`, or nothing written at all.
        kinds: of `user:*`, the `user`.
        names: complete ones, such as `user:sam`.
    """

    everything: bool = False
    kinds: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    def match(self, name: str) -> bool:
        """True when `kind:name` is meant."""
        return self.everything or name in self.names or name.partition(":")[0] in self.kinds


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a policy file; `operations` are written out, patterns resolved. `place` is its file and line, for messages."""

    id: str
    effect: Effect
    principals: NamePatterns
    targets: NamePatterns
    operations: frozenset[Operation]
    place: str = field(default="", compare=False)
