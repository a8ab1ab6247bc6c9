"""A whole vaultsigner for tests: its own OpenBao, two nodes, planted keys, the real processes; about a second to start."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import requests
from argon2 import PasswordHasher

from tests.frozen.clock import CLOCK_VARIABLE, NAIVE_VARIABLE, FrozenClock
from tests.nodes import running_beacon_node
from tests.patience import PATIENCE_SECONDS
from tests.signing_client import (
    OpenApiKey,
    Parameters,
    Place,
    Reply,
    SignedCall,
    SigningKey,
    open_api_call,
    send,
    signed_call,
    spelled,
)
from vaultsigner.cli.key_material import KeyMaterial, read_mnemonic, read_private_key
from vaultsigner.config.settings import RateLimit
from vaultsigner.dev.beacon_node import BeaconNode
from vaultsigner.dev.installation import (
    ALLOW_EVERYTHING,
    EVERY_PERMISSION,
    Installation,
    Plan,
    PlannedClient,
    PlannedPartner,
    PlannedUser,
    PlannedWallet,
    install,
)
from vaultsigner.dev.openbao import OpenBao, running_openbao
from vaultsigner.dev.planned_exchanges import PlannedExchange, PlannedOpenApiApp
from vaultsigner.dev.records import Record, read_records
from vaultsigner.dev.service import PRODUCT, Service, running_service

Vector = dict[str, Any]

USERNAME, PASSWORD = "sam", "correct horse battery staple"
CHEAPEST = PasswordHasher(time_cost=5, memory_cost=7168, parallelism=1)  # the least that config.yml accepts
ENVIRONMENTS = {"testnet": "TESTNET", "mainnet": "PROD"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service answered."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def request_id(self) -> str:
        """What the records call the request."""
        return self.headers["X-Request-Id"]


@dataclass(slots=True)
class World:
    """Everything that runs. The wallets are called `<key name>-<network>`, after the vectors."""

    openbao: OpenBao
    nodes: dict[str, BeaconNode]
    installation: Installation
    service: Service
    session: requests.Session
    plan: Plan
    directory: Path
    clock: FrozenClock | None = None
    _tokens: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def url(self) -> str:
        """Of the API."""
        return self.service.url

    @property
    def node(self) -> BeaconNode:
        """The test network's."""
        return self.nodes["testnet"]

    def token(self, username: str = USERNAME, password: str = PASSWORD) -> str:
        """An access token; one log-in a user serves the whole world."""
        if username not in self._tokens:
            body = {"username": username, "password": password}
            self._tokens[username] = self.ask("POST", "/api/auth/login", body, token=None).body[
                "access_token"
            ]
        return self._tokens[username]

    def post(self, path: str, body: object) -> Answer:
        """POST as the default user."""
        return self.ask("POST", path, body, token=self.token())

    def get(self, path: str) -> Answer:
        """GET as the default user."""
        return self.ask("GET", path, None, token=self.token())

    def ask(self, method: str, path: str, body: object, *, token: str | None) -> Answer:
        """Any request with a JSON body, or none."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        response = self.session.request(
            method, f"{self.url}{path}", headers=headers, timeout=PATIENCE_SECONDS, json=body
        )
        return Answer(response.status_code, response.json(), response.headers)

    def signed(
        self,
        key: SigningKey,
        method: str,
        path: str,
        parameters: Parameters = (),
        *,
        document: object = None,
        place: Place = "query",
        timestamp_ms: int | None = None,
        recv_window_ms: int | None = None,
    ) -> Reply:
        """A request that its client signed, at the world's time unless another is given."""
        moment = self.clock.milliseconds() if self.clock and timestamp_ms is None else timestamp_ms
        call = signed_call(
            key,
            method,
            path,
            parameters,
            document=document,
            place=place,
            timestamp_ms=moment,
            recv_window_ms=recv_window_ms,
        )
        return self.send(call)

    def with_open_api_token(
        self,
        key: OpenApiKey,
        method: str,
        path: str,
        parameters: Parameters = (),
        *,
        document: object = None,
        ts: int | None = None,
    ) -> Reply:
        """A request with an Open API token, of the world's time unless another is given."""
        moment = self.clock.milliseconds() // 1000 if self.clock and ts is None else ts
        return self.send(open_api_call(key, method, path, spelled(parameters), document=document, ts=moment))

    def send(self, call: SignedCall, *, service: Service | None = None, source: str = "127.0.0.1") -> Reply:
        """A request just as it is, to the first service or another, from any loopback address."""
        return send((service or self.service).url, call, source=source)

    @contextmanager
    def second_service(
        self, name: str = "second", *, naive: bool = False, **changes: Any
    ) -> Iterator[Service]:
        """Another installation that shares Vault, the state and the audit directory, each process writing its own chain.

        Args:
            name: of its directory.
            naive: it remembers nonces in its own memory alone.
            changes: what is different in its plan.
        """
        plan = replace(
            self.plan,
            **{
                "listen_port": 0,
                "state_url": self.installation.settings.state_url,
                "audit_directory": self.installation.audit_directory,
                **changes,
            },
        )
        installation = install(self.directory / name, self.openbao, plan, planting=False)
        environment, program = _program(self.clock, naive)
        with running_service(installation, environment, program) as service:
            yield service

    def records(self, request_id: str | None = None) -> list[Record]:
        """The audit records, all or one request's; the chain is checked on the way."""
        records = read_records(self.installation.audit_directory)
        return [record for record in records if request_id in (None, record.get("request_id"))]

    def place(self, vector: Vector) -> str:
        """Give a vector's account its number and sequence on the node, tell vaultsigner, and name the wallet."""
        self.nodes[vector["network"]].chain.add_account(
            vector["address"], vector["account_number"], vector["sequence"]
        )
        wallet = wallet_name(vector)
        answer = self.post("/api/wallet/resync", {"wallet_name": wallet})
        assert answer.status == 200, answer
        return wallet


def wallet_name(vector: Vector) -> str:
    """The wallet that holds a vector's key, in the environment of its network."""
    return f"{vector['key_name']}-{vector['network']}"


def planned_wallets(vectors: Sequence[Vector]) -> tuple[PlannedWallet, ...]:
    """A wallet for each key and network in the vectors; from the mnemonic where the key has one on our path."""
    wallets = {}
    for vector in vectors:
        name = wallet_name(vector)
        wallets[name] = PlannedWallet(name, _material(vector), ENVIRONMENTS[vector["network"]])
    return tuple(wallets.values())


def _material(vector: Vector) -> KeyMaterial:
    derived = vector["mnemonic"] and vector["hd_path"] == "44'/714'/0'/0/0" and not vector["passphrase"]
    return read_mnemonic(vector["mnemonic"]) if derived else read_private_key(vector["private_key"])


@contextmanager
def running_world(
    directory: Path,
    vectors: Sequence[Vector],
    *,
    users: tuple[PlannedUser, ...] = (),
    wallets: tuple[PlannedWallet, ...] = (),
    policy: str = ALLOW_EVERYTHING,
    durable_vault: bool = False,
    audited_vault: bool = False,
    clients: tuple[PlannedClient, ...] = (),
    partner: PlannedPartner | None = None,
    exchanges: tuple[PlannedExchange, ...] = (),
    open_api: tuple[PlannedOpenApiApp, ...] = (),
    rate_limits: Mapping[str, RateLimit] | None = None,
    state_url: str | None = None,
    frozen_at_ms: int | None = None,
    naive: bool = False,
    audit: Mapping[str, object] | None = None,
    trusted_proxies: tuple[str, ...] = (),
) -> Iterator[World]:
    """A world whose default user may do everything with the vectors' wallets.

    Args:
        users, wallets: further ones.
        policy: the text of the one policy file.
        durable_vault: OpenBao survives a restart; starting it takes two seconds longer.
        audited_vault: OpenBao writes its own audit log.
        clients, partner: callers that sign their requests.
        exchanges, open_api: accounts elsewhere, which callers' plans name.
        rate_limits: those that are not as usual.
        state_url: None: SQLite in the world's own directory.
        frozen_at_ms: the service's time stands still there, and goes where `World.clock` is set.
        naive: nonces are remembered by each server process for itself; needs the frozen clock.
        audit: more of that section of config.yml.
        trusted_proxies: whose word on addresses and certificates counts.
    """
    wallets = planned_wallets(vectors) + wallets
    with ExitStack() as stack:
        openbao = stack.enter_context(
            running_openbao(directory / "openbao", durable=durable_vault, audited=audited_vault)
        )
        nodes = {
            "testnet": stack.enter_context(running_beacon_node()),
            "mainnet": stack.enter_context(
                running_beacon_node(chain_id="Binance-Chain-Tigris", address_prefix="bnb")
            ),
        }
        plan = Plan(
            wallets=wallets,
            users=(_default_user(wallets), *users),
            nodes={ENVIRONMENTS[network]: node.url for network, node in nodes.items()},
            policy=policy,
            clients=clients,
            partner=partner,
            exchanges=exchanges,
            open_api=open_api,
            rate_limits=rate_limits or {},
            state_url=state_url,
            audit=audit or {},
            trusted_proxies=trusted_proxies,
        )
        clock = _frozen_clock(directory, frozen_at_ms)
        installation = install(directory / "vaultsigner", openbao, plan)
        service = stack.enter_context(running_service(installation, *_program(clock, naive)))
        session = stack.enter_context(requests.Session())
        session.trust_env = False
        yield World(openbao, nodes, installation, service, session, plan, directory, clock)


def _frozen_clock(directory: Path, frozen_at_ms: int | None) -> FrozenClock | None:
    if frozen_at_ms is None:
        return None
    clock = FrozenClock(directory / "clock")
    clock.set(frozen_at_ms)
    return clock


def _program(clock: FrozenClock | None, naive: bool) -> tuple[dict[str, str], tuple[str, ...]]:
    """What to start, and the environment that tells it the time: the product itself where the clock is the machine's."""
    if clock is None:
        assert not naive
        return {}, PRODUCT
    environment = {CLOCK_VARIABLE: str(clock.file), **({NAIVE_VARIABLE: "yes"} if naive else {})}
    return environment, ("-m", "tests.frozen")


def _default_user(wallets: Sequence[PlannedWallet]) -> PlannedUser:
    permissions = {wallet.name: EVERY_PERMISSION for wallet in wallets}
    return PlannedUser(USERNAME, PASSWORD, permissions, cheap_hash(PASSWORD))


def cheap_hash(password: str) -> str:
    """A password hash that costs milliseconds."""
    return CHEAPEST.hash(password, salt=hashlib.sha256(password.encode()).digest()[:16])
