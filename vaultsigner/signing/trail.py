"""What is known of a request so far, gathered step by step for the record."""

import hashlib
from dataclasses import dataclass, field

from vaultsigner.domain.names import Operation
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.targets import Target
from vaultsigner.domain.vault_reads import VaultRead
from vaultsigner.policy import PolicySet
from vaultsigner.signing.calls import Call


@dataclass(slots=True)
class Trail:
    """Filled in while a request is understood, so that a refusal at any step is recorded with all that was known by then.

    `policies` are those that were in force when the request came, and the only ones that it sees: whatever comes into force
    meanwhile, it is decided by these, and every record of it names these.
    `target` is set only once it is one of the configuration: what a stranger typed into that member is not recorded.
    `operation` is the route's until the request itself has told a narrower one.
    `counted`: the request has counted against its caller's limit.
    `vault_request_id`: Vault's id of the last use of the key that the request is for, or of the signature on an access token.
    `vault_reads`: the other keys that were read for it, or asked for ahead and not used.
    """

    call: Call
    policies: PolicySet
    principal: Principal | None = None
    target: Target | None = None
    unknown_members: tuple[str, ...] = ()
    counted: bool = False
    vault_request_id: str | None = None
    vault_reads: tuple[VaultRead, ...] = ()
    operation: Operation = field(init=False)
    body_sha256: str | None = field(init=False)

    def __post_init__(self) -> None:
        self.operation = self.call.operation
        self.body_sha256 = hashlib.sha256(self.call.body).hexdigest() if self.call.body else None

    def key_used(self, vault_request_id: str) -> None:
        """The key that the request is for was used, whatever comes of it; what was asked for ahead was asked for this."""
        self.vault_request_id = vault_request_id
        self.vault_reads = tuple(read for read in self.vault_reads if read.use != "ahead")
