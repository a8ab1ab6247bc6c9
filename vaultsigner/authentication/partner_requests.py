"""Reading partner requests: the Binance Web3 API specification V0.0.6, whose signature travels in a header. Pure.

The payload is the parameter string before any percent-encoding, in the order sent. Decoding loses where names and values end,
so only what can be told apart again is taken.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from vaultsigner.authentication.parameters import NEVER_RAW, Parameter, beyond_bounds, read_parameters
from vaultsigner.authentication.signed_requests import misspelt_name, read_milliseconds
from vaultsigner.authentication.windows import (
    DEFAULT_RECV_WINDOW_MS,
    LONGEST_PARTNER_WINDOW_MS,
    PARTNER_BEHIND_MS,
)
from vaultsigner.domain.refusals import Refusal

INVALID_SIGNATURE = "partner_invalid_signature"
INVALID_RECV_WINDOW = "partner_invalid_recv_window"
INVALID_TIMESTAMP = "partner_invalid_timestamp"
INVALID_ARGUMENT = "partner_invalid_argument"


@dataclass(frozen=True, slots=True)
class PartnerRequest:
    """A partner's request whose signature nobody has looked at yet.

    Args:
        payload: the bytes that the signature must cover.
        parameters: decoded, in the order sent.
        timestamp_ms: milliseconds since 1970, as the partner's clock had it.
        recv_window_ms: how far ahead of ours that clock may be.
    """

    payload: bytes = field(repr=False)
    parameters: Mapping[str, str]
    timestamp_ms: int
    recv_window_ms: int

    @property
    def expires_at_ms(self) -> int:
        """From here on it is not accepted any more; its nonce may be forgotten after it."""
        return self.timestamp_ms + PARTNER_BEHIND_MS

    def nonce(self) -> bytes:
        """What may count once. Begins as no client's does: a client has a name."""
        return hashlib.sha256(b"\0" + self.payload).digest()


def read_partner_request(query: bytes, body: bytes) -> PartnerRequest | Refusal:
    """What was signed, or which of the specification's errors its shape is.

    Args:
        query: what follows the first ? of the request target, as received.
        body: as received: empty, or a form.
    """
    if query and body:
        return _invalid("query and body both carry parameters: send all in one of them")
    raw = query or body
    if beyond_bounds(raw):
        return _invalid("too many parameters, or too long")
    if NEVER_RAW.search(raw):
        return _invalid("a blank, a control character or a # is not percent-encoded")
    if any(b"=" not in piece for piece in raw.split(b"&")):
        return _invalid("a parameter has no =")
    parameters = read_parameters(raw)
    if isinstance(parameters, Refusal):
        return _invalid(parameters.message)
    ambiguous = _ambiguous(parameters)
    return _request(parameters) if ambiguous is None else _invalid(ambiguous)


def _ambiguous(parameters: tuple[Parameter, ...]) -> str | None:
    for parameter in parameters:
        if b"&" in parameter.name + parameter.value or b"=" in parameter.name:
            return "a name holds & or =, or a value holds &: it could be split elsewhere"
    misspelt = misspelt_name(parameters)
    return None if misspelt is None else f"write the name {misspelt} exactly so, without percent-encoding"


def _request(parameters: tuple[Parameter, ...]) -> PartnerRequest | Refusal:
    payload = b"&".join(parameter.name + b"=" + parameter.value for parameter in parameters)
    try:
        texts = {parameter.name.decode(): parameter.value.decode() for parameter in parameters}
    except UnicodeDecodeError:
        return _invalid("a parameter is not UTF-8")
    if "signature" in texts:
        return _invalid("the signature belongs in the header alone")
    times = _times({parameter.name: parameter for parameter in parameters})
    return times if isinstance(times, Refusal) else PartnerRequest(payload, MappingProxyType(texts), *times)


def _times(named: dict[bytes, Parameter]) -> tuple[int, int] | Refusal:
    recv_window: int | None = DEFAULT_RECV_WINDOW_MS
    if b"recvWindow" in named:
        recv_window = read_milliseconds(named[b"recvWindow"])
    if recv_window is None or recv_window > LONGEST_PARTNER_WINDOW_MS:
        return Refusal(
            INVALID_RECV_WINDOW, f"recvWindow must be milliseconds, at most {LONGEST_PARTNER_WINDOW_MS}"
        )
    timestamp = read_milliseconds(named[b"timestamp"]) if b"timestamp" in named else None
    if timestamp is None:
        return Refusal(INVALID_TIMESTAMP, "timestamp must be milliseconds since 1970")
    return timestamp, recv_window


def _invalid(what: str) -> Refusal:
    return Refusal(INVALID_ARGUMENT, f"invalid argument: {what}")
