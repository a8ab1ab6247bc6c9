"""Uses of keys in Vault that a request causes beside the one that it is for. Pure."""

from dataclasses import dataclass
from typing import Literal

VaultUse = Literal["secret", "ahead", "public_key"]


@dataclass(frozen=True, slots=True)
class VaultRead:
    """One of them.

    Args:
        use: `secret`: a client's, to verify its signature, or another's in its place; `public_key`: a wallet's key, for its
            address; `ahead`: the key that would be needed next, before it was sure that it is.
        path: of the key, as Vault's audit log has it.
        request_id: Vault's own; None where Vault's answer was left unread.
    """

    use: VaultUse
    path: str
    request_id: str | None
