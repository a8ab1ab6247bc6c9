"""A desk with bots, an exchange stand-in, and vaultsigner between them: the real processes, a real OpenBao."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.exchanges import KEYS as EXCHANGE_KEYS
from tests.exchanges import running_exchange
from tests.integration.signed.callers import UNHURRIED
from tests.signing_client import (
    Ed25519Key,
    HmacKey,
    Parameters,
    Place,
    Reply,
    RsaKey,
    SignedCall,
    SigningKey,
    signed_call,
)
from tests.world import World, running_world
from vaultsigner.config.settings import ExchangeScheme, RateLimit
from vaultsigner.dev.exchange.exchange import Exchange
from vaultsigner.dev.exchange.faults import Fault
from vaultsigner.dev.exchange.server import ExchangeServer
from vaultsigner.dev.installation import PlannedClient, PlannedUser
from vaultsigner.dev.planned_exchanges import PlannedExchange
from vaultsigner.dev.records import Record
from vaultsigner.formats.exchange.requests import Method

MAIN, IN_KV = "main", "kv"
EVERY = ("hmac", "rsa", "ed25519")


def _pem(key: RSAPrivateKey | Ed25519PrivateKey) -> tuple[str, str]:
    """Private and public half."""
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


RSA_PAIR = _pem(generate_private_key(65537, 2048))
ED25519_PAIR = _pem(Ed25519PrivateKey.generate())
HMAC = HmacKey("vs_test_hmac", "a secret of the bot's, for tests alone")
BOTS: dict[str, SigningKey] = {
    "hmac": HMAC,
    "rsa": RsaKey("vs_test_rsa", RSA_PAIR[0]),
    "ed25519": Ed25519Key("vs_test_ed25519", ED25519_PAIR[0]),
}
"""The bots' own keys: config.yml takes none that is an exchange's."""
ONLY_MAIN = HmacKey("vs_test_only_main", "a secret of another bot's, for tests alone")
"""May use main-hmac alone."""
NAMES = {"hmac": "bot-hmac", "rsa": "bot-rsa", "ed25519": "bot-ed25519"}
EXCHANGE_KEY = {"hmac": "hmac_doc", "rsa": "rsa_test", "ed25519": "ed25519_test"}
ORDER = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "60000",
}
POLICY = """\
version: 1
lists:
  cold: [TColdWallet]
groups:
  bots: ["client:bot-hmac", "client:bot-rsa", "client:bot-ed25519"]
rules:
  - id: trade
    effect: allow
    operations: [exchange.order, exchange.cancel, exchange.amend, exchange.query]
  - id: streams
    effect: allow
    operations: [exchange.user_stream]
  - id: withdraw-to-cold
    effect: allow
    principals: ["client:bot-rsa"]
    operations: [exchange.withdraw]
    when: {address: {in: $cold}, coin: {equals: BTC}}
  - id: no-doge
    effect: deny
    operations: [exchange.order, exchange.amend]
    when: {symbol: {equals: DOGEUSDT}}
  - id: large
    effect: allow
    principals: ["client:bot-ed25519"]
    operations: [exchange.withdraw]
    when: {coin: {equals: ETH}}
    approvals: {count: 1, of: ["user:ann"], within: 1h}
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that runs, and how a bot asks."""

    world: World
    server: ExchangeServer

    @property
    def exchange(self) -> Exchange:
        """The one that is asked."""
        return self.server.exchange

    def arm(self, endpoint: str, *faults: Fault) -> None:
        """What goes wrong next."""
        self.server.faults.arm(endpoint, *faults)

    def call(
        self,
        method: Method,
        path: str,
        parameters: Parameters = (),
        *,
        bot: str = "hmac",
        at: str = "main-hmac",
        place: Place = "query",
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Reply:
        """What a bot asks an exchange through vaultsigner, signed with its own key."""
        whole = f"/exchange/{at}{path}"
        call = signed_call(BOTS[bot], method, whole, parameters, place=place, **more)
        return self.world.send(
            SignedCall(call.method, call.path, call.query, {**call.headers, **(headers or {})}, call.body)
        )

    def unsigned(self, method: str, path: str, *, api_key: str | None = None, at: str = "main-hmac") -> Reply:
        """What nobody signed."""
        headers = {} if api_key is None else {"X-MBX-APIKEY": api_key}
        place, _, query = path.partition("?")
        return self.world.send(SignedCall(method, f"/exchange/{at}{place}", query, headers))

    def records(self, reply: Reply, kind: str | None = None) -> list[Record]:
        """What the record has of a request."""
        return [each for each in self.world.records(reply.request_id) if kind in (None, each["kind"])]


def planned_exchanges(url: str) -> tuple[PlannedExchange, ...]:
    """An account of every scheme, once with its secret in Transit, once in KV; all of them are the desk's."""
    found = []
    for scheme in EVERY:
        key = EXCHANGE_KEYS[EXCHANGE_KEY[scheme]]
        secret = key.get("secret") or key["private_key"]
        for name, transit in ((MAIN, True), (IN_KV, False)):
            found.append(
                PlannedExchange(
                    f"{name}-{scheme}", url, key["api_key"], _scheme(scheme), secret, transit=transit
                )
            )
    return tuple(found)


def planned_bots(exchanges: tuple[str, ...]) -> tuple[PlannedClient, ...]:
    """A client of every scheme."""
    return (
        PlannedClient(
            "bot-only-main", ONLY_MAIN.api_key, "hmac", {}, ONLY_MAIN.secret, exchanges=("main-hmac",)
        ),
        PlannedClient(NAMES["hmac"], HMAC.api_key, "hmac", {}, HMAC.secret, exchanges=exchanges),
        PlannedClient(
            NAMES["rsa"], BOTS["rsa"].api_key, "rsa", {}, public_key=RSA_PAIR[1], exchanges=exchanges
        ),
        PlannedClient(
            NAMES["ed25519"],
            BOTS["ed25519"].api_key,
            "ed25519",
            {},
            public_key=ED25519_PAIR[1],
            exchanges=exchanges,
        ),
    )


@contextmanager
def running_desk(
    directory: Path,
    *,
    policy: str = POLICY,
    rate_limits: Mapping[str, RateLimit] | None = None,
) -> Iterator[Desk]:
    """A desk, for as long as the context lasts."""
    with running_exchange() as server:
        exchanges = planned_exchanges(server.url)
        names = tuple(each.name for each in exchanges)
        with running_world(
            directory,
            [],
            policy=policy,
            users=(
                PlannedUser("ann", "ann's own password", {}, exchanges=()),
                PlannedUser("tim", "tim's own password", {}, exchanges=names),
                PlannedUser("olga", "olga's own password", {}, roles=("operator",)),
            ),
            clients=planned_bots(names),
            exchanges=exchanges,
            rate_limits={**UNHURRIED, **(rate_limits or {})},
        ) as world:
            yield Desk(world, server)


def _scheme(text: str) -> ExchangeScheme:
    return next(scheme for scheme in ("hmac", "rsa", "ed25519") if scheme == text)
