"""All rows in one table."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from vaultsigner.formats.exchange.endpoint import Endpoint
from vaultsigner.formats.exchange.endpoints import (
    algo,
    coinm,
    margin,
    options,
    portfolio_margin,
    portfolio_margin_account,
    services,
    spot,
    spot_order_lists,
    sub_account,
    usdm,
    user_streams,
    wallet,
    websocket,
)

ALL: tuple[Endpoint, ...] = (
    *spot.ENDPOINTS,
    *spot_order_lists.ENDPOINTS,
    *margin.ENDPOINTS,
    *wallet.ENDPOINTS,
    *sub_account.ENDPOINTS,
    *usdm.ENDPOINTS,
    *coinm.ENDPOINTS,
    *options.ENDPOINTS,
    *portfolio_margin.ENDPOINTS,
    *portfolio_margin_account.ENDPOINTS,
    *algo.ENDPOINTS,
    *services.ENDPOINTS,
    *user_streams.ENDPOINTS,
    *websocket.ENDPOINTS,
)


def by_place(rows: Iterable[Endpoint]) -> Mapping[tuple[str, str], Endpoint]:
    """The rows by method and path.

    Raises:
        ValueError: two rows are about one endpoint.
    """
    table: dict[tuple[str, str], Endpoint] = {}
    for row in rows:
        if table.setdefault((row.method, row.path), row) is not row:
            raise ValueError(f"{row.name} stands twice in the table")
    return MappingProxyType(table)


TABLE = by_place(ALL)
"""By method and path, letter by letter; of the WebSocket APIs by method and an empty path."""
