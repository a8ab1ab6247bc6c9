"""A desk that serves every route, everybody who may ask there, and for each route a request that is served."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_plus, urlencode

from tests.adversarial.desk import RECEIVER, private_key_wallet, running_desk, transfer
from tests.exchanges import KEYS as EXCHANGE_KEYS
from tests.exchanges import running_exchange
from tests.integration.exchanges.mini_program import (
    ACCESS_KEY_ID,
    APP_ID,
    SECRET,
    MiniProgram,
    running_mini_program,
)
from tests.integration.signed.callers import (
    ED25519,
    HMAC,
    OPEN_API,
    PARTNER,
    PREFIX,
    RSA,
    UNHURRIED,
    planned_clients,
    planned_partner,
)
from tests.signing_client import (
    API_KEY_HEADER,
    OPEN_API_HEADER,
    PARTNER_HEADER,
    HmacKey,
    SignedCall,
    SigningKey,
    now_ms,
    open_api_token,
)
from tests.world import World, cheap_hash
from vaultsigner.dev.installation import EVERY_PERMISSION, PlannedClient, PlannedUser
from vaultsigner.dev.planned_exchanges import PlannedExchange, PlannedOpenApiApp
from vaultsigner.server.partner_routes import partner_routes
from vaultsigner.server.route import Route
from vaultsigner.server.routes import ROUTES

WALLET, EXCHANGE, APP, SPARE = "wallet_1", "binance-main", "mini-app", "spare"
"""As the examples of the documents call them."""
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
EVERY_ROUTE: tuple[Route, ...] = (*ROUTES, *partner_routes(PREFIX))
APPROVED_ALONE, MOST_ASKED = 100_000_000_000, 20
"""A transfer of more units has to be approved; see `Desk.waiting`."""
POLICY = """\
version: 1
rules:
  - id: small
    effect: allow
    when: {amount: {max: "1000"}}
    operations: [transfer.*]
  - id: large
    effect: allow
    operations: [transfer.*]
    when: {amount: {above: "1000"}}
    approvals: {count: 1, of: ["user:olga"], within: 1h}
  - id: all-else
    effect: allow
    operations: ["order.*", "cancel_order.*", "freeze.*", "unfreeze.*", "vote.*", "open_api.*", "exchange.*"]
  - id: streams
    effect: allow
    operations: [exchange.user_stream]
"""
USERS: Mapping[str, tuple[str, ...]] = {"tim": (), "olga": ("operator",), "ann": ("auditor",)}
GOOD_SIGNERS: Mapping[str, SigningKey] = {"hmac": HMAC, "rsa": RSA, "ed25519": ED25519}
SIGNERS = {
    **GOOD_SIGNERS,
    "bad signature": HmacKey(HMAC.api_key, "not the secret"),
    "stranger": HmacKey("an-API-key-that-nobody-has", "not the secret"),
}
BAD_HEADERS = {
    "bad token": ("Authorization", "Bearer a.b.c"),
    "API key alone": (API_KEY_HEADER, HMAC.api_key),
}
GOOD = (*USERS, *GOOD_SIGNERS, "open_api")
EVERYBODY = (*GOOD, "partner", "nobody", "bad signature", "stranger", *BAD_HEADERS)


@dataclass(frozen=True)
class Desk:
    """Everything that runs."""

    world: World
    program: MiniProgram
    _waiting: list[str] = field(default_factory=list)

    def dressed(self, call: SignedCall, who: str) -> SignedCall:
        """A call with somebody's credentials; what it holds stays as it is, and a signature covers it."""
        if who in USERS:
            return _with(call, "Authorization", f"Bearer {self.world.token(who, who * 3)}")
        if who in SIGNERS:
            return _signed(call, SIGNERS[who])
        if who == "open_api":
            token = open_api_token(OPEN_API, call.method, call.path, call.query, call.body)
            return _with(call, OPEN_API_HEADER, token)
        if who == "partner":
            return _for_partner(call)
        return _with(call, *BAD_HEADERS[who]) if who in BAD_HEADERS else call

    def waiting(self) -> str:
        """The id of a request that waits for olga: another one each time, at first."""
        if len(self._waiting) < MOST_ASKED:
            units = APPROVED_ALONE + 1 + len(self._waiting)
            asked = self.world.ask("POST", "/api/transfer/sign", transfer(WALLET, units), token=self._tim())
            assert asked.status == 202, asked.body
            self._waiting.append(asked.body["approval"]["id"])
        return self._waiting[-1]

    def suspend(self, **named: str) -> None:
        """By olga."""
        token = self.world.token("olga", "olga" * 3)
        body = {**named, "reason": "drill"}
        assert self.world.ask("POST", "/api/suspensions", body, token=token).status == 200

    def resume_everything(self) -> None:
        """Whatever a request may have suspended."""
        token = self.world.token("olga", "olga" * 3)
        for each in self.world.ask("GET", "/api/suspensions", None, token=token).body["suspensions"]:
            where = "all" if each["kind"] == "all" else f"{each['kind']}/{each['name']}"
            assert self.world.ask("DELETE", f"/api/suspensions/{where}", None, token=token).status == 200

    def own_chain(self) -> str:
        """Where a record can be looked up."""
        return str(self.world.records()[-1]["chain"])

    def _tim(self) -> str:
        return self.world.token("tim", "tim" * 3)


@dataclass(frozen=True)
class Served:
    """A request that is served.

    Args:
        who: asks for it.
        document: the JSON body; None: there is none.
        variables, query: of the path, and behind it.
    """

    route: Route
    who: str
    variables: Mapping[str, str]
    query: Mapping[str, str]
    document: Any = None

    def call(
        self,
        *,
        variables: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        document: Any = None,
    ) -> SignedCall:
        """As it is, or with something else in one place. Nobody's credentials are on it yet."""
        path = self.route.paths[0]
        for name, value in {**self.variables, **(variables or {})}.items():
            safe = "/" if self.route.documentation.variables[name].rest and not variables else ""
            path = path.replace(f"{{{name}}}", quote(value, safe=safe))
        document = self.document if document is None else document
        text = urlencode(self.query if query is None else query, quote_via=quote, safe="")
        body = b"" if document is None else json.dumps(document).encode()
        headers = {"Content-Type": JSON} if body else {}
        return SignedCall(self.route.method, path, text, headers, body)


def served(desk: Desk, route: Route) -> Served:
    """What the document shows of a route, with this desk's own names where the example's would not be served."""
    documentation = route.documentation
    operation = str(route.operation)
    variables = {name: variable.example for name, variable in documentation.variables.items()}
    query = {name: each.example for name, each in documentation.query.items() if not each.optional}
    document: Any = next(iter(documentation.examples.values()), None)
    who = "partner" if operation.startswith("partner.") else "tim"
    match operation.partition(".")[0]:
        case "audit" | "limit":
            who = "ann"
        case "suspension" | "policy":
            who = "olga"
    match operation:
        case "auth.login":
            document = {"username": "tim", "password": "tim" * 3}
        case "exchange.forward":
            variables["path"], query = FORWARDED[route.method]
            who = "hmac"
        case "open_api.decrypt":
            document = {"data": desk.program.encrypted("what a user shares")}
        case "approval.read" | "approval.approve" | "approval.reject":
            variables["id"], who = desk.waiting(), "olga"
        case "suspension.suspend":
            document = {"kind": "client", "name": SPARE, "reason": "drill"}
        case "suspension.resume":
            variables = {"kind": "client", "name": SPARE}
            desk.suspend(kind="client", name=SPARE)
        case "suspension.resume_all":
            desk.suspend(kind="all")
        case "audit.record":
            variables = {"chain": desk.own_chain(), "seq": "1"}
        case "partner.task_completion":
            query = {"walletAddress": RECEIVER, "task": '["deposit"]'}
    return Served(route, who, variables, query, document)


FORWARDED = {
    "GET": ("api/v3/account", {"omitZeroBalances": "true"}),
    "POST": (
        "api/v3/order",
        {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
        | {"price": "60000", "newClientOrderId": "mine-1"},
    ),
    "PUT": ("api/v3/userDataStream", {"listenKey": "a-key-that-listens-to-everything-0123456789"}),
    "DELETE": ("api/v3/order", {"symbol": "BTCUSDT", "orderId": "1"}),
}
"""What is asked at the exchange, by method."""


@contextmanager
def running_everything(
    directory: Path, *, policy: str = POLICY, audit: Mapping[str, object] | None = None
) -> Iterator[Desk]:
    """The desk, for as long as the context lasts.

    Args:
        policy: another one.
        audit: as for `running_world`.
    """
    with ExitStack() as stack:
        exchange = stack.enter_context(running_exchange())
        program = stack.enter_context(running_mini_program())
        key = EXCHANGE_KEYS["hmac_doc"]
        users = tuple(
            PlannedUser(
                name,
                name * 3,
                {WALLET: EVERY_PERMISSION},
                cheap_hash(name * 3),
                roles,
                exchanges=(EXCHANGE,),
                open_api=(APP,),
            )
            for name, roles in USERS.items()
        )
        world = stack.enter_context(
            running_desk(
                directory,
                private_key_wallet(WALLET),
                policy=policy,
                audit=audit,
                users=users,
                clients=(
                    *(
                        replace(each, exchanges=(EXCHANGE,), open_api=(APP,))
                        for each in planned_clients(WALLET)
                    ),
                    PlannedClient(SPARE, "vs_spare", "hmac", {}, "a secret that nobody uses"),
                ),
                partner=planned_partner(),
                exchanges=(PlannedExchange(EXCHANGE, exchange.url, key["api_key"], "hmac", key["secret"]),),
                open_api=(
                    PlannedOpenApiApp(APP, APP_ID, ACCESS_KEY_ID, program.url, SECRET, program.private_key),
                ),
                rate_limits=UNHURRIED,
            )
        )
        program.users["8f1c2d3e4f5a6b7c"] = "what a user shares"
        yield Desk(world, program)


def _with(call: SignedCall, name: str, value: str) -> SignedCall:
    return replace(call, headers={**call.headers, name: value})


def _signed(call: SignedCall, key: SigningKey) -> SignedCall:
    """Where the body is a form, parameters and signature stand there."""
    timing = f"recvWindow=5000&timestamp={now_ms()}"
    form = call.headers.get("Content-Type") == FORM
    text = call.body.decode("latin-1") if form else call.query
    text = f"{text}&{timing}" if text else timing
    covered = text.encode("latin-1") + (b"" if form else call.body)
    text = f"{text}&signature={quote(key.sign(covered), safe='')}"
    call = _with(call, API_KEY_HEADER, key.api_key)
    return replace(call, body=text.encode("latin-1")) if form else replace(call, query=text)


def _for_partner(call: SignedCall) -> SignedCall:
    form = call.headers.get("Content-Type") == FORM
    text = call.body.decode("latin-1") if form else call.query
    text = f"{text}&timestamp={now_ms()}" if text else f"timestamp={now_ms()}"
    call = _with(call, PARTNER_HEADER, PARTNER.sign(unquote_plus(text).encode()))
    return replace(call, body=text.encode("latin-1")) if form else replace(call, query=text)
