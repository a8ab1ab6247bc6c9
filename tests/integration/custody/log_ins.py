"""Custody with a method of its own to log in to a real OpenBao, which is set up as `vaultsigner vault setup` does it."""

import asyncio
import datetime
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hvac.exceptions
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.integration.custody.conftest import CustodyWorld, plan
from tests.integration.custody.custody_process import running_custody
from tests.patience import PATIENCE_SECONDS, until
from tests.world import Vector
from vaultsigner import config
from vaultsigner.cli.log_in_options import LogInOptions
from vaultsigner.cli.vault_admin import OperatorVault
from vaultsigner.cli.vault_roles import set_up_log_in, wrapped_secret_id
from vaultsigner.cli.vault_setup import set_up
from vaultsigner.config.vault_settings import AppRoleAuth, TokenFileAuth
from vaultsigner.custody.client import CustodyClient
from vaultsigner.custody.protocol import CustodyHealth
from vaultsigner.dev.installation import Installation, install
from vaultsigner.dev.openbao import OpenBao

ROLE_ID = "vaultsigner-of-a-test"
USUAL = LogInOptions(period="1h")


def operator_of(openbao: OpenBao) -> OperatorVault:
    """With the root token."""
    return OperatorVault(openbao.address, openbao.root_token)


def logging_in(
    directory: Path,
    openbao: OpenBao,
    vectors: Sequence[Vector],
    auth: Mapping[str, object],
    options: LogInOptions = USUAL,
    **vault: object,
) -> Installation:
    """An installation whose custody logs in by this method.

    Args:
        auth: section `vault.auth`.
        vault: other members of section `vault`.
    """
    installation = install(directory, openbao, plan(vectors))
    write_vault(installation.config_file, **vault, auth=dict(auth))
    installation.token_path.unlink()
    settings = config.load(installation.config_file, {})
    operator = operator_of(openbao)
    list(set_up(operator, settings))
    assert not isinstance(settings.vault.auth, TokenFileAuth)
    list(set_up_log_in(operator, settings.vault.auth, options))
    return Installation(directory, settings)


def write_vault(config_file: Path, **members: object) -> None:
    """Change members of section `vault`."""
    document = yaml.safe_load(config_file.read_text())
    document["vault"] = {**document["vault"], **members}
    config_file.write_text(yaml.safe_dump(document))


def approle(directory: Path, **members: object) -> dict[str, object]:
    """Section `vault.auth` for an AppRole."""
    return {
        "method": "approle",
        "role_id": ROLE_ID,
        "secret_id_file": str(directory / "secret-id"),
        **members,
    }


def give_wrapped_secret_id(openbao: OpenBao, installation: Installation, ttl: str = "5m") -> str:
    """Write one where custody looks for it; the wrapping token."""
    auth = installation.settings.vault.auth
    assert isinstance(auth, AppRoleAuth)
    token = wrapped_secret_id(operator_of(openbao), auth, ttl)
    auth.secret_id_file.write_text(f"{token}\n")
    return token


@dataclass(frozen=True, slots=True)
class Drop:
    """A file where something is left for custody."""

    path: Path

    @property
    def text(self) -> str:
        return self.path.read_text().strip()

    @property
    def raw(self) -> bytes:
        return self.path.read_bytes()

    @property
    def gone(self) -> bool:
        return not self.path.exists()

    def put(self, text: str) -> None:
        self.path.write_text(text)


@contextmanager
def custody_of(openbao: OpenBao, installation: Installation, **environment: str) -> Iterator[CustodyWorld]:
    """Custody on it."""
    with running_custody(installation, **environment) as custody:
        yield CustodyWorld(openbao, installation, custody)


def log_lines(world: CustodyWorld, event: str) -> list[dict[str, Any]]:
    """What custody has logged of an event."""
    lines = (json.loads(line) for line in world.custody.log.read_text().splitlines() if line.startswith("{"))
    return [line for line in lines if line["event"] == event]


async def until_health(client: CustodyClient, good: Callable[[CustodyHealth], object]) -> CustodyHealth:
    """Wait for a state of health."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            health = await client.health()
            if good(health):
                return health
            await asyncio.sleep(0.05)


async def until_lines(world: CustodyWorld, event: str, count: int) -> None:
    """Wait until custody has logged an event so many times."""
    await until(lambda: len(log_lines(world, event)) >= count, f"{event} is logged")


def tokens_of(openbao: OpenBao, mount: str) -> list[str]:
    """Accessors of the living tokens that came from a mount."""
    client = openbao.client
    found = []
    for accessor in client.list("auth/token/accessors")["data"]["keys"]:
        with suppress(hvac.exceptions.VaultError):  # it has ended since
            if client.auth.token.lookup_accessor(accessor)["data"]["path"] == f"auth/{mount}/login":
                found.append(accessor)
    return found


def revoke_all(openbao: OpenBao, mount: str) -> None:
    """End every token that came from a mount."""
    for accessor in tokens_of(openbao, mount):
        openbao.client.auth.token.revoke_accessor(accessor)


class Issuer:
    """Makes JSON web tokens with ES256."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public_pem(self) -> bytes:
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def jwt(self, **claims: object) -> str:
        """A token with these claims, good from now on."""
        now = int(time.time())
        parts = (
            {"alg": "ES256", "typ": "JWT"},
            {"iat": now, "nbf": now - 5, "exp": now + 600, **claims},
        )
        text = ".".join(_base64url(json.dumps(part).encode()) for part in parts)
        r, s = decode_dss_signature(self._key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{_base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def client_certificate(
    directory: Path, name: str = "client", common_name: str = "vaultsigner"
) -> tuple[Path, Path]:
    """A certificate of its own authority and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = directory / f"{name}.pem", directory / f"{name}.key"
    certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate_file, key_file
