"""Log-in with a JSON web token from a file: that of a Kubernetes service account, or any that an issuer keeps fresh.

Source: the HTTP API of Vault and OpenBao ("Kubernetes auth method", "JWT/OIDC auth method": login).
"""

import re

from vaultsigner.config.vault_settings import JwtAuth
from vaultsigner.custody.vault_token.log_in_method import LogInError, LogInRequest, json_object
from vaultsigner.custody.vault_token.secret_file import read_word
from vaultsigner.custody.wiping import wipe

LONGEST_JWT = 16_384
_JWT = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class JwtLogIn:
    """See `log_in_method.LogInMethod`. The file is read for every log-in: it changes."""

    def __init__(self, auth: JwtAuth) -> None:
        self._auth = auth
        self.remedy = (
            f"look whether the JWT in {auth.token_file} is still valid and fits the role `{auth.role}` at auth/{auth.mount}/ "
            "(`vaultsigner vault setup` makes it)"
        )

    async def request(self) -> LogInRequest:
        """See `LogInMethod`."""
        path = self._auth.token_file
        try:
            jwt = read_word(path, LONGEST_JWT)
        except OSError as error:
            raise LogInError(f"the JWT in {path} cannot be read ({error.strerror})") from None
        if jwt is None:
            raise LogInError(f"there is no JWT in {path}")
        try:
            if _JWT.fullmatch(jwt) is None:
                raise LogInError(
                    f"what is in {path} is no JWT: three parts with dots between them are wanted"
                )
            return LogInRequest(
                f"auth/{self._auth.mount}/login", json_object({"role": self._auth.role, "jwt": jwt})
            )
        finally:
            wipe(jwt)

    def offers_more(self) -> bool:
        """A JWT that was replaced is used when a log-in is due."""
        return False
