"""Exchanges, Open API apps, and the partner's questions."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from vaultsigner.client.answers.exchanges import (
    ExchangeAnswer,
    ExchangeMessage,
    OpenApiToken,
    Plaintext,
    SignedExchangeMessage,
    SignedExchangeRequest,
    read_exchange_answer,
    read_partner_tasks,
    read_partner_time,
)
from vaultsigner.client.answers.validation import reading
from vaultsigner.client.asks import Ask, Effect, Parameters, Proof, pairs, segment
from vaultsigner.client.calls.documents import encoded, given

_read_request = reading(SignedExchangeRequest)
_read_message = reading(SignedExchangeMessage)
_read_token = reading(OpenApiToken)
_read_plaintext = reading(Plaintext)
_PATH = re.compile(r"/[!\"$->@-~]*")
"""What can be seen in ASCII, less ? and #."""
_PROOFS = {"signed": Proof.FULL, "api_key": Proof.API_KEY, "none": Proof.NONE}


def forward(
    exchange: str,
    method: str,
    path: str,
    params: Parameters | None = None,
    *,
    body: Any = None,
    proof: str = "signed",
    operation: str | None = None,
    approval: str | None = None,
) -> Ask[ExchangeAnswer]:
    """Ask an exchange, by its account in config.yml.

    Args:
        exchange: its name in config.yml.
        method, path: at the exchange, e.g. POST /api/v3/order.
        params: the exchange's parameters, without timestamp and signature, which the service makes.
        body: a JSON document, where the exchange takes one.
        proof: signed; or api_key, for listen keys and their like; or none, for what is public.
        operation: ties the signature to an operation of policies, e.g. exchange.query.
        approval: the id of the approval that it uses, once others have agreed.

    Raises:
        ExchangeRefusedError: the exchange refused.
        OutcomeUnknownError: nobody knows what the exchange did. Never repeated by itself; ask it.
    """
    method = method.upper()
    if not path.startswith("/"):
        path = f"/{path}"
    if _PATH.fullmatch(path) is None:
        raise ValueError("the path stands alone and percent-encoded; what follows the ? goes into params")
    document = None if body is None else encoded(body)
    return Ask(
        method,
        f"/exchange/{segment(exchange)}{path}",
        read_exchange_answer,
        parameters=pairs(params),
        body=document,
        operation=operation,
        effect=Effect.REPEATABLE if method == "GET" else Effect.ACTS,
        proof=_PROOFS[proof],
        form=document is None and method in ("POST", "PUT") and bool(params or proof == "signed"),
        approval=approval,
        foreign=True,
    )


def sign_exchange_request(
    exchange: str,
    method: str,
    path: str,
    params: Parameters | None = None,
    *,
    query: str | None = None,
    body: str | None = None,
    approval: str | None = None,
) -> Ask[SignedExchangeRequest]:
    """Have a request to an exchange signed, to send it yourself: soon, and as it is.

    Args:
        params: names and values; lists and mappings become JSON text.
        query: instead of params: percent-encoded.
        body: instead of params: a form. Or JSON as text, beside them.
    """
    wanted = given(method=method.upper(), path=path, params=_written(params), query=query, body=body)
    return Ask(
        "POST",
        f"/api/exchange/{segment(exchange)}/sign",
        _read_request,
        body=encoded(wanted),
        approval=approval,
    )


def sign_exchange_message(
    exchange: str, ws: str, params: Parameters | None = None, *, approval: str | None = None
) -> Ask[ExchangeMessage]:
    """Have a message of an exchange's WebSocket API signed; add your `id` and send it.

    Args:
        ws: the method there, e.g. order.place.
    """
    return Ask(
        "POST",
        f"/api/exchange/{segment(exchange)}/sign",
        lambda reply: _read_message(reply).message,
        body=encoded({"ws": ws, "params": _written(params) or {}}),
        approval=approval,
    )


def open_api_token(
    app: str, method: str, path: str, *, query: str = "", body: str = "", approval: str | None = None
) -> Ask[OpenApiToken]:
    """A token for one request of an Open API app, which covers method, path, query and body byte for byte."""
    wanted = {"method": method, "path": path, "query": query, "body": body}
    return _app(app, "POST", "token", _read_token, body=encoded(wanted), approval=approval)


def open_api_decrypt(app: str, data: str, *, approval: str | None = None) -> Ask[Plaintext]:
    """Decrypt what the Open API encrypted for the app.

    Args:
        data: base64url.
    """
    return _app(app, "POST", "decrypt", _read_plaintext, body=encoded({"data": data}), approval=approval)


def open_api_user_data(app: str, open_data: str, *, approval: str | None = None) -> Ask[Plaintext]:
    """What a user shares with the mini-program: token, request and decryption in one.

    Args:
        open_data: the data token of `bn.getOpenId()` and its like.
    """
    parameters = (("openData", open_data),)
    return _app(app, "GET", "user-data", _read_plaintext, parameters=parameters, approval=approval)


def _app(app: str, method: str, verb: str, read: Any, **more: Any) -> Ask[Any]:
    operation = f"open_api.{verb.replace('-', '_')}"
    return Ask(method, f"/api/open_api/{segment(app)}/{verb}", read, operation=operation, **more)


def partner_time(prefix: str) -> Ask[int]:
    """The service's time in milliseconds, from the partner family."""
    return Ask("GET", f"{prefix}/v1/time", read_partner_time, proof=Proof.NONE, enveloped=True)


def partner_tasks(prefix: str, wallet_address: str, tasks: Sequence[str] | None) -> Ask[dict[str, bool]]:
    """Which tasks a wallet's owner has completed; asked with a `PartnerKey`.

    Args:
        tasks: None: all that config.yml has.
    """
    named = [] if tasks is None else [("task", json.dumps(list(tasks), separators=(",", ":")))]
    return Ask(
        "GET",
        f"{prefix}/v1/task/completion",
        read_partner_tasks,
        parameters=(("walletAddress", wallet_address), *named),
        proof=Proof.PARTNER,
        enveloped=True,
    )


def _written(params: Parameters | None) -> dict[str, Any] | None:
    """Parameters as JSON. Decimals go as text; lists and mappings stay what they are."""
    if params is None:
        return None
    items = params.items() if isinstance(params, Mapping) else params
    return {
        name: value if isinstance(value, list | dict | bool) else pairs([(name, value)])[0][1]
        for name, value in items
    }
