"""The certificate that a client showed to the TLS proxy, as the proxy hands it on in `X-Forwarded-Tls-Client-Cert`.

Traefik writes it (middleware passTLSClientCert, `pem: true`): the PEM text of each certificate without its first and last line
and without line breaks, the client's own first, commas between them. That is the one spelling that is read.
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from functools import lru_cache

from cryptography.x509 import load_der_x509_certificate

from vaultsigner.domain.names import CertificateDigest
from vaultsigner.domain.refusals import Refusal

CLIENT_CERTIFICATE = "X-Forwarded-Tls-Client-Cert"
MALFORMED_CERTIFICATE = Refusal(
    "malformed_request",
    f"{CLIENT_CERTIFICATE} is not what Traefik writes there: base64 of DER, once",
    reason=f"a trusted proxy sent a {CLIENT_CERTIFICATE} that is no certificate, or more than one such header",
)
_REMEMBERED_CERTIFICATES = 256


def read_client_certificate(values: Sequence[str]) -> CertificateDigest | Refusal | None:
    """The fingerprint of the certificate that the client has shown; None where it has shown none.

    TLS makes whoever shows a certificate prove that they have its key (RFC 8446, section 4.4.3); that is the proxy's to see to.

    Args:
        values: of the header, from a trusted proxy alone: anybody else writes into it what they like.
    """
    if not values:
        return None
    return _fingerprint(values[0]) if len(values) == 1 else MALFORMED_CERTIFICATE


@lru_cache(_REMEMBERED_CERTIFICATES)
def _fingerprint(value: str) -> CertificateDigest | Refusal:
    """Whoever shows a certificate may show others behind it, which prove nothing of them; all must be certificates."""
    try:
        own, *_ = [_der(element) for element in value.split(",")]
    except ValueError:
        return MALFORMED_CERTIFICATE
    return CertificateDigest(f"sha256:{hashlib.sha256(own).hexdigest()}")


def _der(element: str) -> bytes:
    """One certificate, in canonical base64.

    Raises:
        ValueError: it is none.
    """
    der = b64decode(element.encode("ascii"), validate=True)
    if b64encode(der).decode("ascii") != element:
        raise ValueError("another spelling of the same base64")
    load_der_x509_certificate(der)
    return der
