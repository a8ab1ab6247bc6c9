"""All rows in one table."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from vaultsigner.formats.exchange.endpoint import Endpoint
from vaultsigner.formats.exchange.endpoints import spot, user_streams, wallet

ALL: tuple[Endpoint, ...] = (*spot.ENDPOINTS, *wallet.ENDPOINTS, *user_streams.ENDPOINTS)


def _by_place(rows: Iterable[Endpoint]) -> Mapping[tuple[str, str], Endpoint]:
    table: dict[tuple[str, str], Endpoint] = {}
    for row in rows:
        if table.setdefault((row.method, row.path), row) is not row:
            raise ValueError(f"{row.name} stands twice in the table")
    return MappingProxyType(table)


TABLE = _by_place(ALL)
"""By method and path, letter by letter; of the WebSocket API by method and an empty path."""
