"""What a request means, in the words that policies and records use."""

import hashlib
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
        memo: the free text that is signed with it; on a transfer to an exchange it says whose account is credited.
    """

    operation: Operation
    target: str
    items: tuple[Mapping[str, JsonValue], ...]
    memo: str = ""

    def described(self) -> dict[str, JsonValue]:
        """The `intent` member of a record: the item itself, or all of them under `items`.

        A memo is free text, where people put what does not belong on a record: its SHA-256 stands for it.
        """
        described: dict[str, JsonValue] = {"items": [dict(item) for item in self.items]}
        if len(self.items) == 1:
            described = dict(self.items[0])
        if self.memo:
            described["memo_sha256"] = hashlib.sha256(self.memo.encode()).hexdigest()
        return described
