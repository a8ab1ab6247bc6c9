"""Log-in by Kubernetes, JWT and TLS certificate on a real OpenBao; and in a namespace of its own."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.adversarial.memory_search import ProcessMemory
from tests.integration.custody.conftest import plan
from tests.integration.custody.custody_process import connected, until_down, until_up
from tests.integration.custody.log_ins import (
    USUAL,
    Drop,
    Issuer,
    approle,
    client_certificate,
    custody_of,
    log_lines,
    logging_in,
    revoke_all,
    tokens_of,
    until_health,
    until_lines,
    write_vault,
)
from tests.integration.custody.token_reviews import Cluster, running_cluster
from tests.integration.custody.vault_with_tls import TlsOpenBao
from tests.world import Vector, wallet_name
from vaultsigner import config
from vaultsigner.cli.log_in_options import LogInOptions
from vaultsigner.cli.vault_admin import OperatorVault, VaultAccessError
from vaultsigner.cli.vault_roles import set_up_log_in, wrapped_secret_id
from vaultsigner.cli.vault_setup import set_up
from vaultsigner.config.vault_settings import AppRoleAuth
from vaultsigner.dev.installation import Installation, install, plant
from vaultsigner.dev.openbao import OpenBao
from vaultsigner.domain.names import WalletName

ACCOUNT = {
    "iss": "kubernetes/serviceaccount",
    "sub": "system:serviceaccount:trading:vaultsigner",
    "kubernetes.io/serviceaccount/namespace": "trading",
    "kubernetes.io/serviceaccount/service-account.name": "vaultsigner",
    "kubernetes.io/serviceaccount/service-account.uid": "uid-1",
}


@dataclass(frozen=True, slots=True)
class Desk:
    """A Vault, an issuer of JWTs, and where they are left for custody."""

    directory: Path
    openbao: OpenBao
    vectors: list[Vector]
    drop: Drop
    issuer: Issuer

    def installation(
        self, auth: Mapping[str, object], options: LogInOptions, *, by_key: bool = True
    ) -> Installation:
        """Custody logs in by the method of `auth`; `by_key`: Vault knows the issuer by its key."""
        if by_key:
            key = self.directory / "issuer.pem"
            key.write_bytes(self.issuer.public_pem)
            options = replace(options, jwt_public_keys=(key,))
        auth = {**auth, "token_file": str(self.drop.path)}
        return logging_in(self.directory / "vs", self.openbao, self.vectors[:1], auth, options)


@pytest.fixture
def desk(tmp_path: Path, own_openbao: OpenBao, vectors: list[Vector]) -> Desk:
    return Desk(tmp_path, own_openbao, vectors, Drop(tmp_path / "jwt"), Issuer())


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[Cluster, Path]]:
    (tmp_path / "cluster").mkdir()
    with running_cluster(tmp_path / "cluster") as running:
        yield running


async def test_a_service_account_logs_in(desk: Desk, cluster: tuple[Cluster, Path], order: Vector) -> None:
    reviews, authority = cluster
    options = replace(
        USUAL,
        service_accounts=("trading/vaultsigner",),
        kubernetes_host=reviews.url,
        kubernetes_ca_cert=authority,
    )
    installation = desk.installation({"method": "kubernetes"}, options, by_key=False)
    with custody_of(desk.openbao, installation) as world:
        async with connected(world.custody.socket_path) as client:
            health = await until_health(client, lambda health: health.vault == "denied")
            assert "cannot be read (No such file" in (health.vault_problem or "")
            other = desk.issuer.jwt(**{**ACCOUNT, "sub": "system:serviceaccount:trading:other"})
            reviews.good[other] = "trading:other"
            desk.drop.put(other)
            health = await until_health(
                client, lambda health: "refuses the log-in" in (health.vault_problem or "")
            )
            assert "by kubernetes" in (health.vault_problem or "")
            good = desk.issuer.jwt(**ACCOUNT)
            reviews.good[good] = "trading:vaultsigner"
            desk.drop.put(good)
            await until_health(client, lambda health: health.vault == "ok" and health.token_ttl_seconds)
            await client.sign_beacon(world.request(order))
        log = world.custody.log.read_text()
    assert good not in log
    assert other not in log


async def test_a_jwt_logs_in_is_read_anew_each_time_and_is_not_left_in_memory(
    desk: Desk, order: Vector
) -> None:
    options = replace(USUAL, bound_subject="desk-1", bound_audiences=("vault",))
    installation = desk.installation({"method": "jwt", "mount": "issuers/desk"}, options)
    first, second = (desk.issuer.jwt(sub="desk-1", aud="vault", number=number) for number in range(2))
    desk.drop.put(first)
    with custody_of(desk.openbao, installation) as world:
        async with connected(world.custody.socket_path) as client:
            await client.sign_beacon(world.request(order))
            desk.drop.put(second)
            world.custody.kill()
            await until_down(client)
            revoke_all(desk.openbao, "issuers/desk")
            world.custody.start()
            await until_up(client)
            await client.sign_beacon(world.request(order))
            await until_lines(world, "logged_in", 2)
            if os.geteuid() == 0:
                needles = {
                    f"jwt {n}": text.rpartition(".")[2].encode() for n, text in enumerate((first, second))
                }
                assert ProcessMemory(world.custody.pid).find(needles) == set()


@pytest.mark.parametrize(
    "claims",
    [{"sub": "desk-2", "aud": "vault"}, {"sub": "desk-1", "aud": "other"}, {"sub": "desk-1", "exp": 1}],
)
async def test_a_jwt_that_is_not_the_roles_is_refused(desk: Desk, claims: dict[str, object]) -> None:
    options = replace(USUAL, bound_subject="desk-1", bound_audiences=("vault",))
    installation = desk.installation({"method": "jwt"}, options)
    desk.drop.put(desk.issuer.jwt(**claims))
    with custody_of(desk.openbao, installation) as world:
        async with connected(world.custody.socket_path) as client:
            health = await until_health(client, lambda health: health.vault == "denied")
    assert "refuses the log-in by jwt" in (health.vault_problem or "")


def test_a_role_that_is_bound_to_nobody_is_not_made(desk: Desk) -> None:
    with pytest.raises(VaultAccessError, match=r"who may log in .* give --bound-subject or --bound-claim"):
        desk.installation({"method": "jwt"}, USUAL)


def test_an_issuers_private_key_does_not_go_to_vault(desk: Desk, tmp_path: Path) -> None:
    _, key = client_certificate(tmp_path)
    options = LogInOptions(period="1h", bound_subject="vaultsigner", jwt_public_keys=(key,))
    with pytest.raises(VaultAccessError, match="holds a private key"):
        desk.installation({"method": "jwt"}, options, by_key=False)


@pytest.fixture
def tls_openbao(tmp_path: Path) -> Iterator[TlsOpenBao]:
    openbao = TlsOpenBao(tmp_path / "tls-openbao")
    try:
        openbao.start()
        yield openbao
    finally:
        openbao.stop()


def by_certificate(
    directory: Path, openbao: TlsOpenBao, vectors: list[Vector], files: tuple[Path, Path]
) -> Installation:
    auth = {"method": "cert", "certificate": str(files[0]), "private_key": str(files[1])}
    authority = str(openbao.authority.certificate)
    return logging_in(directory, openbao, vectors[:1], auth, address=openbao.tls_address, ca_cert=authority)


async def test_a_certificate_logs_in_and_renews(
    tmp_path: Path, tls_openbao: TlsOpenBao, vectors: list[Vector], order: Vector
) -> None:
    """Vault lets only the certificate that logged in renew its token."""
    installation = by_certificate(tmp_path / "vs", tls_openbao, vectors, client_certificate(tmp_path))
    tls_openbao.client.write("auth/cert/certs/vaultsigner", token_period=12)
    with custody_of(tls_openbao, installation) as world:
        async with connected(world.custody.socket_path) as client:
            await client.sign_beacon(world.request(order))
            await until_lines(world, "token_good", 2)
            await client.sign_beacon(world.request(order))
        assert all(line["renewed"] for line in log_lines(world, "token_good"))
        assert len(log_lines(world, "logged_in")) == 1


async def test_a_key_beside_its_certificate_does_not_go_to_vault(
    tmp_path: Path, tls_openbao: TlsOpenBao, vectors: list[Vector], order: Vector
) -> None:
    """One file for both is usual. Whoever may read the role would read the key with it."""
    certificate, key = client_certificate(tmp_path)
    authority, _ = client_certificate(tmp_path, "authority")
    both = tmp_path / "both.pem"
    both.write_text(key.read_text() + certificate.read_text() + authority.read_text())
    installation = by_certificate(tmp_path / "vs", tls_openbao, vectors, (both, both))
    role = tls_openbao.client.read("auth/cert/certs/vaultsigner")["data"]
    assert role["certificate"].strip() == certificate.read_text().strip(), "the one that custody shows, alone"
    with custody_of(tls_openbao, installation) as world:
        async with connected(world.custody.socket_path) as client:
            await client.sign_beacon(world.request(order))


async def test_without_a_certificate_there_is_no_role(
    tmp_path: Path, tls_openbao: TlsOpenBao, vectors: list[Vector]
) -> None:
    _, key = client_certificate(tmp_path)
    with pytest.raises(VaultAccessError, match=r"holds no certificate"):
        by_certificate(tmp_path / "vs", tls_openbao, vectors, (key, key))


async def test_another_certificate_of_the_same_name_is_refused(
    tmp_path: Path, tls_openbao: TlsOpenBao, vectors: list[Vector]
) -> None:
    files = client_certificate(tmp_path)
    installation = by_certificate(tmp_path / "vs", tls_openbao, vectors, files)
    for mine, other in zip(files, client_certificate(tmp_path, "other"), strict=True):
        mine.write_bytes(other.read_bytes())
    with custody_of(tls_openbao, installation) as world:
        async with connected(world.custody.socket_path) as client:
            health = await until_health(client, lambda health: health.vault == "denied")
            assert "refuses the log-in by cert" in (health.vault_problem or "")
            files[1].write_text("no key")
            await until_health(client, lambda health: "they do not fit" in (health.vault_problem or ""))


async def test_in_a_namespace(tmp_path: Path, own_openbao: OpenBao, vectors: list[Vector]) -> None:
    """Wrapped there, looked at there, unwrapped there; and the key is the namespace's own."""
    own_openbao.client.write("sys/namespaces/desk")
    installed = install(tmp_path / "vs", own_openbao, plan(vectors[:1]))
    write_vault(installed.config_file, namespace="desk", auth=approle(tmp_path))
    settings = config.load(installed.config_file, {})
    assert isinstance(settings.vault.auth, AppRoleAuth)
    operator = OperatorVault(own_openbao.address, own_openbao.root_token, namespace="desk")
    list(set_up(operator, settings))
    list(set_up_log_in(operator, settings.vault.auth, USUAL))
    plant(operator, plan(vectors[:1]))
    own_openbao.delete_secret(next(iter(settings.wallets.values())).key.path)
    Drop(tmp_path / "secret-id").put(wrapped_secret_id(operator, settings.vault.auth, "5m"))
    with custody_of(own_openbao, Installation(installed.directory, settings)) as world:
        async with connected(world.custody.socket_path) as client:
            answer = await client.public_key(WalletName(wallet_name(vectors[0])))
            assert answer.address
        assert not tokens_of(own_openbao, "approle"), "it is no token of the root namespace"
        assert log_lines(world, "logged_in")
