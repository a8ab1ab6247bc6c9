"""The WebSocket APIs of spot, USD-M and COIN-M futures. Source: Binance's documentation, "WebSocket API" of each.

Whoever wants a message signed says its method and not the product, and the products share methods' names: a row knows the
parameters of all of them.
"""

from collections.abc import Iterator

from vaultsigner.domain.names import Operation
from vaultsigner.formats.exchange.endpoint import Endpoint, endpoint
from vaultsigner.formats.exchange.endpoints import spot, spot_order_lists
from vaultsigner.formats.exchange.endpoints.futures_words import ALGO_ORDER, AMEND, CONDITIONAL, ONLY_LIMIT
from vaultsigner.formats.exchange.parameter_names import OF_QUERIES

_SPOT = "Spot WebSocket API, "
_FUTURES = "USD-M and COIN-M Futures WebSocket API, "
_LISTS = f"{_SPOT}Order lists: "
_ORDER = (
    f"{spot.ORDER} positionSide reduceOnly priceMatch goodTillDate {CONDITIONAL.removeprefix('stopPrice ')}"
)
_LIST = spot_order_lists.AROUND


def _queries(methods: str, source: str) -> Iterator[Endpoint]:
    for method in methods.split():
        yield Endpoint(method, "", Operation("exchange.query"), "signed", OF_QUERIES, frozenset(), source)


ENDPOINTS: tuple[Endpoint, ...] = (
    *_queries(
        "account.status account.commission account.rateLimits.orders order.status openOrders.status allOrders orderList.status "
        "openOrderLists.status allOrderLists order.amendments myTrades myPreventedMatches myAllocations myFilters",
        f"{_SPOT}Account requests",
    ),
    *_queries(
        "v2/account.status account.balance v2/account.balance account.position v2/account.position",
        f"{_FUTURES}Account",
    ),
    endpoint(
        "order.place",
        "order",
        _ORDER,
        f"{_SPOT}Place new order; {_FUTURES}New Order",
        notional="websocket",
    ),
    endpoint(
        "order.test",
        "order",
        f"{_ORDER} computeCommissionRates",
        f"{_SPOT}Test new order",
        notional="websocket",
    ),
    endpoint("order.cancel", "cancel", spot.CANCEL, f"{_SPOT}Cancel order; {_FUTURES}Cancel Order"),
    endpoint(
        "order.cancelReplace",
        "order",
        spot.CANCEL_REPLACE,
        f"{_SPOT}Cancel and replace order",
        notional="spot",
    ),
    endpoint("order.amend.keepPriority", "amend", spot.AMEND, f"{_SPOT}Order Amend Keep Priority"),
    endpoint(
        "order.modify", "amend", AMEND, f"{_FUTURES}Modify Order", notional="websocket", fixed=ONLY_LIMIT
    ),
    endpoint("openOrders.cancelAll", "cancel", "symbol!", f"{_SPOT}Cancel open orders"),
    endpoint("algoOrder.place", "order", ALGO_ORDER, f"{_FUTURES}New Algo Order", notional="websocket"),
    endpoint("algoOrder.cancel", "cancel", "algoId clientAlgoId symbol", f"{_FUTURES}Cancel Algo Order"),
    endpoint("sor.order.place", "order", spot.SOR, f"{_SPOT}Place new order using SOR", notional="spot"),
    endpoint(
        "sor.order.test",
        "order",
        f"{spot.SOR} computeCommissionRates",
        f"{_SPOT}Test new order using SOR",
        notional="spot",
    ),
    endpoint(
        "orderList.place",
        "order",
        f"{_LIST} side! quantity!",
        f"{_LISTS}Place new OCO - Deprecated",
        notional="spot",
        legs=spot_order_lists.OLD_OCO,
    ),
    endpoint(
        "orderList.place.oco",
        "order",
        f"{_LIST} side! quantity!",
        f"{_LISTS}Place new Order list - OCO",
        notional="spot",
        legs=spot_order_lists.OCO,
    ),
    *(
        endpoint(
            f"orderList.place.{kind}", "order", _LIST, f"{_LISTS}{kind.upper()}", notional="spot", legs=legs
        )
        for kind, legs in (
            ("oto", spot_order_lists.OTO),
            ("otoco", spot_order_lists.OTOCO),
            ("opo", spot_order_lists.OPO),
            ("opoco", spot_order_lists.OPOCO),
        )
    ),
    endpoint("orderList.cancel", "cancel", spot_order_lists.CANCEL, f"{_LISTS}Cancel Order list"),
    endpoint("session.logon", "other", "", f"{_SPOT}Session authentication: Log in with API key"),
    endpoint(
        "userDataStream.subscribe.signature",
        "user_stream",
        "",
        f"{_SPOT}User Data Stream requests: Subscribe through signature subscription",
    ),
    *(
        endpoint(
            f"userDataStream.{what}",
            "user_stream",
            "listenKey",
            f"{_FUTURES}User Data Streams",
            security="user_stream",
        )
        for what in ("start", "ping", "stop")
    ),
)
"""`session.logon` is `exchange.other`: on the connection that logs on with it, every later request goes without a signature."""
