"""Who asks in these tests: the clients and the partner of tests/vectors/exchange_requests.json, by keys made for tests."""

import json
from typing import Any

from tests.conftest import VECTORS
from tests.signing_client import Ed25519Key, HmacKey, OpenApiKey, RsaKey, SignedCall, SigningKey
from tests.world import Vector
from vaultsigner.config.settings import PartnerTask, RateLimit
from vaultsigner.dev.installation import EVERY_PERMISSION, PlannedClient, PlannedPartner

DOCUMENT: dict[str, Any] = json.loads((VECTORS / "exchange_requests.json").read_text())
KEYS: dict[str, dict[str, str]] = DOCUMENT["keys"]
REQUESTS: list[Vector] = DOCUMENT["vectors"]
TOKENS: dict[str, Any] = json.loads((VECTORS / "open_api_tokens.json").read_text())
FROZEN_MS = 1499827319559
"""The time of the vectors."""

HMAC = HmacKey(KEYS["hmac_doc"]["api_key"], KEYS["hmac_doc"]["secret"])
ACCENTED = HmacKey(KEYS["hmac_test"]["api_key"], KEYS["hmac_test"]["secret"])
RSA = RsaKey(KEYS["rsa_test"]["api_key"], KEYS["rsa_test"]["private_key"])
ED25519 = Ed25519Key(KEYS["ed25519_test"]["api_key"], KEYS["ed25519_test"]["private_key"])
OPEN_API = OpenApiKey(TOKENS["vectors"][0]["access_key_id"], TOKENS["vectors"][0]["secret"])
PARTNER = RsaKey("", KEYS["web3_partner"]["private_key"])

NAMES = {
    "hmac_doc": "bot-hmac",
    "hmac_test": "bot-accent",
    "rsa_test": "bot-rsa",
    "ed25519_test": "bot-ed25519",
}
SCHEMES = {"bot-hmac": "hmac", "bot-accent": "hmac", "bot-rsa": "rsa", "bot-ed25519": "ed25519"}
SIGNERS: dict[str, SigningKey] = {"bot-hmac": HMAC, "bot-rsa": RSA, "bot-ed25519": ED25519}
OPEN_API_NAME = "mini-app"

PREFIX = "/web3"
TIME, COMPLETION = f"{PREFIX}/v1/time", f"{PREFIX}/v1/task/completion"
TASKS = {
    "deposit": PartnerTask("transfer", "recipient"),
    "withdrawal": PartnerTask("transfer", "sender"),
    "trade": PartnerTask("order", "sender"),
}
UNHURRIED = {
    "log_ins_per_user": RateLimit(10_000, 60),
    "log_ins_per_address": RateLimit(10_000, 60),
    "failed_signatures_per_address": RateLimit(100_000, 60),
    "requests_per_client": RateLimit(100_000, 60),
}
"""Limits that no test reaches by accident."""


def planned_clients(*wallets: str, suffix: str = "") -> tuple[PlannedClient, ...]:
    """A client of every scheme, each with every permission on the wallets."""
    granted = dict.fromkeys(wallets, EVERY_PERMISSION)
    shared = [(NAMES["hmac_doc"], HMAC), (NAMES["hmac_test"], ACCENTED)]
    public = [("rsa_test", "rsa"), ("ed25519_test", "ed25519")]
    return (
        *(PlannedClient(f"{name}{suffix}", key.api_key, "hmac", granted, key.secret) for name, key in shared),
        *(
            PlannedClient(
                f"{NAMES[key]}{suffix}",
                KEYS[key]["api_key"],
                "rsa" if scheme == "rsa" else "ed25519",
                granted,
                public_key=KEYS[key]["public_key"],
            )
            for key, scheme in public
        ),
        PlannedClient(
            f"{OPEN_API_NAME}{suffix}", OPEN_API.access_key_id, "open_api", granted, OPEN_API.secret
        ),
    )


def planned_partner(key: str = "web3_partner") -> PlannedPartner:
    """The partner with one of the vectors' keys."""
    return PlannedPartner(PREFIX, KEYS[key]["public_key"], TASKS)


def call_of(vector: Vector, path: str) -> SignedCall:
    """The vector's request, byte for byte, to another path: Binance's rule covers none."""
    return SignedCall(
        vector["method"], path, vector["query"], dict(vector["headers"]), vector["body"].encode()
    )
