"""From a record of kind `intent` back to the request that it tells of, as policies look at it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from ipaddress import ip_address
from typing import Any, NamedTuple

from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.decisions import Effect
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import Operation
from vaultsigner.domain.principals import Principal, PrincipalKind
from vaultsigner.policy import PolicySet
from vaultsigner.policy.conditions import TextIn

_KINDS: Mapping[str, PrincipalKind] = {"user": "user", "client": "client", "partner": "partner"}
_EFFECTS: Mapping[str, Effect] = {"allow": "allow", "deny": "deny"}
_TARGET_KINDS = ("wallet", "exchange", "open_api")
_MANY_ADDRESSES = 4096
_parse_ip = lru_cache(_MANY_ADDRESSES)(ip_address)


class RecordedRequest(NamedTuple):
    """A request as it was, and what was decided then.

    Args:
        effect, rule: of the decision on the record.
        policy: digest of the rules that were in force.
        approvals: whether that decision asked for approvals, as far as the record tells.
    """

    principal: Principal
    intent: Intent
    circumstances: Circumstances
    effect: Effect
    rule: str | None
    policy: str | None
    approvals: bool


class RecordReader:
    """Turns records into requests, for rules that are known.

    A record has a memo's SHA-256 alone. That is enough: rules compare memos with texts that they name, so the memo behind a
    digest is one of those texts, or it is none of them and every other text compares alike.

    Args:
        policies: the rules that the requests will be shown to.
    """

    def __init__(self, policies: PolicySet) -> None:
        self._memos = {sha256(text.encode()).hexdigest(): text for text in _memos_in(policies)}
        self._principals: dict[tuple[str, str, str], Principal] = {}

    def request(self, record: Mapping[str, Any]) -> RecordedRequest | None:
        """The request; None where the record has not the members that one of kind `intent` has."""
        try:
            decision = record["decision"]
            return RecordedRequest(
                self._principal(record["principal"]),
                self._intent(record),
                Circumstances(_parse_ip(_text(record["ip"])), _moment(record["time"])),
                _EFFECTS[decision["effect"]],
                _text_or_none(decision["rule"]),
                _text_or_none(decision.get("policy")),
                bool(decision.get("approvals")),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def _principal(self, member: Mapping[str, Any]) -> Principal:
        key = (member["type"], member["name"], member["scheme"])
        known = self._principals.get(key)
        if known is None:
            kind, name, scheme = _kind(key[0]), _text(key[1]), _text(key[2])
            if len(self._principals) >= _MANY_ADDRESSES:
                self._principals.clear()
            known = self._principals[key] = Principal(kind, name, scheme)
        return known

    def _intent(self, record: Mapping[str, Any]) -> Intent:
        described = dict(record["intent"])
        digest = described.pop("memo_sha256", None)
        memo = "" if digest is None else self._memos.get(digest, f"\0{digest}")
        items = described.get("items")
        return Intent(
            Operation(_text(record["operation"])),
            _target(record),
            tuple(map(dict, items)) if isinstance(items, list) else (described,),
            memo,
        )


def _memos_in(policies: PolicySet) -> Iterable[str]:
    for rule in policies.rules:
        for condition in rule.conditions:
            if isinstance(condition, TextIn) and condition.field == "memo":
                yield from condition.values


def _target(record: Mapping[str, Any]) -> str:
    for kind in _TARGET_KINDS:
        name = record.get(kind)
        if name is not None:
            return f"{kind}:{_text(name)}"
    raise KeyError("no target")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not UTC:
        raise ValueError("records have their time in UTC")
    return moment


def _kind(value: object) -> PrincipalKind:
    return _KINDS[_text(value)]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)
