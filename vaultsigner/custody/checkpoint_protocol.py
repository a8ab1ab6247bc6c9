"""The question for a signature on a checkpoint, and its answers. Pure; see `protocol`."""

from base64 import b64encode
from dataclasses import dataclass

from vaultsigner.custody.frames import json_bytes
from vaultsigner.domain.checkpoints import SignedCheckpoint


@dataclass(frozen=True, slots=True)
class SignCheckpointRequest:
    """Sign what a chain is now. Custody writes the text that is signed, with the time by its own clock.

    Args:
        chain: 16 hexadecimal digits.
        size: records 1 to `size`.
        root: of the Merkle tree over them.
        head: the hash of record `size`.
        old_size, path: RFC 6962, section 2.1.2: the chain only grew since it had `old_size` records; 0 and nothing where none
            of it was signed before.
        not_before_us: the time of record `size`, in microseconds since 1970: a checkpoint is no older than what it covers,
            whatever clock was set back.
    """

    chain: str
    size: int
    root: bytes
    head: str
    old_size: int
    path: tuple[bytes, ...]
    not_before_us: int = 0

    def payload(self) -> bytes:
        """The payload of the question."""
        return json_bytes(
            {
                "chain": self.chain,
                "size": self.size,
                "root": b64encode(self.root).decode("ascii"),
                "head": self.head,
                "old_size": self.old_size,
                "path": [b64encode(step).decode("ascii") for step in self.path],
                "not_before_us": self.not_before_us,
            }
        )


@dataclass(frozen=True, slots=True)
class CheckpointSigned:
    """The signed note.

    Args:
        vault_request_id: Vault's own id of Transit's signature, to be found in Vault's audit log.
    """

    signed: SignedCheckpoint
    vault_request_id: str


@dataclass(frozen=True, slots=True)
class ProofNeeded:
    """Custody has signed a later state than `old_size`: it signs again once it is shown that the chain grew from that one.

    Args:
        size: how many records it had then.
    """

    size: int
