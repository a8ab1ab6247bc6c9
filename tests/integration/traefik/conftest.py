"""One desk behind the real Traefik: callers of every scheme, of whom some have to show a certificate."""

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.adversarial.raw_http import Reply as RawReply
from tests.adversarial.raw_http import read_reply
from tests.certificates import Authority, Certificate
from tests.integration.signed.callers import FROZEN_MS, UNHURRIED, planned_clients, planned_partner
from tests.patience import PATIENCE_SECONDS
from tests.traefik import Traefik, running_traefik
from tests.world import Vector, World, cheap_hash, planned_wallets, running_world, wallet_name
from vaultsigner.dev.installation import EVERY_PERMISSION, PlannedUser

LOOPBACK = ("127.0.0.1/32",)
BOUND, BOUND_PASSWORD = "bound", "only with the certificate"
BOUND_CLIENT = "bot-accent"
"""Of the vectors' clients the one that has to show a certificate; nobody else has to."""


@dataclass(frozen=True)
class Desk:
    """A world, the Traefik in front of it, and certificates that its authority has signed."""

    world: World
    traefik: Traefik
    own: Certificate
    other: Certificate

    def from_elsewhere(self, data: bytes) -> RawReply:
        """One answer to bytes that did not come through Traefik, from an address that is not its own."""
        listen = self.world.installation.settings.server.listen
        with closing(
            socket.create_connection((listen.host, listen.port), PATIENCE_SECONDS, ("127.0.0.9", 0))
        ) as connection:
            connection.sendall(data)
            return read_reply(connection)


@pytest.fixture(scope="session")
def sample(vectors: list[Vector]) -> Vector:
    """A transfer without a memo, on the test network."""
    return next(vector for vector in vectors if vector["id"] == "transfer-001")


def desk(directory: Path, sample: Vector, *, frozen_at_ms: int | None = None) -> Iterator[Desk]:
    """Everything running; with `frozen_at_ms` no certificate is wanted of anybody."""
    clients = Authority(directory / "clients")
    own, other = clients.certificate("bot"), clients.certificate("bot")
    wallets = [wallet.name for wallet in planned_wallets([sample])]
    callers = planned_clients(*wallets)
    user = PlannedUser(
        BOUND,
        BOUND_PASSWORD,
        dict.fromkeys(wallets, EVERY_PERMISSION),
        cheap_hash(BOUND_PASSWORD),
        ("operator", "auditor"),
        certificates=(own.digest,),
    )
    if frozen_at_ms is None:
        callers = tuple(
            replace(caller, certificates=(own.digest,)) if caller.name == BOUND_CLIENT else caller
            for caller in callers
        )
    with running_world(
        directory / "world",
        [sample],
        users=(user,),
        clients=callers,
        partner=planned_partner(),
        rate_limits=UNHURRIED,
        trusted_proxies=LOOPBACK,
        frozen_at_ms=frozen_at_ms,
    ) as world:
        ops = world.installation.settings.server.ops_listen.port
        with running_traefik(
            directory / "traefik",
            world.url,
            ops_port=ops,
            clients=clients,
            client_auth="VerifyClientCertIfGiven",
        ) as traefik:
            yield Desk(world, traefik, own, other)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, sample: Vector) -> Iterator[Desk]:
    """By the machine's clock."""
    yield from desk(tmp_path_factory.mktemp("live"), sample)


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory, sample: Vector) -> Iterator[Desk]:
    """At the time of the vectors."""
    yield from desk(tmp_path_factory.mktemp("frozen"), sample, frozen_at_ms=FROZEN_MS)


@pytest.fixture
def wallet(live: Desk, sample: Vector) -> str:
    """One whose account the node knows."""
    live.world.nodes[sample["network"]].chain.add_account(sample["address"], 1)
    return wallet_name(sample)
