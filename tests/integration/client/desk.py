"""One service with everything in it that the client can ask for, and both clients to be asked in the same words."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.adversarial.desk import PREFIX as BECH32_PREFIX
from tests.adversarial.desk import private_key_wallet
from tests.exchanges import KEYS as EXCHANGE_KEYS
from tests.exchanges import running_exchange
from tests.integration.exchanges.desk import BOTS, ED25519_PAIR, RSA_PAIR
from tests.integration.exchanges.mini_program import (
    ACCESS_KEY_ID,
    APP_ID,
    SECRET,
    MiniProgram,
    running_mini_program,
)
from tests.integration.signed.callers import KEYS, UNHURRIED, planned_partner
from tests.signing_client import HmacKey as TestHmacKey
from tests.world import World, cheap_hash, running_world
from vaultsigner.client import (
    Credentials,
    Ed25519Key,
    HmacKey,
    OpenApiKey,
    PartnerKey,
    Password,
    RsaKey,
)
from vaultsigner.dev.exchange.server import ExchangeServer
from vaultsigner.dev.installation import EVERY_PERMISSION, PlannedClient, PlannedUser
from vaultsigner.dev.planned_exchanges import PlannedExchange, PlannedOpenApiApp

EXCHANGE, APP, WALLET = "binance-main", "mini-app", "wallet_1"
OPEN_API_SECRET = "a secret of an Open API client's, for tests alone"
POLICY = """\
version: 1
groups: {risk: ["user:ann", "user:bob"]}
rules:
  - id: bob-slowly
    effect: allow
    principals: ["user:bob"]
    operations: [freeze.*]
    limits: [{count: 1, every: 3s, per: principal}]
  - {id: chain, effect: allow, operations: [order.*, cancel_order.*, freeze.*, unfreeze.*, vote.*]}
  - id: small
    effect: allow
    operations: [transfer.*]
    when: {amount: {max: "10"}}
    limits: [{sum: amount, max: "1000", every: 1h}]
  - id: large
    effect: allow
    operations: [transfer.*]
    when: {amount: {above: "10"}}
    approvals: {count: 1, of: [group:risk], within: 1h}
  - {id: trade, effect: allow, operations: [exchange.order, exchange.cancel, exchange.amend, exchange.query]}
  - {id: streams, effect: allow, operations: [exchange.user_stream]}
  - {id: withdraw, effect: allow, operations: [exchange.withdraw], approvals: {count: 1, of: [group:risk], within: 1h}}
  - {id: mini, effect: allow, operations: [open_api.*]}
  - {id: no-doge, effect: deny, operations: [exchange.order], when: {symbol: {equals: DOGEUSDT}}}
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that runs."""

    world: World
    server: ExchangeServer
    program: MiniProgram
    wallet_address: str

    @property
    def url(self) -> str:
        """Of the service."""
        return self.world.url


def _bot(name: str) -> Any:
    return BOTS[name]


def _hmac_secret() -> str:
    key = BOTS["hmac"]
    assert isinstance(key, TestHmacKey)
    return key.secret


CALLERS: dict[str, Credentials] = {
    "token": Password("sam-2", "sam-2" * 3),
    "hmac": HmacKey(_bot("hmac").api_key, _hmac_secret()),
    "rsa": RsaKey(_bot("rsa").api_key, RSA_PAIR[0]),
    "ed25519": Ed25519Key(_bot("ed25519").api_key, ED25519_PAIR[0]),
    "open_api": OpenApiKey("test-open-api-client", OPEN_API_SECRET),
}
"""A caller for each scheme; all may do the same."""
NAMES = {
    "token": "sam-2",
    "hmac": "bot-hmac",
    "rsa": "bot-rsa",
    "ed25519": "bot-ed25519",
    "open_api": "bot-open-api",
}
PARTNER = PartnerKey(KEYS["web3_partner"]["private_key"])


def person(name: str) -> Password:
    """A user whose password is their name three times."""
    return Password(name, name * 3)


def _user(name: str, *roles: str) -> PlannedUser:
    every = {WALLET: EVERY_PERMISSION}
    return PlannedUser(
        name, name * 3, every, cheap_hash(name * 3), roles, exchanges=(EXCHANGE,), open_api=(APP,)
    )


def _planned_bots() -> tuple[PlannedClient, ...]:
    common: dict[str, Any] = {"exchanges": (EXCHANGE,), "open_api": (APP,)}
    every = {WALLET: EVERY_PERMISSION}
    return (
        PlannedClient("bot-hmac", _bot("hmac").api_key, "hmac", every, _hmac_secret(), **common),
        PlannedClient("bot-rsa", _bot("rsa").api_key, "rsa", every, public_key=RSA_PAIR[1], **common),
        PlannedClient(
            "bot-ed25519", _bot("ed25519").api_key, "ed25519", every, public_key=ED25519_PAIR[1], **common
        ),
        PlannedClient("bot-open-api", "test-open-api-client", "open_api", every, OPEN_API_SECRET, **common),
    )


@contextmanager
def running_desk(directory: Path) -> Iterator[Desk]:
    """A desk, for as long as the context lasts."""
    wallet = private_key_wallet(WALLET)
    key = EXCHANGE_KEYS["hmac_doc"]
    with running_exchange() as server, running_mini_program() as program:
        program.users["token-1"] = "+41 79 123 45 67"
        with running_world(
            directory,
            [],
            wallets=(wallet,),
            policy=POLICY,
            users=(*map(_user, ("sam-2", "ann", "bob")), _user("olga", "operator"), _user("kim", "auditor")),
            clients=_planned_bots(),
            partner=planned_partner(),
            exchanges=(PlannedExchange(EXCHANGE, server.url, key["api_key"], "hmac", key["secret"]),),
            open_api=(
                PlannedOpenApiApp(APP, APP_ID, ACCESS_KEY_ID, program.url, SECRET, program.private_key),
            ),
            rate_limits=UNHURRIED,
        ) as world:
            address = wallet.address(BECH32_PREFIX)
            world.node.chain.add_account(address, 1)
            yield Desk(world, server, program, address)
