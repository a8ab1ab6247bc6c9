"""The exchange stand-in in a thread of its own, with one account for each way to sign."""

import json
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from tests.threads import in_thread
from vaultsigner.dev.exchange.server import ExchangeServer, run_exchange
from vaultsigner.dev.exchange.signatures import Account, Scheme

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parent / "vectors" / "exchange_requests.json").read_text()
)
KEYS: dict[str, Any] = VECTORS["keys"]
KEY_OF: dict[Scheme, str] = {"hmac": "hmac_doc", "rsa": "rsa_test", "ed25519": "ed25519_test"}
"""Which of the vectors' keys signs by which scheme."""


def account_of(key_name: str, name: str = "desk") -> Account:
    """The exchange's side of one of the vectors' keys."""
    key = KEYS[key_name]
    scheme: Scheme = next(scheme for scheme in KEY_OF if key["algorithm"].startswith(scheme))
    return Account(name, key["api_key"], scheme, key.get("secret") or key["public_key"])


def running_exchange(accounts: Iterable[Account] = ()) -> AbstractContextManager[ExchangeServer]:
    """An exchange, by default with one account "desk" that has a key of every scheme."""
    known = tuple(accounts) or tuple(account_of(name) for name in KEY_OF.values())
    return in_thread("exchange", lambda: run_exchange(known))
