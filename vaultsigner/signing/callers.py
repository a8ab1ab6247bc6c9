"""A caller whose identity is proved, and how."""

from dataclasses import dataclass, field

from vaultsigner.config.settings import Client, User
from vaultsigner.custody.protocol import Proof
from vaultsigner.domain.principals import Principal


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who has shown who they are.

    Args:
        account: their entry in config.yml.
        access_token: what they showed it with, or
        proof: what custody says of the signature that they showed it with.
    """

    principal: Principal
    account: User | Client
    access_token: str | None = field(default=None, repr=False)
    proof: Proof | None = None
