"""What a client wants an exchange to be asked, read from the parameters of the client's own request."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, get_args

from vaultsigner.domain.refusals import Refusal

Method = Literal["GET", "POST", "PUT", "DELETE"]
Transport = Literal["rest", "websocket"]

DEFAULT_RECV_WINDOW_MS = 5000
LONGEST_RECV_WINDOW_MS = 60_000
LONGEST_PATH = 128

METHODS: frozenset[str] = frozenset(get_args(Method))
_PATH = re.compile(r"(?:/[A-Za-z0-9][A-Za-z0-9_.-]*)+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_OURS = frozenset({"timestamp", "recvWindow", "signature", "operation"})


@dataclass(frozen=True, slots=True)
class ExchangeRequest:
    """What is to be asked of an exchange, without what every signature has anew: time, window, API key, signature.

    Args:
        transport: REST, or the WebSocket API.
        method: REST: GET, POST, PUT or DELETE; WebSocket: the method's name, e.g. `order.place`.
        path: REST: e.g. `/api/v3/order`; WebSocket: empty.
        parameters: names and values as they are meant (decoded), in the order sent; every name once.
        json_body: a JSON body byte for byte, else empty. Parameters stand in the query then.
        recv_window_ms: for how long the exchange may take the request, from 1 to 60,000.
    """

    transport: Transport
    method: str
    path: str
    parameters: tuple[tuple[str, str], ...] = field(repr=False)
    json_body: bytes = field(default=b"", repr=False)
    recv_window_ms: int = DEFAULT_RECV_WINDOW_MS

    @property
    def digest(self) -> bytes:
        """SHA-256 that is equal for two that ask for the same in the same words, and for no others."""
        parts = [
            self.transport,
            self.method,
            self.path,
            [list(pair) for pair in self.parameters],
            self.json_body.hex(),
            self.recv_window_ms,
        ]
        return hashlib.sha256(json.dumps(parts).encode("ascii")).digest()


def from_parameters(
    method: str,
    path: str,
    pairs: Iterable[tuple[bytes, bytes]],
    json_body: bytes = b"",
    *,
    recv_window_ms: int = DEFAULT_RECV_WINDOW_MS,
) -> ExchangeRequest | Refusal:
    """The request that a client's own signed request stands for, or what is wrong with its shape.

    `timestamp`, `recvWindow`, `signature` and `operation` are the client's dealings with vaultsigner and are left out.

    Args:
        method: of HTTP.
        path: at the exchange, from its first slash, as received.
        pairs: decoded names and values.
        json_body: as received, empty where the body is none or a form.
        recv_window_ms: what the client gave vaultsigner as recvWindow, or the usual.

    Returns:
        The request; or a refusal, `malformed_request` (method, path) or `malformed_parameters`.
    """
    if (problem := problem_of_place(method, path)) is not None:
        return Refusal("malformed_request", problem)
    texts: list[tuple[str, str]] = []
    for name, value in pairs:
        try:
            texts.append((name.decode("utf-8"), value.decode("utf-8")))
        except UnicodeDecodeError:
            return Refusal(
                "malformed_parameters", "A parameter is not UTF-8: encode names and values as UTF-8"
            )
    parameters = tuple(pair for pair in texts if pair[0] not in _OURS)
    if (problem := problem_of_names(name for name, _ in parameters)) is not None:
        return Refusal("malformed_parameters", problem)
    return ExchangeRequest("rest", method, path, parameters, json_body, recv_window_ms)


def problem_of_place(method: str, path: str) -> str | None:
    """What is wrong with a method and a path, for people; None where nothing is.

    No percent sign, no empty segment and none that begins with a dot: two readers must not see two endpoints there.
    """
    if method not in METHODS:
        return "The method must be one of GET, POST, PUT and DELETE"
    if len(path) > LONGEST_PATH or not _PATH.fullmatch(path):
        return (
            f"The path at the exchange must look like /api/v3/order: at most {LONGEST_PATH} letters, digits, "
            "dots, hyphens and underscores between single slashes, without one at the end"
        )
    return None


def problem_of_names(names: Iterable[str]) -> str | None:
    """What is wrong with the names of parameters, for people; None where nothing is. No name is repeated: it may be a secret."""
    seen: set[str] = set()
    for name in names:
        if not name:
            return "A parameter has no name: leave it out"
        if _CONTROL.search(name):
            return "The name of a parameter holds a control character"
        if name in seen:
            return "A parameter is given more than once: give each name once"
        seen.add(name)
    return None
