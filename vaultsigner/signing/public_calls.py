"""What strangers ask of an exchange stops as soon as the exchange says that it is too much: else the desk's address is banned."""

from collections.abc import Callable
from http import HTTPStatus

from vaultsigner.domain.refusals import Refusal
from vaultsigner.signing.limits import too_many

MINUTE_SECONDS = 60
LONGEST_SECONDS = 3_600
BANNED = 418
_RETRY_AFTER = "retry-after"
_MOST_DIGITS = 9


class PublicCalls:
    """Holds back what nobody signed while an exchange wants that.

    Args:
        monotonic: seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._until: dict[str, float] = {}

    def held(self, exchange: str) -> Refusal | None:
        """Why a call that nobody signed has to wait now; None where it has not."""
        left = self._until.get(exchange, 0.0) - self._monotonic()
        return too_many(f"unsigned calls to {exchange}", round(left * 1000)) if left > 0 else None

    def after(self, exchange: str, status: int, headers: tuple[tuple[str, str], ...]) -> None:
        """Look at the answer to a call that nobody signed."""
        if status not in (HTTPStatus.TOO_MANY_REQUESTS, BANNED):
            return
        told = {name.lower(): value for name, value in headers}
        seconds = min(_number(told.get(_RETRY_AFTER)) or MINUTE_SECONDS, LONGEST_SECONDS)
        until = self._monotonic() + seconds
        self._until[exchange] = max(until, self._until.get(exchange, until))


def _number(text: str | None) -> int | None:
    plain = text is not None and len(text) <= _MOST_DIGITS and text.isascii() and text.isdigit()
    return int(text) if text is not None and plain else None
