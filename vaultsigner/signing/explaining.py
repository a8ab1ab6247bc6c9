"""Why policy would decide a request as it would: for those who ask about themselves, and for operators about anybody."""

import asyncio
from datetime import UTC, datetime
from ipaddress import ip_address

from vaultsigner.config.problems import UnusableValueError, suggestion
from vaultsigner.config.settings import Settings
from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import ClientName, JsonValue, Operation, UserName, WalletName
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.refusals import Refusal
from vaultsigner.formats.exchange.requests import ExchangeRequest
from vaultsigner.formats.exchange.sign_only import read_described
from vaultsigner.policy.document import PRINCIPAL_KINDS, TARGET_KINDS
from vaultsigner.policy.documents import explanation_document, permission_document
from vaultsigner.policy.fields import FIELDS
from vaultsigner.policy.operations import OPERATIONS
from vaultsigner.policy.permissions import common_permissions
from vaultsigner.policy.words import plain_name
from vaultsigner.signing.callers import Caller
from vaultsigner.signing.calls import IpAddress
from vaultsigner.signing.clock import Clock
from vaultsigner.signing.described import (
    field_hint,
    inside,
    note_on_fields,
    note_on_sent,
    sent_intent,
    unknown_target,
)
from vaultsigner.signing.json_bodies import (
    LONGEST_TEXT,
    Members,
    UnusableBodyError,
    invalid,
    read_members,
    read_with,
)
from vaultsigner.signing.suspensions import NO_OPERATOR, is_operator
from vaultsigner.signing.trail import Trail
from vaultsigner.strict_json import JsonDocument, JsonNumber

MEMBERS = ("principal", "operation", "target", "item", "items", "memo", "request", "ip", "at")
READ_FROM_REQUEST = ("operation", "item", "items", "memo")
MOST_ITEMS = 100
MOST_DIGITS = 18
MOST_WAITING = 16

BUSY = Refusal(
    "rate_limited",
    "Too many wait for an explanation of policy: try again in a moment",
    reason=f"{MOST_WAITING} wait for an explanation",
    retry_after_seconds=1,
)

_read_principal = plain_name(PRINCIPAL_KINDS)
_read_target = plain_name(TARGET_KINDS)


class Explaining:
    """Answers without doing anything: no limit is used, nobody is asked to approve.

    To look at each of 10,000 rules for each of 100 items takes seconds. It is done in a thread, so that others are served
    meanwhile, and for one caller at a time, so that they get their share of the processor.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def explain(self, trail: Trail, caller: Caller) -> JsonValue | Refusal:
        """What each rule says to the request that the body describes, and what they come to."""
        if self._waiting >= MOST_WAITING:
            return BUSY
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(self._explained, trail, caller)
        finally:
            self._waiting -= 1

    def _explained(self, trail: Trail, caller: Caller) -> JsonValue | Refusal:
        try:
            members = read_members(trail.call.body, MEMBERS)
            who = self._account(members, caller)
            request, target = _request(members), self._target(members, who)
            intent = _intent(members, target) if request is None else _sent_intent(request, target)
            circumstances = self._circumstances(members, trail)
        except UnusableBodyError as error:
            return error.refusal
        note = (
            note_on_fields(intent)
            if request is None
            else note_on_sent(
                request,
                intent,
                policies=trail.policies,
                principal=who.principal,
                circumstances=circumstances,
                settings=self._settings,
            )
        )
        explanation = trail.policies.explain(who.principal, intent, circumstances)
        return explanation_document(
            who.principal,
            intent,
            circumstances,
            explanation,
            permission=permission_document(self._settings, intent, who.account),
            note=note,
            with_places=is_operator(caller),
        )

    def _account(self, members: Members, caller: Caller) -> Caller:
        """Of whom the request would be: the caller, or for operators anybody."""
        named = read_with(members, "principal", _read_principal)
        if named is None or named == str(caller.principal):
            return caller
        if not is_operator(caller):
            raise UnusableBodyError(NO_OPERATOR)
        kind, _, name = named.partition(":")
        client, user = self._settings.clients.get(ClientName(name)), self._settings.users.get(UserName(name))
        if kind == "client" and client is not None:
            return Caller(Principal("client", name, client.scheme), client)
        if kind == "user" and user is not None:
            return Caller(Principal("user", name), user)
        names = self._settings.clients if kind == "client" else self._settings.users
        raise invalid(("principal",), f"no {kind} has this name; {suggestion(name, names)}")

    def _target(self, members: Members, who: Caller) -> str:
        target = read_with(members, "target", _read_target)
        if target is None:
            raise invalid(("target",), "say on what, e.g. wallet:wallet_1")
        kind, _, name = target.partition(":")
        if kind == "wallet" and not self._visible(name, who):
            raise UnusableBodyError(
                Refusal("wallet_not_found", f"Not authorised to access wallet {name[:64]}")
            )
        # Nobody is told other names than those of their own list.
        own = {"exchange": who.account.exchanges, "open_api": who.account.open_api}.get(kind, ())
        if kind != "wallet" and (unknown := unknown_target(self._settings, target, own)) is not None:
            raise invalid(("target",), unknown)
        return target

    def _visible(self, name: str, who: Caller) -> bool:
        wallet = self._settings.wallets.get(WalletName(name))
        return wallet is not None and bool(common_permissions(wallet, who.account))

    def _circumstances(self, members: Members, trail: Trail) -> Circumstances:
        ip = read_with(members, "ip", _read_ip)
        at = read_with(members, "at", _read_moment)
        now = datetime.fromtimestamp(self._clock.milliseconds() / 1000, UTC)
        return Circumstances(ip or trail.call.ip, at or now)


def _request(members: Members) -> ExchangeRequest | None:
    """The request to an exchange as it would be sent; None where only its fields are given."""
    if members.get("request") is None:
        return None
    for name in READ_FROM_REQUEST:
        if members.get(name) is not None:
            raise invalid((name,), "there is request, too, which says it: keep one of them")
    request = read_described(members["request"])
    if isinstance(request, Refusal):
        raise UnusableBodyError(inside("request", request))
    return request


def _sent_intent(request: ExchangeRequest, target: str) -> Intent:
    if not target.startswith("exchange:"):
        raise invalid(("target",), "a request as it would be sent is for an exchange: write exchange:NAME")
    return sent_intent(request, target)


def _intent(members: Members, target: str) -> Intent:
    operation = read_with(members, "operation", _read_operation)
    if operation is None:
        raise invalid(
            ("operation",),
            "say what is asked for, e.g. transfer.broadcast, or give a request to an exchange as request",
        )
    return Intent(operation, target, _items(members), _memo(members))


def _read_operation(text: str) -> Operation:
    if text not in OPERATIONS:
        raise UnusableValueError("there is no such operation", suggestion(text, OPERATIONS))
    return Operation(text)


def _read_ip(text: str) -> IpAddress:
    try:
        return ip_address(text)
    except ValueError:
        raise UnusableValueError("this is no IP address", "write it like 10.0.0.7") from None


def _read_moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.utcoffset() is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise UnusableValueError("this is no moment with its zone", "write it like 2026-11-20T10:00:00Z")


def _memo(members: Members) -> str:
    """To the letter: a blank at its end makes another memo."""
    memo = members.get("memo")
    if memo is None:
        return ""
    if not isinstance(memo, str) or isinstance(memo, JsonNumber) or len(memo) > LONGEST_TEXT:
        raise invalid(("memo",), f"this must be text of at most {LONGEST_TEXT} characters")
    return memo


def _items(members: Members) -> tuple[dict[str, JsonValue], ...]:
    one, many = members.get("item"), members.get("items")
    if one is not None and many is not None:
        raise invalid(("items",), "there is item, too: keep one of them")
    given = many if many is not None else [one if one is not None else {}]
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_ITEMS:
        raise invalid(("items",), f"this is a list of 1 to {MOST_ITEMS} objects")
    items: list[dict[str, JsonValue]] = []
    for number, item in enumerate(given):
        where: tuple[str | int, ...] = ("items", number) if many is not None else ("item",)
        items.append(_item(item, where))
    return tuple(items)


def _item(item: JsonDocument, where: tuple[str | int, ...]) -> dict[str, JsonValue]:
    """An item's fields. Decimals are text: a number with a point may have been rounded by whoever wrote it."""
    if not isinstance(item, dict):
        raise invalid(where, "an item is an object of fields and their values")
    fields: dict[str, JsonValue] = {}
    for name, value in item.items():
        if name not in FIELDS:
            raise invalid(where, f"no field has this name; {field_hint(name)}")
        if isinstance(value, JsonNumber):
            if not value.lstrip("-").isdecimal() or len(value) > MOST_DIGITS:
                raise invalid((*where, name), "decimals are text: put the number in quotes")
            fields[name] = int(value)
        elif isinstance(value, str | bool):
            fields[name] = value
        else:
            raise invalid((*where, name), "this is no single value")
    return fields
