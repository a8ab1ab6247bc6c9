"""Log-in by the TLS certificate that custody shows when it dials Vault; see `vault.session`.

Source: the HTTP API of Vault and OpenBao ("TLS certificates auth method": login).
"""

from vaultsigner.config.vault_settings import CertAuth
from vaultsigner.custody.vault_token.log_in_method import LogInRequest, json_object


class CertLogIn:
    """See `log_in_method.LogInMethod`."""

    def __init__(self, auth: CertAuth) -> None:
        self._auth = auth
        self.remedy = (
            f"look whether {auth.certificate} is still valid and the role `{auth.role}` at auth/{auth.mount}/ trusts it "
            "(`vaultsigner vault setup` makes it), and whether anything between custody and Vault ends TLS"
        )

    async def request(self) -> LogInRequest:
        """See `LogInMethod`. With its name, no other role can match."""
        return LogInRequest(f"auth/{self._auth.mount}/login", json_object({"name": self._auth.role}))

    def offers_more(self) -> bool:
        """A certificate that was replaced is shown when a log-in is due."""
        return False
