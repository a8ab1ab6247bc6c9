"""What else a signature is good for, once the caller has it in hand.

An exchange's signature covers the parameters, and neither method nor path (Spot REST API, "SIGNED Endpoint security": the query
string and the body): the signature of `GET /api/v3/account?coin=BTC&address=X&amount=1` is one of `POST
/sapi/v1/capital/withdraw/apply`, too. Where vaultsigner sends the request itself the caller never sees the signature; where it
hands it out, policy must allow what else can be done with it.

What nothing here can help: query and body are joined without a mark, so that whoever holds a signature may cut one value short by
moving its end into the other of the two (`price=100` to `price=1`), wherever an exchange ignores the odd parameter left over.
"""

from collections.abc import Iterator, Mapping

from vaultsigner.domain.names import Operation
from vaultsigner.formats.exchange.endpoint import Endpoint
from vaultsigner.formats.exchange.meaning import Meaning, meaning_of, unknown_meaning_of
from vaultsigner.formats.exchange.parameter_names import QUERY_NAMES
from vaultsigner.formats.exchange.requests import ExchangeRequest
from vaultsigner.formats.exchange.table import ALL, TABLE

GUARDED = frozenset(
    Operation(f"exchange.{name}") for name in ("order", "amend", "withdraw", "transfer", "sub_account")
)
"""What nobody may do by way of another endpoint. Not among them: cancelling (any signature over a symbol cancels that symbol's
orders somewhere), settings (any signature at all turns fast withdrawals on and off), and what keeps value in the account."""

_LOG_ON = ExchangeRequest("websocket", "session.logon", "", ())


def other_uses(request: ExchangeRequest) -> tuple[Meaning, ...]:
    """What the signature of a request would do at other endpoints; policy must allow all of it before it is handed out.

    That is: orders, amendments, withdrawals, transfers and sub-accounts' affairs at every endpoint of the table that finds all it
    needs among the parameters (those that it does not know count as ignored, the way /sapi does); `exchange.other` where a query
    has parameters that no query takes; logging on to the WebSocket API with what was signed there without parameters (Ed25519
    keys only). A JSON body is `exchange.other` as it is.
    """
    row = TABLE.get((request.method, request.path))
    if row is None or request.json_body:
        return ()
    if row.transport == "websocket" and not request.parameters and row.name != _LOG_ON.method:
        return (meaning_of(_LOG_ON),)
    given = dict(request.parameters)
    if not row.takes_only_what_it_lists and not given.keys() <= QUERY_NAMES | row.fields.keys():
        return (unknown_meaning_of(request),)
    return tuple(
        meaning_of(ExchangeRequest(other.transport, other.method, other.path, _taken(other, request)))
        for other in _that_take(given, row)
    )


def _that_take(given: Mapping[str, str], asked: Endpoint) -> Iterator[Endpoint]:
    for row in ALL:
        if row is asked or row.operation not in GUARDED:
            continue
        # Without the API key among what was signed it is none of the WebSocket API's.
        if row.transport == "websocket" and asked.transport == "rest":
            continue
        enough = row.required <= given.keys() and (not row.one_of or not row.one_of.isdisjoint(given))
        if enough and row.required and _is_traded_there(row, given.get("symbol", "")):
            yield row


def _taken(row: Endpoint, request: ExchangeRequest) -> tuple[tuple[str, str], ...]:
    known = row.fields.keys() | row.parameters_of_legs
    return tuple(pair for pair in request.parameters if pair[0] in known)


def _is_traded_there(row: Endpoint, symbol: str) -> bool:
    """COIN-M contracts are named like BTCUSD_PERP, options like BTC-260626-140000-C, and nothing else is."""
    if not symbol or row.transport == "websocket":
        return True
    coinm, option = "USD_" in symbol.upper(), symbol.count("-") == 3
    if row.path.startswith(("/dapi/", "/papi/v1/cm/")):
        return coinm
    return option if row.path.startswith("/eapi/") else not (coinm or option)
