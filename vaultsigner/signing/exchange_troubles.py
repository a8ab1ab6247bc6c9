"""Tells the operational log when an exchange will not have the desk's key, and when it will again: once each."""

from collections.abc import Mapping
from types import MappingProxyType

import structlog

from vaultsigner.signing.exchange_journal import Came

log = structlog.get_logger(__name__)

KEY_TROUBLES: Mapping[int, str] = MappingProxyType(
    {
        -1022: "the secret in Vault is not the one of api_key",
        -2014: "api_key is no API key of this exchange",
        -2015: "api_key is unknown there, may not do this, or may not be used from this address",
    }
)
"""Binance's documentation, "Error codes": INVALID_SIGNATURE, BAD_API_KEY_FMT, REJECTED_MBX_KEY. Bots have no part in these."""


class ExchangeTroubles:
    """Which exchanges refuse the desk's key at present."""

    def __init__(self) -> None:
        self._present: set[tuple[str, int]] = set()

    def after(self, exchange: str, came: Came) -> None:
        """Draw the conclusions from what came back of a signed request."""
        code = came.code or 0
        if code in KEY_TROUBLES:
            if (exchange, code) not in self._present:
                self._present.add((exchange, code))
                problem = f"see config.yml: {KEY_TROUBLES[code]}"
                log.warning("exchange refuses the desk's key", exchange=exchange, code=code, problem=problem)
        elif came.result == "accepted" and (mended := {one for one in self._present if one[0] == exchange}):
            self._present -= mended
            log.info("exchange takes the desk's key again", exchange=exchange)
