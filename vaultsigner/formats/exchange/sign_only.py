"""Bodies of calls that want a request signed and send it themselves: `{method, path, params | query, body}` or `{ws, params}`."""

import difflib
import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.refusals import Refusal
from vaultsigner.formats.exchange.encoding import encoded_bytes
from vaultsigner.formats.exchange.parameter_texts import text_of
from vaultsigner.formats.exchange.requests import (
    DEFAULT_RECV_WINDOW_MS,
    LONGEST_RECV_WINDOW_MS,
    ExchangeRequest,
    problem_of_names,
    problem_of_place,
)
from vaultsigner.strict_json import JsonDocument, MalformedJsonError, parse

LARGEST_ENCODED_BYTES = 128 * 1024
"""Of target and body together, less the signature."""
TOO_LARGE = Refusal(
    "malformed_parameters",
    f"The request would have more than {LARGEST_ENCODED_BYTES >> 10} KiB once it is percent-encoded (in JSON, for the WebSocket "
    "API), where a letter that is not ASCII has up to nine characters: send less at once",
)
MOST_PARAMETERS = 256
LONGEST_TEXT = 16 * 1024

_MEMBERS = ("method", "path", "params", "query", "body")
_WEBSOCKET_MEMBERS = ("ws", "params")
_WEBSOCKET_METHOD = re.compile(r"[A-Za-z0-9]+(?:[./][A-Za-z0-9]+)*")
_SET_BY_US = {name.lower(): name for name in ("timestamp", "signature", "apiKey")}
_TRIMMED = " \t\r\n\0"
_WINDOW = re.compile(r"(0|[1-9][0-9]{0,4})(?:\.[0-9]{1,3})?")
_MALFORMED_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_JSON_BLANKS = " \t\n\r"

Pairs = list[tuple[str, str]]


def read_sign_only(body: bytes) -> ExchangeRequest | Refusal:
    """The request to sign, or everything that is wrong with the body.

    Returns:
        The request; or a refusal: `malformed_body` (no JSON), `invalid_fields` (with a list of what is wrong where, as `detail`),
        `malformed_parameters` (what is wrong inside `query` or a form, or that all of it is too much once it is encoded).
    """
    try:
        return read_described(parse(body))
    except MalformedJsonError as error:
        return Refusal(error.code, str(error))


def read_described(document: JsonDocument) -> ExchangeRequest | Refusal:
    """As `read_sign_only`, of a body that is parsed already."""
    if not isinstance(document, dict):
        return _invalid(
            [_problem((), "write a JSON object with method and path, or with ws", "type_error.dict")]
        )
    websocket = "ws" in document
    problems = _unknown_members(document, _WEBSOCKET_MEMBERS if websocket else _MEMBERS)
    request = _read_websocket(document, problems) if websocket else _read_rest(document, problems)
    if isinstance(request, Refusal):
        return request
    if problems or request is None:
        return _invalid(problems)
    return TOO_LARGE if encoded_bytes(request) > LARGEST_ENCODED_BYTES else request


Problem = dict[str, JsonValue]


def _read_websocket(members: Mapping[str, JsonDocument], problems: list[Problem]) -> ExchangeRequest | None:
    method = members["ws"]
    if type(method) is not str or not _WEBSOCKET_METHOD.fullmatch(method) or len(method) > 64:
        problems.append(_problem(("ws",), "write the method's name, like order.place", "value_error.ws"))
        return None
    pairs = _params(members, problems)
    _check_names(pairs, ("params",), problems)
    # What is signed is name=value&name=value, unencoded: an & in a value would make one text of two requests.
    if any("&" in name or "=" in name or "&" in value for name, value in pairs):
        text = "the WebSocket API signs names and values as they are: leave & out, and = out of names"
        problems.append(_problem(("params",), text, "value_error.ambiguous"))
    pairs, window = _without_window(pairs, ("params",), problems)
    return ExchangeRequest("websocket", method, "", tuple(pairs), b"", window)


def _read_rest(
    members: Mapping[str, JsonDocument], problems: list[Problem]
) -> ExchangeRequest | Refusal | None:
    method, path = (_text(members, name, problems) for name in ("method", "path"))
    query, body = (_text(members, name, problems, default="") for name in ("query", "body"))
    if method is not None and path is not None and (wrong := problem_of_place(method, path)) is not None:
        problems.append(_problem(("path",), wrong, "value_error.path"))
    json_body = body.encode("utf-8") if body and body.lstrip(_JSON_BLANKS)[:1] in ("{", "[") else b""
    form = "" if json_body else body
    given = [name for name in ("params", "query") if members.get(name)] + (["body"] if form else [])
    if len(given) > 1:
        text = f"parameters are given in {' and in '.join(given)}: put all of them in one place"
        problems.append(_problem((given[1],), text, "value_error.ambiguous"))
    where = given[0] if given else "params"
    pairs = _params(members, problems) if where == "params" else _decoded(query or form or "")
    if isinstance(pairs, Refusal):
        return pairs
    _check_names(pairs, (where,), problems)
    pairs, window = _without_window(pairs, (where,), problems)
    if method is None or path is None:
        return None
    return ExchangeRequest("rest", method, path, tuple(pairs), json_body, window)


def _text(
    members: Mapping[str, JsonDocument], name: str, problems: list[Problem], *, default: str | None = None
) -> str | None:
    if name not in members and default is None:
        problems.append(_problem((name,), "field required", "value_error.missing"))
    value = members.get(name, default)
    if type(value) is str:
        return value
    if name in members:
        problems.append(_problem((name,), "write a text", "type_error.str"))
    return default


def _params(members: Mapping[str, JsonDocument], problems: list[Problem]) -> Pairs:
    params = members.get("params", {})
    if not isinstance(params, dict):
        problems.append(_problem(("params",), "write an object of names and values", "type_error.dict"))
        return []
    if len(params) > MOST_PARAMETERS:
        problems.append(_problem(("params",), f"more than {MOST_PARAMETERS} parameters", "value_error.many"))
        return []
    pairs: Pairs = []
    for name, value in params.items():
        text = text_of(value)
        if text is None:
            text = "null says nothing to an exchange: leave the parameter out"
            problems.append(_problem(("params", _told(name)), text, "type_error.none.not_allowed"))
        else:
            pairs.append((name, text))
    return pairs


def _check_names(pairs: Pairs, loc: tuple[str, ...], problems: list[Problem]) -> None:
    for name, _ in pairs:
        ours = _SET_BY_US.get(name.strip(_TRIMMED).lower())
        if ours is not None:
            text = f"vaultsigner sets {ours}: leave it out"
            problems.append(_problem((*loc, ours), text, "value_error.set_by_vaultsigner"))
    if (problem := problem_of_names(name for name, _ in pairs)) is not None:
        problems.append(_problem(loc, problem, "value_error.name"))


def _without_window(pairs: Pairs, loc: tuple[str, ...], problems: list[Problem]) -> tuple[Pairs, int]:
    """The other parameters, and recvWindow rounded down to whole milliseconds; the usual where none is given."""
    given = [value for name, value in pairs if name == "recvWindow"]
    others = [pair for pair in pairs if pair[0] != "recvWindow"]
    if not given:
        return others, DEFAULT_RECV_WINDOW_MS
    found = _WINDOW.fullmatch(given[0])
    window = int(found[1]) if found else 0
    if not 1 <= window <= LONGEST_RECV_WINDOW_MS:
        text = f"write milliseconds from 1 to {LONGEST_RECV_WINDOW_MS}"
        problems.append(_problem((*loc, "recvWindow"), text, "value_error.recv_window"))
    return others, window


def _decoded(text: str) -> Pairs | Refusal:
    """A query or form, percent-decoded, with a blank for each + (application/x-www-form-urlencoded, WHATWG URL section 5.1)."""
    pieces = [piece for piece in text.split("&") if piece]
    if len(pieces) > MOST_PARAMETERS or len(text) > LONGEST_TEXT:
        return Refusal(
            "malformed_parameters",
            f"query and form may have {MOST_PARAMETERS} parameters and {LONGEST_TEXT} characters, and not more",
        )
    if text.startswith("?"):
        return Refusal("malformed_parameters", "query begins after the ?: leave that out")
    if _MALFORMED_ESCAPE.search(text):
        return Refusal("malformed_parameters", "A % is not followed by two hex digits: write it as %25")
    pairs: Pairs = []
    for piece in pieces:
        name, _, value = piece.partition("=")
        try:
            pairs.append((_unquoted(name), _unquoted(value)))
        except UnicodeDecodeError:
            return Refusal(
                "malformed_parameters", "A parameter is not UTF-8: encode names and values as UTF-8"
            )
    return pairs


def _unquoted(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8")


def _unknown_members(document: Mapping[str, JsonDocument], known: tuple[str, ...]) -> list[Problem]:
    problems: list[Problem] = []
    for name in document:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            text = f"unknown member: {f'write {nearest[0]}, or' if nearest else 'there is no such thing;'} leave it out"
            problems.append(_problem((_told(name),), text, "value_error.extra"))
    return problems


def _told(name: str) -> str:
    # A longer or stranger name may be a secret in the wrong place; it is not repeated.
    return name if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,31}", name) else "…"


def _problem(loc: tuple[str, ...], message: str, kind: str) -> Problem:
    return {"loc": ["body", *loc], "msg": message, "type": kind}


def _invalid(problems: list[Problem]) -> Refusal:
    first = problems[0]
    where = first["loc"]
    place = ".".join(str(part) for part in where) if isinstance(where, list) else "body"
    return Refusal("invalid_fields", f"{place}: {first['msg']}", detail=[*problems])
