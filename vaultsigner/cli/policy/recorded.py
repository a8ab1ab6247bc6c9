"""From a record of kind `intent` back to the request that it tells of, as policies look at it."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from ipaddress import ip_address
from typing import Any, NamedTuple, TypeVar

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
_MANY = 4096
_parse_ip = lru_cache(_MANY)(ip_address)
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class RecordedDecision(NamedTuple):
    """What was decided then.

    Args:
        effect, rule: of the decision on the record.
        policy: digest of the rules that were in force.
        approvals: whether that decision asked for approvals, as far as the record tells.
    """

    effect: Effect
    rule: str | None
    policy: str | None
    approvals: bool


class RecordedRequest(NamedTuple):
    """A request as it was, and what was decided then."""

    principal: Principal
    intent: Intent
    circumstances: Circumstances
    decision: RecordedDecision


class RecordReader:
    """Turns records into requests, for rules that are known.

    A record has a memo's SHA-256 alone. That is enough: rules compare memos with texts that they name, so the memo behind a
    digest is one of those texts, or it is none of them and every other text compares alike.

    Args:
        policies: the rules that the requests will be shown to.
    """

    def __init__(self, policies: PolicySet) -> None:
        self._memos = {sha256(text.encode()).hexdigest(): text for text in _memos_in(policies)}
        # A month of records has few callers, targets and decisions: what they say is looked at once.
        self._callers: dict[tuple[str, ...], Principal] = {}
        self._targets: dict[tuple[str | None, ...], str] = {}
        self._decisions: dict[tuple[Any, ...], RecordedDecision] = {}

    def request(self, record: Mapping[str, Any]) -> RecordedRequest | None:
        """The request; None where the record has not the members that one of kind `intent` has."""
        try:
            caller, decided = record["principal"], record["decision"]
            who = caller["type"], caller["name"], caller["scheme"]
            what = record.get("wallet"), record.get("exchange"), record.get("open_api")
            then = decided["effect"], decided["rule"], decided.get("policy"), decided.get("approvals")
            return RecordedRequest(
                self._callers.get(who) or _kept(self._callers, who, _principal),
                self._intent(record, self._targets.get(what) or _kept(self._targets, what, _target)),
                Circumstances(_parse_ip(_text(record["ip"])), _moment(record["time"])),
                self._decisions.get(then) or _kept(self._decisions, then, _decision),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def _intent(self, record: Mapping[str, Any], target: str) -> Intent:
        described = record["intent"]
        memo = ""
        if "memo_sha256" in described:
            described = dict(described)
            digest = described.pop("memo_sha256")
            memo = self._memos.get(digest, f"\0{digest}")
        items = described.get("items")
        if not isinstance(items, list):
            items = (described,)
        elif not all(isinstance(item, dict) for item in items):
            raise TypeError("an item that is none")
        return Intent(Operation(_text(record["operation"])), target, tuple(items), memo)


def _kept(known: dict[K, V], key: K, read: Callable[[K], V]) -> V:
    """Read, and kept for the next record that says the same."""
    if len(known) >= _MANY:
        known.clear()
    known[key] = found = read(key)
    return found


def _memos_in(policies: PolicySet) -> Iterable[str]:
    for rule in policies.rules:
        for condition in rule.conditions:
            if isinstance(condition, TextIn) and condition.field == "memo":
                yield from condition.values


def _principal(who: tuple[str, ...]) -> Principal:
    kind, name, scheme = who
    return Principal(_KINDS[_text(kind)], _text(name), _text(scheme))


def _target(names: tuple[str | None, ...]) -> str:
    for kind, name in zip(_TARGET_KINDS, names, strict=True):
        if name is not None:
            return f"{kind}:{_text(name)}"
    raise KeyError("no target")


def _decision(then: tuple[Any, ...]) -> RecordedDecision:
    effect, rule, policy, approvals = then
    return RecordedDecision(
        _EFFECTS[effect], _text_or_none(rule), _text_or_none(policy), approvals=bool(approvals)
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not UTC:
        raise ValueError("records have their time in UTC")
    return moment


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)
