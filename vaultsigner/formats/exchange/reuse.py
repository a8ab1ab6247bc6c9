"""What else a signature is good for, once somebody has it in hand.

An exchange's signature covers the parameters, and neither method nor path (Spot REST API, "SIGNED Endpoint security": the query
string and the body): the signature of `GET /api/v3/account?coin=BTC&address=X&amount=1` is one of `POST
/sapi/v1/capital/withdraw/apply`, too. Where vaultsigner sends the request itself the caller never sees the signature, but the
server does; where it hands it out, the caller does. Policy must allow what else can be done with it.

What nothing here can help: query and body are joined without a mark, so that whoever holds a signature may cut one parameter in
two, its end in the other of query and body (`price=100` to `price=1`, `reduceOnly=true` to nothing that is known), wherever an
exchange ignores what is left over. And any signature at all is good for an endpoint that requires nothing (portfolio margin's
auto-collection, which gathers the desk's own balances).
"""

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

from vaultsigner.domain.names import Operation
from vaultsigner.formats.exchange.endpoint import Endpoint
from vaultsigner.formats.exchange.items import orders_in
from vaultsigner.formats.exchange.meaning import OTHER, Meaning, meaning_of, unknown_meaning_of
from vaultsigner.formats.exchange.parameter_names import QUERY_NAMES
from vaultsigner.formats.exchange.parameter_texts import text_of
from vaultsigner.formats.exchange.requests import ExchangeRequest
from vaultsigner.formats.exchange.table import ALL, TABLE
from vaultsigner.strict_json import JsonDocument

GUARDED = frozenset(
    Operation(f"exchange.{name}") for name in ("order", "amend", "withdraw", "transfer", "sub_account")
)
"""What nobody may do by way of another endpoint. Not among them: cancelling (any signature over a symbol cancels that symbol's
orders somewhere), settings (any signature at all turns fast withdrawals on and off), and what keeps value in the account."""

_ROWS = tuple(row for row in ALL if row.operation in GUARDED and row.required)
_LOG_ON = ExchangeRequest("websocket", "session.logon", "", ())
_API_KEY = "apiKey"


def guarded_uses(request: ExchangeRequest) -> tuple[Meaning, ...]:
    """What the signature of a request would do elsewhere that is guarded.

    That is: orders, amendments, withdrawals, transfers and sub-accounts' affairs at every endpoint of the table that finds all it
    needs among the parameters (those that it does not know count as ignored, the way /sapi does); logging on to the WebSocket API
    with what was signed there, or might have been, without parameters (Ed25519 keys only). Of endpoints that the table does not
    know the same is found. A JSON body may be sent as a form by whoever has its signature, to its own endpoint too.
    """
    return tuple(meaning for _, meaning in _uses(request))


def uses_of_another_kind(request: ExchangeRequest) -> tuple[Meaning, ...]:
    """Those of `guarded_uses` that policy must allow even where the signature stays with the server.

    Left out is what has the operation that was asked for (a rule may name an endpoint; forwarding to that one must go on), and
    what needs a single parameter of the kind that queries have: gathering an asset from the desk's own accounts, and opening a
    product to a sub-account. Every query with `asset` or `email` is good for these.
    """
    asked = meaning_of(request).operation
    return tuple(
        meaning
        for row, meaning in _uses(request)
        if (meaning.operation != asked or asked == OTHER) and not (row is not None and _is_slight(row))
    )


def other_uses(request: ExchangeRequest) -> tuple[Meaning, ...]:
    """What policy must allow before a signature is handed out: `guarded_uses`, and `exchange.other` for a query that is none.

    A query is none where it has parameters that no query takes.
    """
    found, row = guarded_uses(request), TABLE.get((request.method, request.path))
    if row is None or request.json_body or row.takes_only_what_it_lists:
        return found
    given = {name for name, _ in request.parameters}
    return found if given <= QUERY_NAMES | row.fields.keys() else (unknown_meaning_of(request), *found)


def _uses(request: ExchangeRequest) -> Iterator[tuple[Endpoint | None, Meaning]]:
    said = _said(request)
    # Without the API key among what was signed it is none of the WebSocket API's.
    on_websocket = request.transport == "websocket" or _API_KEY in said
    if on_websocket and said.keys() <= {_API_KEY} and request.method != _LOG_ON.method:
        yield None, meaning_of(_LOG_ON)
    itself = None if request.json_body else TABLE.get((request.method, request.path))
    for row in _ROWS:
        if row is itself or (row.transport == "websocket" and not on_websocket):
            continue
        taken = _taken(row, said)
        if taken is not None:
            there = ExchangeRequest(row.transport, row.method, row.path, tuple(taken.items()))
            yield row, meaning_of(there)


def _said(request: ExchangeRequest) -> dict[str, str]:
    """All parameters that an exchange might find; of one in query and body it takes the query's ("General API Information")."""
    body = request.json_body.decode("utf-8", "replace")
    return {**dict(parse_qsl(body, keep_blank_values=True)), **dict(request.parameters)}


def _taken(row: Endpoint, said: Mapping[str, str]) -> dict[str, str] | None:
    """What an endpoint takes of all that is said; None where that is not enough for it."""
    if not _is_enough(row.required, row.one_of, said):
        return None
    if "symbol" in row.required and not _is_traded_there(row, said["symbol"]):
        return None
    known = row.fields.keys() | row.parameters_of_legs
    taken = {name: value for name, value in said.items() if name in known}
    return _with_fit_orders(row, taken) if row.batch else taken


def _with_fit_orders(row: Endpoint, taken: dict[str, str]) -> dict[str, str] | None:
    """With those orders of the list that this endpoint would carry out, as it understands them; None where there are none."""
    orders = orders_in(row, taken[row.batch])
    if not orders:
        return taken  # it is `exchange.other` there, whatever it may be
    fit: list[JsonDocument] = [
        {name: value for name, value in order.items() if name in row.members}
        for order in orders
        if _is_enough(row.required_of_members, row.one_of_members, order)
        and _is_traded_there(row, order.get("symbol", ""))
    ]
    return {**taken, row.batch: text_of(fit) or ""} if fit else None


def _is_enough(required: frozenset[str], one_of: frozenset[str], said: Mapping[str, str]) -> bool:
    return required <= said.keys() and (not one_of or not one_of.isdisjoint(said))


def _is_slight(row: Endpoint) -> bool:
    return len(row.required) == 1 and row.required <= QUERY_NAMES


def _is_traded_there(row: Endpoint, symbol: str) -> bool:
    """COIN-M contracts are named like BTCUSD_PERP, options like BTC-260626-140000-C, and nothing else is."""
    if not symbol or row.transport == "websocket":
        return True
    coinm, option = "USD_" in symbol.upper(), symbol.count("-") == 3
    if row.path.startswith(("/dapi/", "/papi/v1/cm/")):
        return coinm
    return option if row.path.startswith("/eapi/") else not (coinm or option)
