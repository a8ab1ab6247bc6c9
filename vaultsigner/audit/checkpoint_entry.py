"""What the record of a checkpoint says. See `entries`."""

from dataclasses import dataclass
from typing import ClassVar

from vaultsigner.audit.members import bounded_or_none
from vaultsigner.audit.writing.chain_tree import ChainState
from vaultsigner.domain.checkpoints import SignedCheckpoint
from vaultsigner.domain.names import JsonValue


@dataclass(frozen=True, slots=True)
class Checkpointed:
    """A state of the chain was signed.

    Args:
        state: what was signed; it may be some records behind by now.
        signed: the signed note.
        policy: digest of the policies in force; None: none are known.
        vault_request_id: Vault's id of the signature, to join with Vault's own audit log; older records have none.
    """

    kind: ClassVar[str] = "checkpoint"
    state: ChainState
    signed: SignedCheckpoint
    policy: str | None
    vault_request_id: str | None = None

    def members(self) -> dict[str, JsonValue]:
        """See `Entry`."""
        state = self.state
        return {
            "kind": self.kind,
            "tree_size": state.size,
            "root": state.root.hex(),
            "head": state.head,
            "subtrees": [each.hex() for each in state.subtrees],
            "previous": state.old_size,
            "path": [step.hex() for step in state.path],
            "note": str(self.signed),
            "vault_request_id": bounded_or_none(self.vault_request_id),
            "policy": self.policy,
        }
