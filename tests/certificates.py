"""TLS certificates for tests: an authority, what it signs, and what nobody has signed."""

import datetime
import hashlib
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Certificate:
    """A certificate, and the key to show it with; `file` has both, as PEM."""

    name: str
    file: Path
    der: bytes

    @property
    def digest(self) -> str:
        """As config.yml names it."""
        return f"sha256:{hashlib.sha256(self.der).hexdigest()}"


class Authority:
    """Signs certificates; its own is in `file`.

    Args:
        directory: for all files.
    """

    def __init__(self, directory: Path, name: str = "a test's authority") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _subject(name)
        begun = _begun(self._name, self._name, self._key.public_key())
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        certificate = begun.add_extension(constraints, critical=True).sign(self._key, hashes.SHA256())
        self.file = directory / "authority.pem"
        self.file.write_bytes(certificate.public_bytes(Encoding.PEM))

    def certificate(self, name: str) -> Certificate:
        """A certificate for a client, or for a server on loopback."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(IPv4Address("127.0.0.1"))])
        begun = _begun(_subject(name), self._name, key.public_key()).add_extension(names, critical=False)
        made = begun.sign(self._key, hashes.SHA256())
        file = self._directory / f"{name}-{made.serial_number:x}.pem"
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(secret + made.public_bytes(Encoding.PEM))
        return Certificate(name, file, made.public_bytes(Encoding.DER))


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + 30 * _DAY)
    )
