"""Keys over TLS: only from a Vault that proves who it is, and without a plaintext copy in OpenSSL's memory."""

import asyncio
import datetime
import json
import os
import ssl
import sys
from asyncio.subprocess import PIPE
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.adversarial.memory_search import ProcessMemory, forms_of_key
from tests.integration.custody.conftest import plan, policy_digest
from tests.integration.custody.custody_process import connected, request_for, running_custody
from tests.integration.custody.fake_vault import KEY, Conversation, answer, fake_vault
from tests.integration.custody.minting import mint
from tests.world import USERNAME, Vector, wallet_name
from vaultsigner.config.vault_settings import TokenFileAuth, VaultSettings
from vaultsigner.custody.vault import pool as vault_pool
from vaultsigner.custody.vault.calls import check_reachable
from vaultsigner.custody.vault.endpoint import endpoint_of
from vaultsigner.custody.vault_token.token_file import VaultToken
from vaultsigner.dev.installation import install
from vaultsigner.dev.openbao import OpenBao
from vaultsigner.errors import CustodyError

ROOT = Path(__file__).parents[3]


class Authority:
    """A certificate authority with one server."""

    def __init__(self, directory: Path, *names: str) -> None:
        self.certificate = directory / "ca.pem"
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives: list[x509.GeneralName] = []
        for name in names:
            is_address = name[0].isdigit()
            alternatives.append(x509.IPAddress(ip_address(name)) if is_address else x509.DNSName(name))
        now = datetime.datetime.now(datetime.UTC)
        name_of_both = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vault of a test")])
        usage = x509.KeyUsage(True, False, False, False, False, True, False, False, False)
        certificate = (
            x509.CertificateBuilder(name_of_both, name_of_both, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (directory / "server.pem").write_bytes(private + self.certificate.read_bytes())
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.load_cert_chain(directory / "server.pem")


async def honest(vault: Conversation) -> None:
    while True:
        await vault.request()
        await vault.send(answer())


async def test_the_authority_in_the_configuration_is_trusted(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "127.0.0.1")
    async with fake_vault(honest, tmp_path, tls=authority.server, ca_cert=authority.certificate) as vault:
        assert await asyncio.gather(*(vault.read() for _ in range(200))) == [KEY] * 200


@pytest.mark.parametrize("names", [("vault.example",), ("127.0.0.2",)])
async def test_a_certificate_for_another_name_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    authority = Authority(tmp_path, *names)
    async with fake_vault(honest, tmp_path, tls=authority.server, ca_cert=authority.certificate) as vault:
        with pytest.raises(CustodyError, match="certificate is not accepted") as caught:
            await vault.read()
        assert caught.value.code == "vault_unavailable"


async def test_an_authority_that_nobody_named_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "127.0.0.1")
    async with fake_vault(honest, tmp_path, tls=authority.server) as vault:
        with pytest.raises(CustodyError, match=r"check vault\.address and vault\.ca_cert"):
            await vault.read()


async def test_plain_http_where_tls_was_asked_for_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vault_pool, "CONNECT_SECONDS", 0.3)
    seen = []

    async def plain(vault: Conversation) -> None:
        seen.append(await vault.request())
        await vault.send(answer())

    authority = Authority(tmp_path, "127.0.0.1")
    async with fake_vault(plain, tmp_path, scheme="https", ca_cert=authority.certificate) as vault:
        with pytest.raises(CustodyError) as caught:
            await vault.read()
        assert caught.value.code == "vault_unavailable"
    assert not any(b"s.token" in request for request in seen)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may read another process's memory")
async def test_no_key_is_left_after_tls_even_without_the_poisoning_allocator(tmp_path: Path) -> None:
    """OpenSSL is told to wipe what it decrypted; custody's allocator would hide it if that went missing."""
    authority = Authority(tmp_path, "127.0.0.1")
    async with fake_vault(honest, tmp_path, tls=authority.server, ca_cert=authority.certificate) as vault:
        command = [sys.executable, "-m", "tests.integration.custody.raw_reading", vault.address]
        process = await asyncio.create_subprocess_exec(
            *command, str(authority.certificate), str(tmp_path / "token"), cwd=ROOT, stdin=PIPE, stdout=PIPE
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"done\n"
        forms = forms_of_key("key", bytes.fromhex(KEY))
        found = await asyncio.to_thread(ProcessMemory(process.pid).find, forms)
        await process.communicate(b"")
        assert found == set()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may read another process's memory")
async def test_no_key_is_left_in_custody_after_tls(
    own_openbao: OpenBao, tmp_path: Path, vectors: list[Vector], order: Vector
) -> None:
    installation = install(tmp_path / "vs", own_openbao, plan(vectors[:1]))
    token = mint(own_openbao, installation.settings, USERNAME)
    keys = json.dumps(
        own_openbao.client.secrets.transit.read_key("access-tokens", mount_point="transit")
    ).encode()

    async def vault_with_the_key(vault: Conversation) -> None:
        while True:
            await vault.send(answer(keys) if b"/transit/keys/" in await vault.request() else answer())

    assert order["private_key"] == KEY
    authority = Authority(tmp_path, "127.0.0.1")
    async with fake_vault(
        vault_with_the_key, tmp_path, tls=authority.server, ca_cert=authority.certificate
    ) as vault:
        environment = {"VAULT_ADDR": vault.address, "VAULTSIGNER_VAULT__CA_CERT": str(authority.certificate)}
        with running_custody(installation, **environment) as custody:
            request = request_for(order, wallet_name(order), token, policy=policy_digest())
            async with connected(custody.socket_path) as client:
                for _ in range(10):
                    answers = await asyncio.gather(*(client.sign_beacon(request) for _ in range(5)))
                    assert {each.signature.hex() for each in answers} == {order["signature"]}
                memory = ProcessMemory(custody.pid)
                assert await asyncio.to_thread(memory.find, forms_of_key("key", bytes.fromhex(KEY))) == set()


async def test_a_vault_without_tls_is_told_so(openbao: OpenBao) -> None:
    address = openbao.address.replace("http://", "https://")
    settings = VaultSettings(address, TokenFileAuth(Path("no-token")))
    pool = vault_pool.VaultPool(endpoint_of(settings), VaultToken(None, Path("no-token")))
    try:
        with pytest.raises(CustodyError, match=r"speaks no TLS there; is vault\.address http"):
            await check_reachable(pool)
    finally:
        pool.close()
