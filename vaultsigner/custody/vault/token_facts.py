"""What Vault says of a token, read without making an object of the token itself. Pure.

Source: the HTTP API of Vault and OpenBao ("Token auth method": lookup-self, renew-self; the `auth` member of every log-in).
"""

import json
import re
from dataclasses import dataclass, field

from vaultsigner.custody.json_scan import JsonScanError, Wanted, find, has_escapes, text_of
from vaultsigner.errors import VaultsignerError

_PLAIN_TOKEN = re.compile(rb"[!-~]{1,4096}")
_LONGEST_ID = 128
_Spans = dict[tuple[str, ...], tuple[int, int]]


class SenselessAnswerError(VaultsignerError):
    """Vault's answer has not the shape that it should have; nothing of it is quoted."""

    code = "vault_unavailable"


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """How long a token lives.

    Args:
        ttl_seconds: from now; 0: it does not end.
        renewable: whether it can be made to live longer.
        full_ttl_seconds: what it was given when it was made, or renewed.
    """

    ttl_seconds: int
    renewable: bool
    full_ttl_seconds: int


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token from a log-in, to be wiped by whoever holds it.

    Args:
        uses: how many requests it is good for; 0: any number.
        policies: their names.
        vault_request_id: of the log-in, to be found in Vault's audit log.
    """

    value: bytearray = field(repr=False)
    facts: TokenFacts
    uses: int
    policies: tuple[str, ...]
    vault_request_id: str


def read_look_up(body: memoryview) -> TokenFacts:
    """The answer of `auth/token/lookup-self`.

    Raises:
        SenselessAnswerError: it is none.
    """
    found = _found(body, {"data": {"ttl": None, "renewable": None, "creation_ttl": None}})
    ttl = _number(body, found, "data", "ttl")
    full = _number(body, found, "data", "creation_ttl", otherwise=0)
    return TokenFacts(ttl, _true(body, found, "data", "renewable"), max(full, ttl))


def read_renewal(body: memoryview) -> TokenFacts:
    """The answer of `auth/token/renew-self`.

    Raises:
        SenselessAnswerError: it is none.
    """
    return _auth_facts(body, _found(body, {"auth": {"lease_duration": None, "renewable": None}}))


def read_log_in(body: memoryview) -> NewToken:
    """The answer of a log-in. The token is copied into a buffer of its own, and nowhere else.

    Raises:
        SenselessAnswerError: it is none, or holds no token (as where a second factor is asked for).
    """
    names = ("client_token", "lease_duration", "renewable", "num_uses", "token_policies")
    found = _found(body, {"request_id": None, "auth": dict.fromkeys(names)})
    inside = text_of(body, found.get(("auth", "client_token"), (0, 0)))
    if inside is None or _PLAIN_TOKEN.fullmatch(body, *inside) is None or has_escapes(body[slice(*inside)]):
        raise SenselessAnswerError("Vault's answer to the log-in holds no token: is there a second factor?")
    facts, uses = _auth_facts(body, found), _number(body, found, "auth", "num_uses", otherwise=0)
    policies, request_id = _names(body, found.get(("auth", "token_policies"))), _id(body, found)
    return NewToken(bytearray(body[slice(*inside)]), facts, uses, policies, request_id)


def _auth_facts(body: memoryview, found: _Spans) -> TokenFacts:
    ttl = _number(body, found, "auth", "lease_duration")
    return TokenFacts(ttl, _true(body, found, "auth", "renewable"), ttl)


def _found(body: memoryview, wanted: Wanted) -> _Spans:
    try:
        return find(body, wanted)
    except JsonScanError as error:
        raise SenselessAnswerError(f"Vault's answer makes no sense: {error}") from None


def _number(body: memoryview, found: _Spans, *path: str, otherwise: int | None = None) -> int:
    span = found.get(path)
    text = b"" if span is None else bytes(body[slice(*span)])
    if not re.fullmatch(rb"[0-9]{1,12}", text):
        if otherwise is None or span is not None:
            raise SenselessAnswerError(f"Vault's answer has no usable {path[-1]}")
        return otherwise
    return int(text)


def _true(body: memoryview, found: _Spans, *path: str) -> bool:
    span = found.get(path)
    return span is not None and bytes(body[slice(*span)]) == b"true"


def _names(body: memoryview, span: tuple[int, int] | None) -> tuple[str, ...]:
    names = None if span is None else json.loads(bytes(body[slice(*span)]))
    return tuple(str(name) for name in names) if isinstance(names, list) else ()


def _id(body: memoryview, found: _Spans) -> str:
    inside = text_of(body, found.get(("request_id",), (0, 0)))
    if inside is None or inside[1] - inside[0] > _LONGEST_ID:
        return ""
    return bytes(body[slice(*inside)]).decode("ascii", "replace")
