"""Where the service is, and how a connection to it is protected."""

import ssl
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from vaultsigner.client.errors import CredentialsError, NotSentError
from vaultsigner.client.secret_sources import Secret, read_secret

_UNKNOWN_AUTHORITY = frozenset({2, 7, 18, 19, 20, 21})
"""OpenSSL's X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, _CERT_SIGNATURE_FAILURE (an authority's namesake),
_DEPTH_ZERO_SELF_SIGNED_CERT, _SELF_SIGNED_CERT_IN_CHAIN, _UNABLE_TO_GET_ISSUER_CERT_LOCALLY and
_UNABLE_TO_VERIFY_LEAF_SIGNATURE (x509_vfy.h)."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A TLS client certificate, where the proxy in front of the service asks for one. Both files are PEM.

    Args:
        private_key: None: in the certificate's file.
        passphrase: of the private key.
    """

    certificate: str | Path
    private_key: str | Path | None = None
    passphrase: Secret | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Address:
    """A service's address.

    Args:
        tls: None over plain HTTP.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None

    @property
    def origin(self) -> str:
        """Scheme, host and port, as URLs begin."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'http' if self.tls is None else 'https'}://{host}:{self.port}"


def read_address(
    url: str,
    *,
    ca_file: str | Path | None,
    client_certificate: ClientCertificate | None,
    tls: ssl.SSLContext | None,
    allow_http: bool,
) -> Address:
    """The address that a URL names: scheme, host and perhaps a port.

    Raises:
        ValueError: it names something else, or plain HTTP to another machine, where passwords, tokens and answers can be read.
        CredentialsError: the certificates cannot be used.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the URL is https://host or https://host:port")
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("the URL has nothing but scheme, host and port: what is signed covers the path")
    if parts.scheme == "https":
        context = tls or _context(ca_file, client_certificate)
        return Address(parts.hostname, parts.port or 443, context)
    if not (allow_http or _is_here(parts.hostname)):
        raise ValueError(
            "plain HTTP to another machine shows everything to whoever listens: https, or allow_http=True"
        )
    if client_certificate is not None:
        raise ValueError("a client certificate needs https")
    return Address(parts.hostname, parts.port or 80, None)


def not_connected(origin: str, error: Exception) -> NotSentError:
    """What to tell of a connection that was not made; of a certificate by an authority that nobody knows, what helps."""
    unknown = isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in _UNKNOWN_AUTHORITY
    remedy = ' (if it is an authority of your own, name it: ca_file="its certificate.pem")' if unknown else ""
    return NotSentError(f"No connection to {origin}: {error}{remedy}")


def _context(ca_file: str | Path | None, certificate: ClientCertificate | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
        if certificate is not None:
            # Without an answer OpenSSL would ask at the terminal for the passphrase of an encrypted key.
            passphrase = (
                b"" if certificate.passphrase is None else read_secret(certificate.passphrase, "passphrase")
            )
            context.load_cert_chain(certificate.certificate, certificate.private_key, passphrase)
    except OSError as error:  # ssl.SSLError is one
        raise CredentialsError(f"The certificates cannot be used: {error.strerror or error}") from error
    return context


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
