"""Reading signed requests: what the client signed, and what it says of time. Pure; whether the signature fits is not asked here.

Source: Binance's rule for SIGNED endpoints (Spot API, "Request Security"): the payload is the query as sent, followed by the
body as sent, without the signature. Nothing marks where the one ends and the other begins, so only requests are taken whose
payload can be cut in one way alone.
"""

import hashlib
import re
from dataclasses import dataclass, field
from itertools import chain

from vaultsigner.authentication.parameters import (
    Parameter,
    SentParameters,
    beyond_bounds,
    decode,
    is_json,
    malformed_parameters,
    read_sent_parameters,
)
from vaultsigner.authentication.windows import DEFAULT_RECV_WINDOW_MS, LONGEST_EXCHANGE_WINDOW_MS
from vaultsigner.domain.refusals import Refusal

__all__ = [
    "SignedRequest",
    "authentication_failed",
    "carries_signature",
    "malformed_parameters",
    "misspelt_name",
    "read_milliseconds",
    "read_signed_request",
]

_OWN_NAMES = {name.lower(): name for name in (b"timestamp", b"recvWindow", b"signature", b"operation")}
_MILLISECONDS = re.compile(rb"0|[1-9][0-9]{0,14}")
_PLAIN_WORD = re.compile(rb"[A-Za-z0-9_.-]{1,64}")
_BEGINS_JSON = re.compile(rb"[{\[]")
_TRIMMED = b" \t\r\n\0"


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A signed request whose signature nobody has looked at yet.

    Args:
        payload: the bytes that the signature must cover.
        signature: the signature's text, percent-decoded; hex or base64, as the client's scheme has it.
        timestamp_ms: milliseconds since 1970, as the client's clock had it.
        recv_window_ms: for how long the client wants it to be good.
        parameters: all but the signature, in the order sent.
    """

    payload: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    timestamp_ms: int
    recv_window_ms: int
    parameters: tuple[Parameter, ...]

    @property
    def expires_at_ms(self) -> int:
        """The last millisecond at which it is accepted; its nonce may be forgotten after it."""
        return self.timestamp_ms + self.recv_window_ms

    def nonce(self, client: str) -> bytes:
        """What may count once: over the payload, so that two spellings of one signature are one nonce."""
        return hashlib.sha256(client.encode() + b"\0" + self.payload).digest()

    def value_of(self, name: bytes) -> bytes | None:
        """The decoded value of a parameter, None where there is none of the name."""
        return next((parameter.value for parameter in self.parameters if parameter.name == name), None)


def authentication_failed(reason: str) -> Refusal:
    """The one answer for whoever could not show who they are; only the record tells why."""
    return Refusal(
        "authentication_failed",
        "Could not authenticate: check the API key or token, what is signed and with which key, and the clock",
        reason=reason,
    )


def read_signed_request(query: bytes, body: bytes) -> SignedRequest | Refusal:
    """What was signed, `malformed_parameters` for a fault of shape, or `authentication_failed` where no signature is.

    Args:
        query: what follows the first ? of the request target, as received.
        body: as received: empty, JSON, or a form.
    """
    sent = read_sent_parameters(query, body)
    if isinstance(sent, Refusal):
        return sent
    if (misspelt := misspelt_name(sent.parameters)) is not None:
        return malformed_parameters(f"Write the name {misspelt} exactly so, without percent-encoding")
    return _signed(sent)


def carries_signature(query: bytes, body: bytes) -> bool:
    """Whether there is a `signature` parameter at all, in any spelling and however broken the rest.

    Where there is too much to be taken apart, nothing is found: as a signed request it is refused anyway.
    """
    texts = [query] if is_json(body) else [query, body]
    pieces = chain.from_iterable(text.split(b"&") for text in texts if not beyond_bounds(text))
    return any(_folded(decode(piece.partition(b"=")[0])) == b"signature" for piece in pieces)


def misspelt_name(parameters: tuple[Parameter, ...]) -> str | None:
    """Which of our own names stands there as another reader alone would see it: encoded, in other letters, between blanks."""
    for parameter in parameters:
        own = _OWN_NAMES.get(_folded(parameter.name))
        if own is not None and parameter.raw_name != own:
            return own.decode()
    return None


def read_milliseconds(parameter: Parameter) -> int | None:
    """ASCII digits, not percent-encoded, at most fifteen, no leading zero; None for what others might read as a number."""
    return int(parameter.raw_value) if _MILLISECONDS.fullmatch(parameter.raw_value) else None


def _folded(name: bytes) -> bytes:
    return name.strip(_TRIMMED).lower()


def _signed(sent: SentParameters) -> SignedRequest | Refusal:
    named = {parameter.name: parameter for parameter in sent.parameters}
    signature = named.pop(b"signature", None)
    if signature is None or not signature.value:
        return authentication_failed("signature missing")
    covered, _, last = sent.text.rpartition(b"&")
    if not last.startswith(b"signature="):
        return malformed_parameters("The signature must be the last parameter")
    times = _times(named)
    if isinstance(times, Refusal):
        return times
    if b"operation" in named and not _PLAIN_WORD.fullmatch(named[b"operation"].raw_value):
        return malformed_parameters("operation must be a plain word, like freeze.sign, not percent-encoded")
    # Else the end of the parameters and the beginning of a JSON body could change places under one signature.
    if _BEGINS_JSON.search(covered, _end_of_timestamp(covered)):
        return malformed_parameters(
            "After timestamp, percent-encode { and [: they could be taken for the body"
        )
    return SignedRequest(covered + sent.json_body, signature.value, *times, tuple(named.values()))


def _times(named: dict[bytes, Parameter]) -> tuple[int, int] | Refusal:
    if b"timestamp" not in named:
        return malformed_parameters(
            "The parameter timestamp is missing: send the time in milliseconds since 1970"
        )
    timestamp = read_milliseconds(named[b"timestamp"])
    if timestamp is None:
        return malformed_parameters(
            "timestamp must be milliseconds since 1970: at most 15 digits, nothing else"
        )
    if b"recvWindow" not in named:
        return timestamp, DEFAULT_RECV_WINDOW_MS
    recv_window = read_milliseconds(named[b"recvWindow"])
    if recv_window is None or recv_window > LONGEST_EXCHANGE_WINDOW_MS:
        return malformed_parameters(
            f"recvWindow must be milliseconds in digits, at most {LONGEST_EXCHANGE_WINDOW_MS}"
        )
    return timestamp, recv_window


def _end_of_timestamp(covered: bytes) -> int:
    start = 0 if covered.startswith(b"timestamp=") else covered.index(b"&timestamp=")
    return start + len(b"&timestamp")
