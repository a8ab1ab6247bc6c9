"""OpenBao with exchanges' secrets in Transit and in KV, and an installation on it whose token may do the least."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from tests.integration.custody.exchange_proving import (
    APP_SECRET,
    BINANCE_KEY,
    BINANCE_ORDER,
    BINANCE_SECRET,
    EDWARDS,
    MODULAR,
    pem,
)
from tests.integration.custody.minting import mint
from tests.world import CHEAPEST, PASSWORD, Vector, planned_wallets
from vaultsigner.custody.protocol import OpenApiDecryptRequest, OpenApiTokenRequest, SignExchangeRequest
from vaultsigner.dev.installation import Installation, Plan, PlannedUser, install
from vaultsigner.dev.openbao import OpenBao
from vaultsigner.dev.planned_exchanges import PlannedExchange, PlannedOpenApiApp
from vaultsigner.domain.names import ExchangeName, Operation, RequestId
from vaultsigner.domain.principals import Principal
from vaultsigner.formats.exchange.requests import ExchangeRequest
from vaultsigner.formats.open_api.calls import OpenApiCall
from vaultsigner.policy import load as load_policies

ALLOWED, KEPT_OUT = "sam", "kim"
POLICY = """\
version: 1
rules:
  - {id: trade, effect: allow, operations: [exchange.order, exchange.query, "open_api.*"]}
"""
ORDER = ExchangeRequest("rest", "POST", "/api/v3/order", BINANCE_ORDER)
SCHEMES = ("hmac", "rsa", "ed25519")
NOWHERE = "https://127.0.0.1:1"


@cache
def app_key() -> str:
    """The private key of the mini-app, in PEM."""
    return pem(generate_private_key(65537, 2048))


def secret_of(scheme: str) -> str:
    """The same in Transit and in KV."""
    return {"hmac": BINANCE_SECRET, "rsa": pem(MODULAR), "ed25519": pem(EDWARDS)}[scheme]


def planned_exchanges() -> tuple[PlannedExchange, ...]:
    """`hmac-transit`, `hmac-kv`, `rsa-transit`, ..."""
    return tuple(
        PlannedExchange(
            f"{scheme}-{'transit' if transit else 'kv'}",
            NOWHERE,
            BINANCE_KEY,
            scheme,  # type: ignore[arg-type]  # the names of schemes are literals
            secret_of(scheme),
            transit,
        )
        for scheme in SCHEMES
        for transit in (True, False)
    )


@dataclass(frozen=True, slots=True)
class ExchangeWorld:
    """What the tests ask custody with."""

    openbao: OpenBao
    installation: Installation
    _tokens: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def token_path(self) -> Path:
        """The file with custody's Vault token."""
        return self.installation.token_path

    def asking(self, user: str = ALLOWED) -> dict[str, Any]:
        """What all of a user's questions have in common."""
        if user not in self._tokens:
            self._tokens[user] = mint(self.openbao, self.installation.settings, user)
        return {
            "request_id": RequestId("r-1"),
            "principal": Principal("user", user),
            "ip": "192.0.2.7",
            "policy": load_policies(self.installation.settings.policies).digest,
            "access_token": self._tokens[user],
        }

    def order(self, exchange: str, *, user: str = ALLOWED, **changes: Any) -> SignExchangeRequest:
        """Binance's own example for an exchange."""
        members = {
            **self.asking(user),
            "operation": Operation("exchange.order"),
            "exchange": ExchangeName(exchange),
            "request": ORDER,
            "clock_offset_ms": 0,
        }
        return SignExchangeRequest(**{**members, **changes})

    def token(self, call: OpenApiCall, *, user: str = ALLOWED) -> OpenApiTokenRequest:
        """A token for a call."""
        return OpenApiTokenRequest(
            operation=Operation("open_api.token"), app="mini-app", call=call, **self.asking(user)
        )

    def decryption(self, ciphertext: str, *, user: str = ALLOWED) -> OpenApiDecryptRequest:
        """The decryption of a ciphertext."""
        return OpenApiDecryptRequest(
            operation=Operation("open_api.decrypt"),
            app="mini-app",
            ciphertext=ciphertext,
            **self.asking(user),
        )


@contextmanager
def exchange_world(openbao: OpenBao, directory: Path, vectors: list[Vector]) -> Iterator[ExchangeWorld]:
    """One user who may use every exchange and the app, and one who may use none."""
    exchanges = planned_exchanges()
    names = tuple(exchange.name for exchange in exchanges)
    password_hash = CHEAPEST.hash(PASSWORD)
    plan = Plan(
        planned_wallets(vectors[:1]),
        (
            PlannedUser(ALLOWED, PASSWORD, {}, password_hash, exchanges=names, open_api=("mini-app",)),
            PlannedUser(KEPT_OUT, PASSWORD, {}, password_hash),
        ),
        {"TESTNET": "http://127.0.0.1:1", "PROD": "http://127.0.0.1:1"},
        POLICY,
        exchanges=exchanges,
        open_api=(
            PlannedOpenApiApp("mini-app", "heldoutApp01", "access-key-1", NOWHERE, APP_SECRET, app_key()),
        ),
    )
    yield ExchangeWorld(openbao, install(directory / "vs", openbao, plan))
