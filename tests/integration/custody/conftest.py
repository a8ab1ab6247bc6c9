"""A custody process with the keys of the vectors, on a real OpenBao."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.integration.custody.custody_process import CustodyProcess, connected, request_for, running_custody
from tests.integration.custody.minting import mint
from tests.patience import PATIENCE_SECONDS
from tests.world import CHEAPEST, PASSWORD, USERNAME, Vector, planned_wallets, wallet_name
from vaultsigner.custody import client as client_module
from vaultsigner.custody.client import CustodyClient
from vaultsigner.custody.protocol import SignBeaconRequest
from vaultsigner.custody.vault import pool as vault_pool
from vaultsigner.dev.installation import (
    EVERY_PERMISSION,
    Installation,
    Plan,
    PlannedClient,
    PlannedUser,
    PlannedWallet,
    install,
)
from vaultsigner.dev.openbao import OpenBao, running_openbao
from vaultsigner.domain.principals import Principal
from vaultsigner.policy import load as load_policies

NODES = {"TESTNET": "http://127.0.0.1:1", "PROD": "http://127.0.0.1:1"}
LIMITED_USER = "kim"
POLICY = """\
version: 1
rules:
  - {id: within-permissions, effect: allow}
  - {id: no-unfreezing, effect: deny, operations: [unfreeze.sign]}
"""


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What of vaultsigner runs in the test's own process gives nothing up because the machine is slow."""
    monkeypatch.setattr(client_module, "ANSWER_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(vault_pool, "CONNECT_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(vault_pool, "ANSWER_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(vault_pool, "AHEAD_SECONDS", PATIENCE_SECONDS)


@cache
def policy_digest() -> str:
    """What a server that has read `POLICY` decides under."""
    with TemporaryDirectory() as directory:
        (Path(directory) / "policy.yml").write_text(POLICY)  # the name that an installation gives it
        return load_policies(Path(directory)).digest


@dataclass(frozen=True, slots=True)
class CustodyWorld:
    """OpenBao, an installation on it, and custody running."""

    openbao: OpenBao
    installation: Installation
    custody: CustodyProcess
    _tokens: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def token_path(self) -> Path:
        """The file with custody's Vault token."""
        return self.installation.token_path

    def request(
        self, vector: Vector, wallet: str | None = None, *, user: str = USERNAME, **changes: Any
    ) -> SignBeaconRequest:
        """The question that makes a vector's signature, from a user with a token of their own.

        Args:
            wallet: another than the vector's.
            changes: members that are replaced.
        """
        if user not in self._tokens:
            self._tokens[user] = mint(self.openbao, self.installation.settings, user)
        changes = {"principal": Principal("user", user), "policy": policy_digest(), **changes}
        return request_for(vector, wallet or wallet_name(vector), self._tokens[user], **changes)


def plan(
    vectors: Sequence[Vector],
    *more: PlannedWallet,
    users: tuple[PlannedUser, ...] = (),
    clients: tuple[PlannedClient, ...] = (),
) -> Plan:
    """The wallets of the vectors; one user who may do everything, and one who may only trade with one wallet."""
    wallets = (*planned_wallets(vectors), *more)
    everything = {wallet.name: EVERY_PERMISSION for wallet in wallets}
    password_hash = CHEAPEST.hash(PASSWORD)
    users = (
        *users,
        PlannedUser(USERNAME, PASSWORD, everything, password_hash),
        PlannedUser(LIMITED_USER, PASSWORD, {wallets[0].name: ("trade",)}, password_hash),
    )
    return Plan(wallets, users, NODES, POLICY, clients=clients)


@contextmanager
def custody_world(
    openbao: OpenBao,
    directory: Path,
    vectors: Sequence[Vector],
    *more: PlannedWallet,
    users: tuple[PlannedUser, ...] = (),
    clients: tuple[PlannedClient, ...] = (),
) -> Iterator[CustodyWorld]:
    """Custody on this OpenBao, with the wallets of these vectors and more wallets, users and clients."""
    installation = install(directory / "vs", openbao, plan(vectors, *more, users=users, clients=clients))
    with running_custody(installation) as custody:
        yield CustodyWorld(openbao, installation, custody)


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory: pytest.TempPathFactory, vectors: list[Vector]) -> Iterator[CustodyWorld]:
    """For tests that leave it as it is."""
    directory = tmp_path_factory.mktemp("custody")
    with (
        running_openbao(directory / "openbao") as openbao,
        custody_world(openbao, directory, vectors) as world,
    ):
        yield world


@pytest.fixture
def own_world(tmp_path: Path, own_openbao: OpenBao, vectors: list[Vector]) -> Iterator[CustodyWorld]:
    """For tests that break something."""
    with custody_world(own_openbao, tmp_path, vectors) as world:
        yield world


@pytest.fixture
async def client(shared_world: CustodyWorld) -> AsyncIterator[CustodyClient]:
    """Connected to the shared world's custody."""
    async with connected(shared_world.custody.socket_path) as connection:
        yield connection


@pytest.fixture(scope="session")
def order(vectors: list[Vector]) -> dict[str, Any]:
    """A vector to sign when any will do; its key is a private_key in Vault, its wallet `wallet_of(order)`."""
    return next(vector for vector in vectors if vector["id"] == "new_order-001")


@pytest.fixture(scope="session")
def wallet(order: dict[str, Any]) -> str:
    """The wallet of `order`."""
    return wallet_name(order)
