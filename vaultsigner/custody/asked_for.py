"""What a caller's request asks custody to use a key for, whichever key: decoded from the caller's own words. Pure."""

from typing import Protocol

from vaultsigner.config.settings import Client, KvReference, Settings, User
from vaultsigner.custody.beacon_asked import read_beacon_asked
from vaultsigner.custody.exchange_asked import read_exchange_asked
from vaultsigner.custody.open_api_asked import read_open_api_asked
from vaultsigner.custody.protocol import AuthenticateRequest
from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.principals import Principal
from vaultsigner.policy import PolicySet


class Asked(Protocol):
    """One use of one key."""

    @property
    def digest(self) -> bytes:
        """Equal for two that ask for the same, and for no others."""

    @property
    def key(self) -> KvReference | None:
        """What has to be read from Vault for it; None where Vault itself uses the key, or there is none."""

    def check_allowed(
        self,
        policies: PolicySet,
        account: User | Client,
        principal: Principal,
        circumstances: Circumstances,
    ) -> None:
        """Return if permissions and policy allow it. Limits and approvals are the server's: custody keeps no state.

        Raises:
            CustodyError: no_permission, policy_denied.
        """


def read_asked(settings: Settings, request: AuthenticateRequest) -> Asked | None:
    """What a request asks for; None where it asks for nothing that a key is needed for, or is not what its operation says."""
    match request.operation.partition(".")[0]:
        case "exchange":
            return read_exchange_asked(settings, request)
        case "open_api":
            return read_open_api_asked(settings, request)
        case _:
            return read_beacon_asked(settings, request.operation, request.body)
