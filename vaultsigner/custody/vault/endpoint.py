"""Where Vault is, how it proves that it is Vault, and what a request to it looks like on the wire."""

import ssl
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from vaultsigner.config.addresses import is_loopback
from vaultsigner.config.vault_settings import VaultSettings
from vaultsigner.errors import ConfigError

_OP_CLEANSE_PLAINTEXT = 2
"""OpenSSL's SSL_OP_CLEANSE_PLAINTEXT: wipe each record's plaintext once it has been read. `ssl` has no name for it."""


@dataclass(frozen=True, slots=True)
class VaultEndpoint:
    """`tls` is None only for Vault on this very machine."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    head: bytes
    """The header lines that every request carries, the token's excepted."""

    def request(self, method: str, path: str, body: bytes | bytearray, token: bytearray | None) -> bytearray:
        """A whole request.

        Args:
            method: GET, POST or PUT.
            path: below `/v1/`, not yet percent-encoded.
            body: JSON, or nothing.
            token: sent where given. The result holds a copy: wipe it.
        """
        length = b"Content-Length: %d\r\n" % len(body) if body else b""
        line = f"{method} /v1/{quote(path, safe='/')} HTTP/1.1\r\n".encode()
        secret = (b"X-Vault-Token: ", token, b"\r\n") if token else ()
        return bytearray().join((line, self.head, length, *secret, b"\r\n", body))


def endpoint_of(vault: VaultSettings) -> VaultEndpoint:
    """The endpoint that the configuration names.

    Raises:
        ConfigError: plain http to another machine, or a CA file that cannot be used.
    """
    address = urlsplit(vault.address)
    host = address.hostname or ""
    secure = address.scheme == "https"
    if not secure and not is_loopback(host):
        raise ConfigError(
            f"vault.address {vault.address}: keys would cross the network in the clear; use https"
        )
    namespace = f"X-Vault-Namespace: {vault.namespace}\r\n" if vault.namespace else ""
    head = f"Host: {address.netloc}\r\nX-Vault-Request: true\r\nAccept-Encoding: identity\r\n{namespace}"
    port = address.port or (443 if secure else 80)
    return VaultEndpoint(host, port, _tls(vault) if secure else None, head.encode("ascii"))


def _tls(vault: VaultSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if vault.ca_cert is None else str(vault.ca_cert))
    except OSError as error:
        raise ConfigError(f"vault.ca_cert {vault.ca_cert} cannot be used: {error.strerror}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= _OP_CLEANSE_PLAINTEXT
    return context
