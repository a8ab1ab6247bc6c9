"""Reads the single words of policy files; every complaint says what to write instead."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from vaultsigner.config.problems import KnownWords, UnusableValueError, suggestion
from vaultsigner.domain.decisions import Effect, LimitScope
from vaultsigner.domain.permissions import PERMISSION_FOR_MESSAGE
from vaultsigner.policy.decimals import MAX_CHARACTERS, read_decimal
from vaultsigner.policy.fields import DECIMAL_FIELDS
from vaultsigner.policy.operations import FAMILIES, OPERATIONS
from vaultsigner.policy.times import DAYS, MINUTES_OF_DAY, zone_names
from vaultsigner.strict_yaml import is_plain_name

NAME = r"[A-Za-z0-9_.-]{1,64}"
_LIST_NAME = r"[A-Za-z0-9_-]{1,64}"
_EFFECTS: dict[str, Effect] = {"allow": "allow", "deny": "deny"}
_SCOPES: dict[str, LimitScope] = {"principal": "principal", "target": "target", "rule": "rule"}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST_SECONDS = 366 * 86400


def read_version(value: Any) -> int:
    """The format's version: there is one."""
    if value != 1 or isinstance(value, bool):
        raise UnusableValueError("this version of the policy language is not known", "write version: 1")
    return 1


def read_rule_id(text: str) -> str:
    """`desk-trades`."""
    if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", text) is None:
        raise UnusableValueError("this is no rule id", "write 1 to 64 small letters, digits and hyphens")
    return text


def read_list_name(text: str) -> str:
    """The name of a list or a group."""
    if re.fullmatch(_LIST_NAME, text) is None:
        raise UnusableValueError("this is no usable name", "write 1 to 64 letters, digits, _ and -")
    return text


def read_list_entry(text: str) -> str:
    """Text that a field may be compared with."""
    if not 1 <= len(text) <= 256:
        raise UnusableValueError("this entry is empty or too long", "write 1 to 256 characters")
    if text.startswith("$"):
        raise UnusableValueError("a list inside a list", "write the entries themselves here, too")
    return text


def read_effect(text: str) -> Effect:
    """Allow or deny."""
    effect = _EFFECTS.get(text)
    if effect is None:
        raise UnusableValueError("the effect is allow or deny", suggestion(text, list(_EFFECTS)))
    return effect


def read_scope(text: str) -> LimitScope:
    """Who shares a limit's window."""
    scope = _SCOPES.get(text)
    if scope is None:
        raise UnusableValueError("a limit is per principal, target or rule", suggestion(text, list(_SCOPES)))
    return scope


def name_pattern(kinds: tuple[str, ...], single: tuple[str, ...] = ()) -> Callable[[str], str]:
    """A reader for `*`, `kind:*` and `kind:name`.

    Args:
        kinds: that may stand before the colon.
        single: kinds of which a rule names each by itself: no `kind:*`.
    """
    known = (*kinds, *single)

    def read(text: str) -> str:
        kind, colon, name = text.partition(":")
        if text == "*" or (kind in kinds and name == "*") or (kind in known and re.fullmatch(NAME, name)):
            return text
        if kind in single and name == "*":
            raise UnusableValueError(f"a star cannot stand for every {kind}", f"write {kind}:NAME for each")
        if kind in known and "*" in name:
            raise UnusableValueError("a star stands for a whole name only", f"write {kind}:* or {kind}:NAME")
        meant = KnownWords(known).nearest(kind) or kinds[0]
        shown = f"{meant}:{name}" if colon and (name == "*" or _is_showable(name)) else f"{meant}:NAME"
        raise UnusableValueError("this names nothing that rules know", f'write {shown}, {meant}:* or "*"')

    return read


def plain_name(kinds: tuple[str, ...]) -> Callable[[str], str]:
    """A reader for `kind:name` alone."""

    def read(text: str) -> str:
        kind, colon, name = text.partition(":")
        if kind in kinds and re.fullmatch(NAME, name):
            return text
        likely = "user" if "user" in kinds else kinds[0]
        meant = (KnownWords(kinds).nearest(kind) if colon else None) or likely
        meant_name = name if colon else text
        shown = meant_name if _is_showable(meant_name) else "NAME"
        listed = " or ".join(f"{each}:NAME" for each in kinds)
        raise UnusableValueError(f"only {listed} can stand here", f"write {meant}:{shown}")

    return read


def _is_showable(name: str) -> bool:
    """A name may be repeated in a message; a secret that stands where a name belongs must not."""
    return re.fullmatch(NAME, name) is not None and is_plain_name(name)


def read_operation_pattern(text: str) -> str:
    """`*`, `order.*` or `order.sign`."""
    family, _, action = text.partition(".")
    if text == "*" or text in OPERATIONS or (family in FAMILIES and action == "*"):
        return text
    raise UnusableValueError("there is no such operation", _operation_hint(family[:64], action[:64]))


@lru_cache(maxsize=256)
def _operation_hint(family: str, action: str) -> str:
    meant = KnownWords(FAMILIES).nearest(family)
    if meant is None:
        messages = ", ".join(PERMISSION_FOR_MESSAGE)
        return f'write "*", or one of {messages} followed by .sign, .broadcast or .*, or exchange.order and its like'
    actions = [each.partition(".")[2] for each in OPERATIONS if each.startswith(f"{meant}.")]
    if meant in ("exchange", "open_api") and action:
        return suggestion(action, actions).replace("did you mean ", f"did you mean {meant}.")
    return f"did you mean {meant}.{KnownWords(actions).nearest(action) or '*'}?"


def read_bound(value: Any) -> Decimal:
    """A decimal from 0 up, always as text: YAML numbers are rounded by some who read them."""
    if isinstance(value, int) and not isinstance(value, bool):
        raise UnusableValueError("decimals are written as text", f'write "{value}"')
    found = read_decimal(value) if isinstance(value, str) else None
    if found is None:
        hint = f'write it like "250000" or "0.5", at most {MAX_CHARACTERS} characters, no sign'
        raise UnusableValueError("this is no finite decimal", hint)
    return found


def read_cap(value: Any) -> Decimal:
    """What a limit sums up to: more than nothing."""
    cap = read_bound(value)
    if not cap:
        raise UnusableValueError(
            "a limit of 0 lets nothing through", "write a deny rule for that, or a larger limit"
        )
    return cap


def read_summed_field(text: str) -> str:
    """A field with decimals."""
    if text not in DECIMAL_FIELDS:
        raise UnusableValueError("no field with numbers has this name", suggestion(text, DECIMAL_FIELDS))
    return text


def read_seconds(text: Any) -> int:
    """`30s`, `1m`, `24h` or `7d` in seconds."""
    match = re.fullmatch(r"([0-9]{1,8})([smhd])", text) if isinstance(text, str) else None
    seconds = int(match[1]) * _SECONDS[match[2]] if match else 0
    if match is None or match[1].startswith("0") or not 1 <= seconds <= _LONGEST_SECONDS:
        hint = "write it like 30s, 1m, 24h or 7d: at least 1s, at most 366d"
        raise UnusableValueError("this is no length of time that we know", hint)
    return seconds


def read_day(text: str) -> date:
    """`2027-06-30`."""
    try:
        return date.fromisoformat(text if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else "")
    except ValueError:
        raise UnusableValueError("there is no such day", "write year-month-day, like 2027-06-30") from None


def read_days(text: str) -> frozenset[int]:
    """`mon-fri`, `sat,sun`, `fri-mon`: days of the week, 0 for Monday."""
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        begins = _day_of_week(first)
        ends = _day_of_week(last) if dash else begins
        days.update((begins + step) % 7 for step in range((ends - begins) % 7 + 1))
    return frozenset(days)


def _day_of_week(word: str) -> int:
    if word not in DAYS:
        near = KnownWords(DAYS).nearest(word[:3])
        hint = f"did you mean {near}?" if near else "write mon-fri, or sat,sun"
        raise UnusableValueError("this is no day of the week", hint)
    return DAYS.index(word)


def read_begin(text: str) -> int:
    """`08:00` in minutes since midnight."""
    return _minute(text, MINUTES_OF_DAY - 1, '"00:00" to "23:59"')


def read_end(text: str) -> int:
    """`18:00` in minutes since midnight; `24:00` is the end of the day."""
    return _minute(text, MINUTES_OF_DAY, '"00:00" to "24:00"')


def _minute(text: str, last: int, span: str) -> int:
    match = re.fullmatch(r"([0-9]{2}):([0-9]{2})", text)
    minutes = int(match[1]) * 60 + int(match[2]) if match and int(match[2]) < 60 else MINUTES_OF_DAY + 1
    if minutes > last:
        raise UnusableValueError("this is no time of day", f'write it like "08:00", from {span}')
    return minutes


def read_zone(text: str) -> str:
    """`Europe/Zurich`, as the IANA database spells it."""
    if text not in zone_names():
        place = text.rpartition("/")[2]
        near = _nearest_zone(text) or _nearest_zone(place)
        hint = f"did you mean {near}?" if near else "write it like Europe/Zurich, or UTC"
        raise UnusableValueError("there is no such time zone", hint)
    return text


def _nearest_zone(text: str) -> str | None:
    """By the whole name or by the city alone; there are too many for `KnownWords` to look for more than spelling."""
    by_name = {name.lower(): name for name in sorted(zone_names())}
    by_city = {name.lower().rpartition("/")[2]: name for name in sorted(zone_names())}
    word = text.lower().replace(" ", "_")[:64]
    for known in (by_name, by_city):
        found = get_close_matches(word, known, n=1, cutoff=0.8)
        if found:
            return known[found[0]]
    return None
