"""JSON Web Tokens in exactly one spelling (RFC 7515, RFC 7519): what access tokens and Open API tokens share. Pure.

Three segments of canonical base64url, the first two JSON objects without a member given twice. Which members they must have,
and how they are signed, is for the module of each kind of token.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field

from vaultsigner.strict_json import JsonDocument, JsonNumber, MalformedJsonError, parse

LONGEST_TOKEN = 4096
_SEGMENTS = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_SECONDS = re.compile(r"0|[1-9][0-9]{0,11}")


@dataclass(frozen=True, slots=True)
class StrictJwt:
    """A token as it was read, not yet believed.

    Args:
        header: its members.
        claims: the payload's members.
        signing_input: the bytes that the signature covers (RFC 7515, section 5.1).
        signature: decoded.
    """

    header: dict[str, JsonDocument]
    claims: dict[str, JsonDocument]
    signing_input: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def read_strict_jwt(token: str) -> StrictJwt | str:
    """The parts of a token, or the reason why it is none (for the record).

    Args:
        token: as it stood in its header; at most 4,096 characters.
    """
    segments = _SEGMENTS.fullmatch(token) if len(token) <= LONGEST_TOKEN else None
    if segments is None:
        return "not a token"
    header, claims, signature = (_decoded(segment) for segment in segments.groups())
    if header is None or claims is None or signature is None:
        return "malformed token"
    try:
        documents = parse(header, max_depth=2), parse(claims, max_depth=2)
    except MalformedJsonError:
        return "malformed token"
    if not isinstance(documents[0], dict) or not isinstance(documents[1], dict):
        return "malformed token"
    signing_input = token.rpartition(".")[0].encode("ascii")
    return StrictJwt(documents[0], documents[1], signing_input, signature)


def text_claim(value: JsonDocument) -> str | None:
    """A claim that is a text, None where it is anything else: every JsonNumber is a `str` too."""
    return value if isinstance(value, str) and not isinstance(value, JsonNumber) else None


def seconds_claim(value: JsonDocument) -> int | None:
    """A claim that is a whole number of seconds since 1970, of at most twelve digits; None where it is anything else.

    JsonNumber keeps the characters: 1e12 and 1.0 are whole numbers to some readers and not to others.
    """
    return int(value) if isinstance(value, JsonNumber) and _SECONDS.fullmatch(value) else None


def _decoded(segment: str) -> bytes | None:
    """Base64url has spare bits at the end of most lengths: the same signature must not have several spellings."""
    if len(segment) % 4 == 1:
        return None
    data = urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    return data if urlsafe_b64encode(data).rstrip(b"=") == segment.encode("ascii") else None
