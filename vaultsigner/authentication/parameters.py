"""Parameters of a query or a form body, in the one reading that every parser shares (WHATWG URL, section 5.1). Pure.

On bytes: what is no UTF-8 here may be something else to the next reader, and none of it is needed to tell parameters apart.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from vaultsigner.domain.refusals import Refusal

LONGEST_TEXT = 16 * 1024
MOST_PARAMETERS = 256
NEVER_RAW = re.compile(rb"[\x00-\x20\x7f#]")
"""What a URL holds percent-encoded only (RFC 3986, section 2): some parsers stop there, some take it as it is."""

_MALFORMED_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_TELLABLE_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9_]{0,31}")
_JSON_BLANKS = b" \t\n\r"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: as it is meant, and as it was sent.

    Args:
        name, value: percent-decoded, with a space for each +.
        raw_name, raw_value: as received.
    """

    name: bytes
    value: bytes = field(repr=False)
    raw_name: bytes
    raw_value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SentParameters:
    """The parameters of a request, wherever they stood.

    Args:
        text: the query or the form that they stood in, as received.
        parameters: in the order sent.
        json_body: a JSON body, as received; else empty.
    """

    text: bytes = field(repr=False)
    parameters: tuple[Parameter, ...]
    json_body: bytes = field(repr=False)


def malformed_parameters(message: str) -> Refusal:
    """A fault of shape, which depends on no key and may be told."""
    return Refusal("malformed_parameters", message)


def beyond_bounds(raw: bytes) -> bool:
    """Whether a query or form is too much to be taken apart, for whoever sends it has not shown who they are."""
    return len(raw) > LONGEST_TEXT or raw.count(b"&") >= MOST_PARAMETERS


def read_sent_parameters(query: bytes, body: bytes) -> SentParameters | Refusal:
    """The parameters of a request; `malformed_parameters` where two readers could find different ones.

    Args:
        query: what follows the first ? of the request target, as received.
        body: as received: empty, JSON, or a form.
    """
    json_body = is_json(body)
    if query and body and not json_body:
        return malformed_parameters(
            "Query and form body both carry parameters, and nothing marks where one ends: send all in one of them"
        )
    if NEVER_RAW.search(query):
        return malformed_parameters("The query holds a blank, a control character or a #: percent-encode it")
    text = query if query or json_body else body
    parameters = read_parameters(text)
    if isinstance(parameters, Refusal):
        return parameters
    return SentParameters(text, parameters, body if json_body else b"")


def read_parameters(raw: bytes) -> tuple[Parameter, ...] | Refusal:
    """The parameters in the order sent, or `malformed_parameters`: a name given twice, no name, half a percent escape, too much.

    Args:
        raw: a query or a form body; nothing between two & is no parameter.
    """
    if beyond_bounds(raw):
        return malformed_parameters(
            f"Query and form may have {MOST_PARAMETERS} parameters and {LONGEST_TEXT} bytes, and not more"
        )
    if _MALFORMED_ESCAPE.search(raw):
        return malformed_parameters(
            "A % among the parameters is not followed by two hex digits: send it as %25"
        )
    parameters = tuple(_parameter(piece) for piece in raw.split(b"&") if piece)
    seen: set[bytes] = set()
    for parameter in parameters:
        if not parameter.name:
            return malformed_parameters("A parameter has no name: leave it out")
        if parameter.name in seen:
            return malformed_parameters(
                f"{_told(parameter.name)} is given more than once: give each name once"
            )
        seen.add(parameter.name)
    return parameters


def decode(text: bytes) -> bytes:
    """Percent-decoded, with a space for each + (application/x-www-form-urlencoded); half an escape stays as it is."""
    if b"%" not in text and b"+" not in text:
        return text
    return unquote_to_bytes(text.replace(b"+", b" "))


def is_json(body: bytes) -> bool:
    """Whether a body is meant as JSON; any other that is not empty is a form.

    By its first byte: a Content-Type is not believed, and curl gives the one of forms to JSON too.
    """
    return body.lstrip(_JSON_BLANKS)[:1] in (b"{", b"[")


def _parameter(piece: bytes) -> Parameter:
    raw_name, _, raw_value = piece.partition(b"=")
    return Parameter(decode(raw_name), decode(raw_value), raw_name, raw_value)


def _told(name: bytes) -> str:
    # A longer or stranger name may be a secret in the wrong place; it is not repeated.
    return f"The parameter {name.decode('ascii')}" if _TELLABLE_NAME.fullmatch(name) else "A parameter"
