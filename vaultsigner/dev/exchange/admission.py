"""Whether a request may be carried out: whose key, is it signed, is it timely (rest-api.md, Request Security)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from vaultsigner.dev.exchange.calls import Call, refuse_unread
from vaultsigner.dev.exchange.clock import DEFAULT_WINDOW_MS, MAX_WINDOW_MS, is_timely
from vaultsigner.dev.exchange.endpoints import Endpoint
from vaultsigner.dev.exchange.refusals import (
    RefusedError,
    bad_key_format,
    illegal,
    missing,
    no_permission,
)
from vaultsigner.dev.exchange.requests import SIGNATURE, RawRequest
from vaultsigner.dev.exchange.signatures import Account

KEY_HEADER = "X-MBX-APIKEY"
API_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}")
TIMESTAMP = re.compile(r"[0-9]{1,20}")
WINDOW = re.compile(r"[0-9]{1,5}(\.[0-9]{1,3})?")
HMAC = re.compile(r"[A-Fa-f0-9]{64}")
MICROSECONDS_FROM = 10**15
SIGNING = frozenset({"timestamp", "recvWindow", SIGNATURE})

Accounts = Mapping[str, Account]


@dataclass(frozen=True, slots=True)
class Whose:
    """What a request says about its sender, true or not."""

    account: Account | None
    verified: bool | None


def whose(raw: RawRequest, accounts: Accounts) -> Whose:
    """Whose key a request names, and whether that account has signed it; for the record, whatever the answer will be."""
    account = accounts.get(raw.header(KEY_HEADER) or "")
    signature = dict(raw.sent()).get(SIGNATURE)
    if account is None or signature is None:
        return Whose(account, None)
    return Whose(account, account.has_signed(raw.signed_bytes, signature))


def admit(raw: RawRequest, endpoint: Endpoint, found: Whose, now_ms: int) -> Call:
    """The call that a request makes, or the exchange's refusal of it.

    Raises:
        RefusedError: with Binance's code.
    """
    parameters = dict(raw.parameters())
    if endpoint.security != "none":
        _require_key(raw, found.account)
    if endpoint.security == "signed":
        require_signature(parameters, found, now_ms)
        parameters = {name: value for name, value in parameters.items() if name not in SIGNING}
    if (
        found.account is not None
        and endpoint.security != "none"
        and endpoint.right not in found.account.rights
    ):
        raise no_permission()
    refuse_unread(parameters, endpoint.parameters)
    return Call(parameters, now_ms, found.account)


def _require_key(raw: RawRequest, account: Account | None) -> None:
    if not API_KEY.fullmatch(raw.header(KEY_HEADER) or ""):
        raise bad_key_format()
    if account is None:
        raise no_permission()


def require_signature(parameters: Mapping[str, str], found: Whose, now_ms: int) -> None:
    """Nothing, or the refusal of a request that is late, early or not signed.

    Raises:
        RefusedError: with Binance's code.
    """
    _require_time(parameters, now_ms)
    signature = parameters.get(SIGNATURE)
    if not signature:
        raise missing(SIGNATURE)
    if found.account is not None and found.account.scheme == "hmac" and not HMAC.fullmatch(signature):
        raise illegal(SIGNATURE, "^[A-Fa-f0-9]{64}$")
    if not found.verified:
        raise RefusedError(-1022, "Signature for this request is not valid.")


def _require_time(parameters: Mapping[str, str], now_ms: int) -> None:
    timestamp, window = parameters.get("timestamp"), parameters.get("recvWindow", str(DEFAULT_WINDOW_MS))
    if not timestamp:
        raise missing("timestamp")
    if not TIMESTAMP.fullmatch(timestamp):
        raise illegal("timestamp", "^[0-9]{1,20}$")
    if not WINDOW.fullmatch(window):
        raise illegal("recvWindow", "^[0-9]{1,5}(\\.[0-9]{1,3})?$")
    if float(window) > MAX_WINDOW_MS:
        raise RefusedError(-1131, "recvWindow must be less than 60000.")
    sent_ms = int(timestamp) if int(timestamp) < MICROSECONDS_FROM else int(timestamp) / 1_000
    if is_timely(sent_ms, float(window), now_ms):
        return
    if sent_ms > now_ms:
        raise RefusedError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    raise RefusedError(-1021, "Timestamp for this request is outside of the recvWindow.")
