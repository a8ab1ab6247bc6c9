"""Reads the single parts of a request that somebody asks about: on the command line, or in a file of cases."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from vaultsigner.config.problems import UnusableValueError, suggestion
from vaultsigner.domain.names import JsonValue, Operation
from vaultsigner.domain.principals import Principal
from vaultsigner.policy.document import PRINCIPAL_KINDS, TARGET_KINDS
from vaultsigner.policy.fields import FIELDS
from vaultsigner.policy.operations import OPERATIONS
from vaultsigner.policy.words import plain_name
from vaultsigner.signing.described import field_hint
from vaultsigner.strict_json import JsonNumber, MalformedJsonError, parse

_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_SINCE = re.compile(r"([1-9][0-9]{0,4})([hd])")
_read_principal = plain_name(PRINCIPAL_KINDS)
read_target = plain_name(TARGET_KINDS)
"""`wallet:wallet_1`."""


def read_principal(text: str) -> Principal:
    """`user:sam`.

    Raises:
        UnusableValueError: as all of these; it says what to write.
    """
    kind, _, name = _read_principal(text).partition(":")
    return Principal("client", name, "hmac") if kind == "client" else Principal("user", name)


def read_operation(text: str) -> Operation:
    """One operation by its whole name."""
    if text not in OPERATIONS:
        raise UnusableValueError("there is no such operation", suggestion(text, OPERATIONS))
    return Operation(text)


def read_field_name(text: str) -> str:
    """A field that rules can ask about."""
    if text not in FIELDS:
        raise UnusableValueError("no field has this name", field_hint(text))
    return text


def read_field_value(value: Any) -> str | int | bool:
    """A field's value. Decimals are text: what another program reads as a float is not what will be compared."""
    if isinstance(value, str | int):
        return value
    raise UnusableValueError(
        "this is no single value", 'write text; decimals are text, too, like "1.50000000"'
    )


def read_ip(text: str) -> IPv4Address | IPv6Address:
    """`10.0.0.7`."""
    try:
        return ip_address(text)
    except ValueError:
        raise UnusableValueError("this is no IP address", "write it like 10.0.0.7") from None


def read_moment(text: str) -> datetime:
    """`2026-11-20T10:00:00Z`."""
    try:
        if _MOMENT.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise UnusableValueError(
        "this is no moment", "write it with its zone, like 2026-11-20T10:00:00Z or 2026-11-20T11:00:00+01:00"
    )


def read_since(text: str, now: datetime) -> datetime:
    """A day, a moment, or how long ago: `2026-11-01`, `2026-11-01T08:00:00Z`, `30d`, `12h`."""
    ago = _SINCE.fullmatch(text)
    try:
        if ago is not None:
            return now - timedelta(hours=int(ago[1]) * (24 if ago[2] == "d" else 1))
        return read_moment(f"{text}T00:00Z" if len(text) == 10 else text)
    except (UnusableValueError, OverflowError):
        raise UnusableValueError(
            "this is no moment", "write it like 2026-11-01, 2026-11-01T08:00:00Z, 30d or 12h"
        ) from None


def read_item(text: str) -> Mapping[str, JsonValue]:
    """One item as JSON: `{"amount": "5", "symbol": "BNB"}`."""
    try:
        document = parse(text.encode("utf-8", "surrogateescape"))
    except MalformedJsonError as error:
        message = str(error).replace("the body", "this")
        raise UnusableValueError(message, """write it like '{"amount": "5", "symbol": "BNB"}'""") from None
    if not isinstance(document, dict):
        raise UnusableValueError(
            "an item is an object", """write it like '{"amount": "5", "symbol": "BNB"}'"""
        )
    return {read_field_name(name): _of_json(name, value) for name, value in document.items()}


def _of_json(name: str, value: object) -> JsonValue:
    if isinstance(value, JsonNumber):
        if not value.lstrip("-").isdigit():
            raise UnusableValueError(
                f"{name} is a number with a point", f'decimals are text: "{name}": "{value}"'
            )
        return int(value)
    return read_field_value(value)
