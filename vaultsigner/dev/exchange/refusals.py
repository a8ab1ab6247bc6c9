"""What the exchange says no with: codes and words of Binance's error documents (`errors.md` of binance-spot-api-docs)."""

from http import HTTPStatus
from typing import Any

from vaultsigner.errors import VaultsignerError

Json = Any
"""A document as `json` reads and writes it."""


class RefusedError(VaultsignerError):
    """A request that the exchange refuses.

    Args:
        code: the exchange's, negative.
        message: its words.
        status: HTTP status.
        data: goes into the answer beside them (cancel-replace tells there what happened to either half).
    """

    code = "exchange_refused"

    def __init__(
        self, code: int, message: str, status: int = HTTPStatus.BAD_REQUEST, data: Json = None
    ) -> None:
        super().__init__(message)
        self.exchange_code = code
        self.message = message
        self.status = status
        self.data = data

    @property
    def document(self) -> dict[str, Json]:
        """The answer's body."""
        document = {"code": self.exchange_code, "msg": self.message}
        return document if self.data is None else document | {"data": self.data}


def missing(name: str) -> RefusedError:
    """A mandatory parameter that is not there, empty, or not of its type."""
    return RefusedError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def illegal(name: str, legal: str) -> RefusedError:
    """A value that has characters it must not have."""
    return RefusedError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def unread(read: int, sent: int) -> RefusedError:
    """More parameters than the endpoint knows."""
    words = f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'."
    return RefusedError(-1104, words)


def not_required(name: str) -> RefusedError:
    """A parameter that this kind of order does not take."""
    return RefusedError(-1106, f"Parameter '{name}' sent when not required.")


def new_order_rejected(words: str) -> RefusedError:
    """The matching engine does not take the order."""
    return RefusedError(-2010, words)


def unknown_order() -> RefusedError:
    """Nothing to cancel under that id."""
    return RefusedError(-2011, "Unknown order sent.")


def no_such_order() -> RefusedError:
    """Nothing to tell about under that id."""
    return RefusedError(-2013, "Order does not exist.")


def bad_key_format() -> RefusedError:
    """No API key, or one that is none."""
    return RefusedError(-2014, "API-key format invalid.", HTTPStatus.UNAUTHORIZED)


def no_permission() -> RefusedError:
    """An unknown key, or one that may not do this."""
    words = "Invalid API-key, IP, or permissions for action."
    return RefusedError(-2015, words, HTTPStatus.UNAUTHORIZED)


def too_much_weight(limit: int) -> RefusedError:
    """Slow down."""
    words = (
        f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE. "
        "Please use WebSocket Streams for live updates to avoid polling the API."
    )
    return RefusedError(-1003, words, HTTPStatus.TOO_MANY_REQUESTS)


def no_such_path(method: str, path: str) -> RefusedError:
    """Nothing is served there."""
    return RefusedError(-5000, f"Path {path}, Method {method} is invalid", HTTPStatus.NOT_FOUND)
