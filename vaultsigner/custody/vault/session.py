"""Custody's dealings with Vault about its own token: log-in, look-up, renewal, revocation. Each over a connection of its own.

Vault binds the tokens of a TLS certificate to it: whoever renews one must show the certificate that logged in.
"""

import ssl
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

from vaultsigner.config.vault_settings import CertAuth, VaultSettings
from vaultsigner.custody.vault.dial_trouble import why_no_vault
from vaultsigner.custody.vault.endpoint import endpoint_of
from vaultsigner.custody.vault.single_exchange import NoAnswerError, Place, ask_once
from vaultsigner.custody.vault.token_facts import (
    NewToken,
    TokenFacts,
    read_log_in,
    read_look_up,
    read_renewal,
)
from vaultsigner.errors import VaultsignerError

T = TypeVar("T")
_REFUSALS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})


class RefusedError(VaultsignerError):
    """Vault answered, and says no."""

    code = "vault_denied"

    def __init__(self, status: int) -> None:
        super().__init__(f"Vault answered {status}")
        self.status = status


class VaultSession:
    """Asks about tokens.

    Raises:
        ConfigError: Vault cannot be reached in the way that the configuration says.
    """

    def __init__(self, vault: VaultSettings) -> None:
        self._endpoint = endpoint_of(vault)
        self._vault = vault

    async def log_in(self, path: str, body: bytearray) -> NewToken:
        """A token for what the body shows; the body belongs to the caller, who wipes it.

        Raises:
            RefusedError, NoAnswerError, SenselessAnswerError: there is none.
        """
        return await self.ask("POST", path, read_log_in, body=body)

    async def look_up(self, token: bytearray) -> TokenFacts:
        """What Vault knows of a token. Raises as `log_in`."""
        return await self.ask("GET", "auth/token/lookup-self", read_look_up, token=token)

    async def renew(self, token: bytearray) -> TokenFacts:
        """Make a token live longer; how long it does then. Raises as `log_in`."""
        return await self.ask("POST", "auth/token/renew-self", read_renewal, token=token, body=b"{}")

    async def revoke(self, token: bytearray) -> None:
        """End a token. Raises as `log_in`."""
        await self.ask("POST", "auth/token/revoke-self", lambda _: None, token=token, body=b"{}")

    async def ask(
        self,
        method: str,
        path: str,
        read: Callable[[memoryview], T],
        *,
        body: bytes | bytearray = b"",
        token: bytearray | None = None,
    ) -> T:
        """What `read` makes of Vault's answer, which is wiped after it; it is asked once and never again by itself.

        Raises:
            RefusedError: Vault says no.
            NoAnswerError: it cannot be asked, is sealed, or in trouble.
        """

        def take(status: int, answer: memoryview) -> T:
            if status in (HTTPStatus.OK, HTTPStatus.NO_CONTENT):
                return read(answer)
            if status in _REFUSALS:
                raise RefusedError(status)
            if status == HTTPStatus.SERVICE_UNAVAILABLE:
                raise NoAnswerError("Vault is sealed or in standby")
            raise NoAnswerError(f"Vault answered {status}")

        endpoint = self._endpoint
        place = Place(endpoint.host, endpoint.port, self._tls())
        return await ask_once(place, endpoint.request(method, path, body, token), take, why_no_vault)

    def _tls(self) -> ssl.SSLContext | None:
        """With the certificate as its files have it now; its key leaves memory with the context."""
        auth = self._vault.auth
        if not isinstance(auth, CertAuth):
            return self._endpoint.tls
        context = endpoint_of(self._vault).tls
        try:
            if context is not None:
                # With an empty password nobody is asked for one on a terminal.
                context.load_cert_chain(auth.certificate, auth.private_key, password="")
        except OSError as error:
            reason = (
                error.strerror if error.errno and not isinstance(error, ssl.SSLError) else "they do not fit"
            )
            raise NoAnswerError(
                f"{auth.certificate} and {auth.private_key} cannot be used ({reason}): write a certificate and its own key, "
                "not encrypted, in PEM"
            ) from None
        return context
