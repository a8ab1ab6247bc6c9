"""Makes what the parts of compose.yaml show to each other: certificates with their keys, and one password. Runs before all else.

Each file goes into the volume of the only part that reads it, and belongs to that part's user, mode 0400. What is there already
stays; to have everything made anew, remove the volumes `*-secrets` and `traefik-certificate` and start again. The authority's
own key is kept nowhere: nobody can ever make another certificate that these parts would trust.
"""

import argparse
import datetime
import os
import secrets
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from types import MappingProxyType

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_DAYS = 5 * 365
LATEST_SECONDS = 300
"""Clocks differ: certificates are good from a moment ago."""
OWN = Path("/certificate")
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
USERS: Mapping[str, int] = MappingProxyType(
    {
        "traefik-certificate": 10004,
        "acme": 10004,
        "vaultsigner-secrets": 10001,
        "audit-1": 10001,
        "audit-2": 10001,
        "openbao-secrets": 10002,
        "openbao-data": 10002,
        "openbao-audit": 10002,
        "postgres-secrets": 999,
    }
)
"""Who reads, or writes, each volume, as compose.yaml says."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """Signs, for as long as this program runs."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("vaultsigner's own, in compose")
        built = _begun(self._name, self._name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        self.certificate = built.add_extension(usage, critical=True).sign(self._key, SHA256())

    def pem(self) -> bytes:
        """Its certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    def pair(self, name: str, use: x509.ObjectIdentifier) -> Pair:
        """A new key, and a certificate that says whose it is and what for."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.DNSName(name)]
        if use == SERVER:
            names += [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
        certificate = (
            _begun(_name(name), self._name, key.public_key())
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(self._key, SHA256())
        )
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Pair(certificate.public_bytes(Encoding.PEM), secret)


def make(volumes: Path, own: Path = OWN) -> list[str]:
    """Make what is not there, and give every volume to its user where we may.

    Args:
        volumes: a directory with one below it for each volume.
        own: where a certificate of the operator's own may lie, as certificate.pem and key.pem.

    Returns:
        A line for people on each volume that was filled.
    """
    told = []
    if not (volumes / "vaultsigner-secrets" / "ca.pem").exists():
        for volume, files in _internal(Authority()).items():
            _write(volumes / volume, files)
            told.append(f"{volume}: made {', '.join(files)}")
    certificate = volumes / "traefik-certificate"
    if (own / "certificate.pem").exists():
        _write(certificate, {name: (own / name).read_bytes() for name in ("certificate.pem", "key.pem")})
        told.append("traefik-certificate: your own")
    elif not (certificate / "certificate.pem").exists():
        pair = Authority().pair("localhost", SERVER)
        _write(certificate, {"certificate.pem": pair.certificate, "key.pem": pair.key})
        told.append("traefik-certificate: a self-signed one, which no client trusts; see docs/deployment.md")
    for volume, user in USERS.items():
        if os.geteuid() == 0 and (volumes / volume).exists():
            _give(volumes / volume, user)
    return told


def _internal(authority: Authority) -> dict[str, dict[str, bytes]]:
    ca, password = authority.pem(), secrets.token_urlsafe(32).encode()
    openbao, postgres = authority.pair("openbao", SERVER), authority.pair("postgres", SERVER)
    database, custody = authority.pair("vaultsigner", CLIENT), authority.pair("custody", CLIENT)
    return {
        "openbao-secrets": {"ca.pem": ca, "certificate.pem": openbao.certificate, "key.pem": openbao.key},
        "postgres-secrets": {
            "ca.pem": ca,
            "certificate.pem": postgres.certificate,
            "key.pem": postgres.key,
            "superuser-password": password,
        },
        # Last, since its ca.pem says that all is there.
        "vaultsigner-secrets": {
            "database.pem": database.certificate,
            "database.key": database.key,
            "custody.pem": custody.certificate,
            "custody.key": custody.key,
            "ca.pem": ca,
        },
    }


def _write(directory: Path, files: Mapping[str, bytes]) -> None:
    """Each whole or not at all."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        begun = directory / f".{name}"
        begun.unlink(missing_ok=True)
        descriptor = os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        begun.rename(directory / name)


def _give(directory: Path, user: int) -> None:
    """What a running part has written there since is its own already, and may be gone or replaced the next moment."""
    os.chown(directory, user, user)
    directory.chmod(0o700)
    for entry in directory.iterdir():
        with suppress(FileNotFoundError):
            if stat.S_ISREG(entry.lstat().st_mode):
                os.chown(entry, user, user, follow_symlinks=False)


def _begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(seconds=LATEST_SECONDS))
        .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def main() -> None:
    """Make everything below the directory that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("volumes", type=Path)
    for line in make(parser.parse_args().volumes):
        print(line)


if __name__ == "__main__":
    main()
