"""The client's side of TLS: whom it trusts, and the certificate that it shows."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from tests.integration.client.asking import asking
from tests.integration.client.raw_service import RawService, Said, running_raw_service
from tests.integration.dispatch.certificates import Authority, new_authority
from vaultsigner.client import (
    ClientCertificate,
    ConnectionLostError,
    CredentialsError,
    HmacKey,
    NotSentError,
    SigningClient,
)

WALLETS = Said(200, [])
BOT = HmacKey("key", "a secret for tests alone")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return new_authority()


@pytest.fixture
def service(authority: Authority, tmp_path: Path) -> Iterator[RawService]:
    """Serves whoever has a certificate of the authority."""
    context = authority.serving("localhost", tmp_path)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=ca_text(authority))
    with running_raw_service(context) as running:
        running.says(WALLETS)
        yield running


def ca_text(authority: Authority) -> str:
    return ssl.DER_cert_to_PEM_cert(authority.certificate.public_bytes(Encoding.DER))


def ca_file(authority: Authority, directory: Path) -> Path:
    path = directory / "ca.pem"
    path.write_text(ca_text(authority))
    return path


def shown(authority: Authority, directory: Path) -> ClientCertificate:
    authority.serving("bot", directory)
    return ClientCertificate(directory / "bot.pem")


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_certificate_is_shown(service: RawService, authority: Authority, tmp_path: Path, kind: str) -> None:
    mine = shown(authority, tmp_path)
    with asking(
        kind, service.url, BOT, ca_file=ca_file(authority, tmp_path), client_certificate=mine
    ) as client:
        assert client.wallets() == client.wallets() == ()


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_without_one_nothing_is_answered(
    service: RawService, authority: Authority, tmp_path: Path, kind: str
) -> None:
    with (
        asking(kind, service.url, BOT, ca_file=ca_file(authority, tmp_path), retry_seconds=0) as client,
        pytest.raises((NotSentError, ConnectionLostError)),
    ):
        client.wallets()
    assert service.asked == []


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_stranger_is_told_nothing(
    service: RawService, authority: Authority, tmp_path: Path, kind: str
) -> None:
    """Whoever is not known by the authorities that are trusted gets no request, and so no signature and no token."""
    strangers = ca_file(new_authority(), tmp_path)
    with (
        asking(
            kind,
            service.url,
            BOT,
            ca_file=strangers,
            client_certificate=shown(authority, tmp_path),
            retry_seconds=0,
        ) as client,
        pytest.raises(NotSentError, match="ca_file="),
    ):
        client.wallets()
    assert service.asked == []


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_who_names_no_authority_of_their_own_is_told_how(service: RawService, kind: str) -> None:
    with (
        asking(kind, service.url, BOT, retry_seconds=0) as client,
        pytest.raises(NotSentError, match="ca_file="),
    ):
        client.wallets()


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_another_authority_is_no_remedy_for_another_name(
    service: RawService, authority: Authority, tmp_path: Path, kind: str
) -> None:
    url = service.url.replace("localhost", "127.0.0.1")
    assert url != service.url
    with (
        asking(kind, url, BOT, ca_file=ca_file(authority, tmp_path), retry_seconds=0) as client,
        pytest.raises(NotSentError) as caught,
    ):
        client.wallets()
    assert "certificate" in str(caught.value)
    assert "ca_file=" not in str(caught.value)


def test_an_encrypted_key_without_its_passphrase_asks_nobody(tmp_path: Path) -> None:
    """OpenSSL would ask at the terminal."""
    key = ec.generate_private_key(ec.SECP256R1())
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word"))
    path = tmp_path / "encrypted.pem"
    path.write_bytes(secret)
    with pytest.raises(CredentialsError):
        SigningClient("https://localhost", client_certificate=ClientCertificate(path))
