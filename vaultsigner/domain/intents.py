"""What a request means, in the words that policies and records use."""

from collections.abc import Mapping
from dataclasses import dataclass

from vaultsigner.domain.names import JsonValue, Operation


@dataclass(frozen=True, slots=True)
class Intent:
    """A decoded request: what would be signed, for which target.

    Args:
        operation: e.g. `transfer.broadcast`.
        target: as policies name it, e.g. `wallet:wallet_1`.
        items: one mapping of field names to values for each thing done; a multi-transfer has one item a payment, every
            other message exactly one. Amounts are decimal text with eight places.
    """

    operation: Operation
    target: str
    items: tuple[Mapping[str, JsonValue], ...]

    def described(self) -> dict[str, JsonValue]:
        """The `intent` member of a record: the item itself, or all of them under `items`."""
        if len(self.items) == 1:
            return dict(self.items[0])
        return {"items": [dict(item) for item in self.items]}
