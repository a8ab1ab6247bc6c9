"""The exchanges of the configuration, each with its connections and its clock."""

from collections.abc import Mapping

import aiohttp

from vaultsigner.config.settings import Exchange
from vaultsigner.dispatch.exchange import ExchangeHost
from vaultsigner.dispatch.exchange_time import Clock
from vaultsigner.domain.names import ExchangeName


class ExchangeHosts:
    """Finds the one that an exchange of the configuration is asked through.

    Args:
        session: `exchange_session()`, for those who have proved who they are.
        strangers: another one, for all the rest: whoever reads its answers slowly keeps no connection from an order.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        strangers: aiohttp.ClientSession,
        exchanges: Mapping[ExchangeName, Exchange],
        clock: Clock,
    ) -> None:
        self._hosts = {name: ExchangeHost(session, exchange, clock) for name, exchange in exchanges.items()}
        self._for_strangers = {
            name: ExchangeHost(strangers, exchange, clock) for name, exchange in exchanges.items()
        }

    def of(self, exchange: Exchange) -> ExchangeHost:
        """The one of this exchange."""
        return self._hosts[exchange.name]

    def for_strangers(self, exchange: Exchange) -> ExchangeHost:
        """The one for what nobody signed."""
        return self._for_strangers[exchange.name]
