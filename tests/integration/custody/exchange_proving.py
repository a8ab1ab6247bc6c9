"""`proving`, with exchanges of each scheme and an app of the Open API, whose secrets lie in the test's own Vault."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.integration.custody.proving import EVERYBODY, HMAC, IP, Proving, proving
from tests.signing_client import Parameters, Place, SignedCall, SigningKey, sign_text, signed_call
from vaultsigner.config.settings import Exchange, ExchangeScheme, KvReference, OpenApiApp, Settings
from vaultsigner.custody.protocol import (
    AuthenticateRequest,
    ExchangeSignature,
    OpenApiDecryptRequest,
    OpenApiTokenRequest,
    Proof,
    SignExchangeRequest,
    read_forwarded,
)
from vaultsigner.domain.names import ExchangeName, Operation, RequestId
from vaultsigner.domain.paths import forwarded_place
from vaultsigner.domain.principals import Principal
from vaultsigner.formats.exchange.requests import ExchangeRequest
from vaultsigner.formats.open_api.calls import OpenApiCall
from vaultsigner.policy import PolicySet, Rule
from vaultsigner.policy.rules import OPERATIONS

BINANCE_KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
BINANCE_SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
BINANCE_ORDER = (
    *(("symbol", "LTCBTC"), ("side", "BUY"), ("type", "LIMIT"), ("timeInForce", "GTC")),
    *(("quantity", "1"), ("price", "0.1")),
)
BINANCE_TIME_MS = 1_499_827_319_559
BINANCE_PAYLOAD = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
BINANCE_SIGNATURE = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"

EDWARDS = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"an exchange's key").digest())
MODULAR = generate_private_key(65537, 2048)
MINI_APP = OpenApiApp(
    "mini-app",
    "heldoutApp01",
    "access-key-1",
    "https://127.0.0.1:1",
    KvReference("secret", "open-api/mini-app", "secret_key"),
    KvReference("secret", "open-api/mini-app", "private_key"),
)
APP_SECRET = "test secret of the mini-app, long enough"
ORDER_PATH = "/exchange/spot/api/v3/order"


def pem(key: RSAPrivateKey | Ed25519PrivateKey) -> str:
    """As an exchange gives it out."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def exchange(name: str, scheme: ExchangeScheme) -> Exchange:
    """One whose secret lies in KV."""
    reference = KvReference("secret", f"exchanges/{name}", "secret")
    return Exchange(ExchangeName(name), "https://127.0.0.1:1", BINANCE_KEY, scheme, reference)


EXCHANGES = {
    found.name: found
    for found in (
        exchange("spot", "hmac"),
        exchange("modular", "rsa"),
        exchange("edwards", "ed25519"),
        exchange("forbidden", "hmac"),
    )
}
SECRETS = {"spot": BINANCE_SECRET, "modular": pem(MODULAR), "edwards": pem(EDWARDS), "forbidden": "of others"}


def kv_path(name: str) -> str:
    """Where the fake Vault has the secret of an exchange."""
    return f"/v1/secret/data/exchanges/{name}"


APP_PATH = "/v1/secret/data/open-api/mini-app"


def with_exchanges(settings: Settings) -> Settings:
    """Every client may use every exchange but the forbidden one, and the app."""
    allowed = tuple(name for name in EXCHANGES if name != "forbidden")
    clients = {
        name: replace(client, exchanges=allowed, open_api=("mini-app",))
        for name, client in settings.clients.items()
    }
    apps = {"mini-app": MINI_APP, "closed": replace(MINI_APP, name="closed")}
    return replace(settings, clients=clients, exchanges=EXCHANGES, open_api=apps)


def denying(*operations: str) -> PolicySet:
    """Everything but these."""
    return PolicySet(
        "sha256:test",
        (
            Rule("all", "allow", EVERYBODY, EVERYBODY, frozenset(OPERATIONS)),
            Rule("shut", "deny", EVERYBODY, EVERYBODY, frozenset(map(Operation, operations))),
        ),
    )


@dataclass
class ExchangeProving:
    """What an honest client sends and what an honest server asks; `changes` make others of them."""

    here: Proving

    def call(
        self,
        parameters: Parameters = BINANCE_ORDER,
        *,
        method: str = "POST",
        path: str = ORDER_PATH,
        key: SigningKey = HMAC,
        place: Place = "form",
        timestamp_ms: int | None = None,
        recv_window_ms: int | None = None,
        document: object = None,
    ) -> SignedCall:
        """A client's request, signed."""
        return signed_call(
            key,
            method,
            path,
            parameters,
            document=document,
            place="query" if document is not None else place,
            timestamp_ms=self.here.now_ms if timestamp_ms is None else timestamp_ms,
            recv_window_ms=recv_window_ms,
        )

    def to_sign(self, body: bytes, key: SigningKey = HMAC, name: str = "spot") -> SignedCall:
        """A client's request for a signed request, which it sends itself then."""
        path, query = f"/api/exchange/{name}/sign", f"timestamp={self.here.now_ms}"
        return sign_text(key, SignedCall("POST", path, query, {}, body))

    def question(self, call: SignedCall, operation: str = "exchange.order") -> AuthenticateRequest:
        """The server's question who sent it."""
        return self.here.request(call, operation)

    async def proof(self, call: SignedCall | None = None, operation: str = "exchange.order") -> Proof:
        """A good proof."""
        return await self.here.proved(self.question(call or self.call(), operation))

    def wish(self, proof: Proof, call: SignedCall | None = None, **changes: Any) -> SignExchangeRequest:
        """The server's question for the signed request."""
        call = call or self.call()
        name, path = forwarded_place(call.path) or ("", "")
        request = changes.pop("request", None) or read_forwarded(
            call.method, path, call.query.encode(), call.body
        )
        assert isinstance(request, ExchangeRequest), request
        honest = SignExchangeRequest(
            request_id=RequestId("r-1"),
            principal=Principal("client", str(proof.client), proof.scheme),
            operation=Operation("exchange.order"),
            exchange=ExchangeName(name),
            request=request,
            clock_offset_ms=0,
            ip=IP,
            policy=self.here.custody.policies.current.digest,
            ticket=proof.ticket,
        )
        return replace(honest, **changes)

    async def sign(self, proof: Proof, call: SignedCall | None = None, **changes: Any) -> ExchangeSignature:
        """What custody makes of it."""
        return await self.here.custody.exchange_signer.sign(self.wish(proof, call, **changes))

    def token_wish(self, proof: Proof, call: OpenApiCall, **changes: Any) -> OpenApiTokenRequest:
        """The server's question for a token."""
        honest = OpenApiTokenRequest(
            request_id=RequestId("r-1"),
            principal=Principal("client", str(proof.client), proof.scheme),
            operation=Operation("open_api.token"),
            app="mini-app",
            call=call,
            ip=IP,
            policy=self.here.custody.policies.current.digest,
            ticket=proof.ticket,
        )
        return replace(honest, **changes)

    def decrypt_wish(self, proof: Proof, ciphertext: str, **changes: Any) -> OpenApiDecryptRequest:
        """The server's question what a ciphertext says."""
        honest = OpenApiDecryptRequest(
            request_id=RequestId("r-1"),
            principal=Principal("client", str(proof.client), proof.scheme),
            operation=Operation("open_api.decrypt"),
            app="mini-app",
            ciphertext=ciphertext,
            ip=IP,
            policy=self.here.custody.policies.current.digest,
            ticket=proof.ticket,
        )
        return replace(honest, **changes)


def encrypted(text: bytes, key: RSAPrivateKey = MODULAR) -> bytes:
    """As the Open API encrypts for an app."""
    return key.public_key().encrypt(text, PKCS1v15())


def form_of(signature: ExchangeSignature) -> dict[str, str]:
    """The parameters of a signed request, in their order."""
    text = signature.signed.body.decode() or signature.signed.target.partition("?")[2]
    return dict(parse_qsl(text, keep_blank_values=True, strict_parsing=True))


@asynccontextmanager
async def exchange_proving(
    directory: Path, *, policies: PolicySet | None = None, **options: Any
) -> AsyncIterator[ExchangeProving]:
    """Custody on a Vault of its own with these exchanges."""
    if policies is not None:
        options["policies"] = policies
    async with proving(directory, change=with_exchanges, **options) as here:
        for name, secret in SECRETS.items():
            here.vault.fields[kv_path(name)] = {"secret": secret}
        here.vault.fields[APP_PATH] = {"secret_key": APP_SECRET, "private_key": pem(MODULAR)}
        yield ExchangeProving(here)
