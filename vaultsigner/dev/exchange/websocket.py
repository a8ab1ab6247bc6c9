"""The WebSocket API (web-socket-api.md): JSON, signed over its sorted parameters, carried out as over HTTP."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from vaultsigner.dev.exchange.admission import SIGNING, Whose, require_signature
from vaultsigner.dev.exchange.calls import Call, refuse_unread
from vaultsigner.dev.exchange.exchange import Answer, Exchange
from vaultsigner.dev.exchange.refusals import Json, RefusedError, bad_key_format, no_permission
from vaultsigner.dev.exchange.requests import SIGNATURE, RawRequest
from vaultsigner.dev.exchange.signatures import Account, websocket_payload

PATH = "/ws-api/v3"
METHODS = {
    "ping": ("GET", "/api/v3/ping"),
    "time": ("GET", "/api/v3/time"),
    "exchangeInfo": ("GET", "/api/v3/exchangeInfo"),
    "account.status": ("GET", "/api/v3/account"),
    "openOrders.status": ("GET", "/api/v3/openOrders"),
    "openOrders.cancelAll": ("DELETE", "/api/v3/openOrders"),
    "order.place": ("POST", "/api/v3/order"),
    "order.test": ("POST", "/api/v3/order/test"),
    "order.status": ("GET", "/api/v3/order"),
    "order.cancel": ("DELETE", "/api/v3/order"),
    "order.cancelReplace": ("POST", "/api/v3/order/cancelReplace"),
    "order.amend.keepPriority": ("PUT", "/api/v3/order/amend/keepPriority"),
    "orderList.place.oco": ("POST", "/api/v3/orderList/oco"),
    "orderList.cancel": ("DELETE", "/api/v3/orderList"),
}


@dataclass(slots=True)
class Session:
    """One connection, and who has logged on to it."""

    exchange: Exchange
    account: Account | None = field(default=None)

    def take(self, text: str) -> str:
        """Answers one message and keeps a record of it."""
        try:
            message = json.loads(text)
            method, parameters = message["method"], message.get("params") or {}
            named = {name: _text(value) for name, value in parameters.items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            return json.dumps(_refused(None, RefusedError(-1135, "Invalid JSON Request")))
        raw = RawRequest("WS", str(method), (), text.encode())
        found = self._whose(parameters, named)
        answer, refusal = self._answer(str(method), named, found)
        self.exchange.record(raw, found, Answer(answer["status"], b"", {}), refusal)
        self.exchange.mean(tuple(named.items()))
        return json.dumps(answer | {"id": message.get("id")}, ensure_ascii=False)

    def _whose(self, parameters: Mapping[str, Json], named: Mapping[str, str]) -> Whose:
        account = self.exchange.accounts.get(named.get("apiKey", ""), None)
        signature = named.get(SIGNATURE)
        if account is None or signature is None:
            return Whose(account, None)
        return Whose(account, account.has_signed(websocket_payload(parameters), signature))

    def _answer(
        self, method: str, named: dict[str, str], found: Whose
    ) -> tuple[dict[str, Json], RefusedError | None]:
        try:
            carry_out = self._log_on if method == "session.logon" else self._carry_out
            result = carry_out(method, named, found)
        except RefusedError as refusal:
            return _refused(None, refusal), refusal
        return {"status": int(HTTPStatus.OK), "result": result, "rateLimits": []}, None

    def _log_on(self, _: str, named: dict[str, str], found: Whose) -> Json:
        account = _known(named, found)
        if account.scheme != "ed25519":
            raise RefusedError(-4056, f"{account.scheme.upper()} API key is not supported.")
        now_ms = self.exchange.now_ms(PATH)
        require_signature(named, found, now_ms)
        self.account = account
        return {"apiKey": account.api_key, "authorizedSince": now_ms, "serverTime": now_ms}

    def _carry_out(self, method: str, named: dict[str, str], found: Whose) -> Json:
        endpoint = self.exchange.endpoints.get(METHODS.get(method, ("", "")))
        if endpoint is None:
            raise RefusedError(-1020, "This operation is not supported.")
        now_ms = self.exchange.now_ms(PATH)
        account = self.account
        if endpoint.security == "signed" and (account is None or SIGNATURE in named):
            account = _known(named, found)
            require_signature(named, found, now_ms)
        if endpoint.security == "signed" and account is not None and endpoint.right not in account.rights:
            raise no_permission()
        parameters = {name: value for name, value in named.items() if name not in SIGNING | {"apiKey"}}
        refuse_unread(parameters, endpoint.parameters)
        return endpoint.answer(Call(parameters, now_ms, account))


def _known(named: Mapping[str, str], found: Whose) -> Account:
    if not named.get("apiKey"):
        raise bad_key_format()
    if found.account is None:
        raise no_permission()
    return found.account


def _refused(message_id: Json, refusal: RefusedError) -> dict[str, Json]:
    return {"id": message_id, "status": int(refusal.status), "error": refusal.document}


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, separators=(",", ":")) if isinstance(value, (list, dict)) else str(value)
