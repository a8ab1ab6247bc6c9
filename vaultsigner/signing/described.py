"""Requests that somebody only describes, to have policy explained: to an exchange as they would be sent, or by their fields."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from vaultsigner.config.problems import KnownWords, suggestion
from vaultsigner.config.settings import Settings
from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import ExchangeName, JsonValue, Operation
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.refusals import Refusal
from vaultsigner.formats.exchange.endpoint import Endpoint
from vaultsigner.formats.exchange.intent import exchange_intent
from vaultsigner.formats.exchange.meaning import meaning_of
from vaultsigner.formats.exchange.parameter_names import FIELD_OF
from vaultsigner.formats.exchange.requests import ExchangeRequest
from vaultsigner.formats.exchange.table import ALL
from vaultsigner.policy import PolicySet
from vaultsigner.policy.fields import FIELDS
from vaultsigner.signing.other_uses import refused_other_use, uses_of_signature, with_the_same_key

BY_HAND = (
    "These fields were written by hand, and the service may find others in a real request. To be sure, give the request as it "
    "would be sent: over HTTP by the member request, on the command line by --method, --path and --query, or --ws and --params."
)
COMPUTED = (
    "The notional is taken for price times quantity here; of a real request it is that for limit orders on spot and of USD-M "
    "contracts alone."
)
PUBLIC = "Forwarded, it needs no policy: anybody may ask the exchange for it."
_OF_ANY_ITEM = frozenset({"endpoint", "method"})


def sent_intent(request: ExchangeRequest, target: str) -> Intent:
    """What policies would decide on, were the request sent to `exchange:NAME`."""
    return exchange_intent(meaning_of(request), _exchange(target))


def inside(member: str, refusal: Refusal) -> Refusal:
    """A refusal of `read_described`, said of a member of the body instead of the body."""
    problems = refusal.detail if isinstance(refusal.detail, list) else []
    detail: list[JsonValue] = []
    for problem in problems:
        if isinstance(problem, dict) and isinstance(loc := problem["loc"], list):
            detail.append({**problem, "loc": ["body", member, *loc[1:]]})
    message = refusal.message.removeprefix("body").removeprefix(".")
    joint = "" if message.startswith(":") else "." if detail else ": "
    return replace(refusal, message=f"{member}{joint}{message}", detail=detail or refusal.detail)


def note_on_sent(
    request: ExchangeRequest,
    intent: Intent,
    *,
    policies: PolicySet,
    principal: Principal,
    circumstances: Circumstances,
    settings: Settings | None,
) -> str | None:
    """What the decision about a request does not tell; None where it tells all.

    That is: that policy is not asked, or that it says no where the request is not sent by us, but signed and handed out.
    """
    if meaning_of(request).security == "public":
        return PUBLIC
    exchange = _exchange(intent.target)
    decision = policies.evaluate(principal, intent, circumstances)
    shared = () if settings is None else with_the_same_key(settings.exchanges, exchange)
    also = uses_of_signature(request, exchange, shared)
    refused = refused_other_use(policies, principal, circumstances, decision, also)
    if not decision.allowed or refused is None:
        return None
    sent = "" if request.transport == "websocket" else " instead of forwarded"
    return f"Signed for the caller to send{sent}, it is refused: {refused.reason}."


def note_on_fields(intent: Intent) -> str | None:
    """What may differ between fields that somebody wrote down and those of a real request; None where nothing does."""
    if not intent.operation.startswith("exchange."):
        return None
    notes = [BY_HAND]
    if any(_is_computed(item) for item in intent.items):
        notes.append(COMPUTED)
    known = _fields_of(intent.operation)
    strange = dict.fromkeys(name for item in intent.items for name in item if name not in known)
    if strange:
        notes.append(f"No request is {intent.operation} and has {', '.join(strange)}.")
    return " ".join(notes)


def field_hint(name: str) -> str:
    """What to write instead of a field that is not known; the exchange's own names of parameters are understood."""
    field = _folded_parameters().get(name.lower())
    return f"did you mean {field}?" if field is not None else _known_fields().hint(name)


def unknown_target(settings: Settings, target: str, tellable: Collection[str] | None = None) -> str | None:
    """What is wrong with a target that the configuration does not have, with the nearest that it has; None where nothing is.

    Args:
        tellable: the names that may be told to whoever asks; all unless given.
    """
    kind, _, name = target.partition(":")
    configured: Mapping[str, Collection[str]] = {
        "wallet": settings.wallets,
        "exchange": settings.exchanges,
        "open_api": settings.open_api,
    }
    if name in configured[kind]:
        return None
    what = "app of the Open API" if kind == "open_api" else kind
    return f"no {what} has this name; {suggestion(name, configured[kind] if tellable is None else tellable)}"


def _exchange(target: str) -> ExchangeName:
    return ExchangeName(target.partition(":")[2])


def _is_computed(item: Mapping[str, JsonValue]) -> bool:
    return "notional" not in item and "price" in item and "quantity" in item


@lru_cache(maxsize=64)
def _fields_of(operation: Operation) -> frozenset[str]:
    """The fields that requests of an operation have, whatever the endpoint."""
    return _OF_ANY_ITEM.union(*(_fields(row) for row in ALL if row.operation == operation))


def _fields(row: Endpoint) -> Iterator[str]:
    yield from row.fixed
    if row.says_both_accounts:
        yield from ("from_account", "to_account")
    for names in (
        row.fields,
        row.members,
        *(leg.fields for leg in row.legs),
        *(leg.shared for leg in row.legs),
    ):
        yield from (field for field in names.values() if field is not None)
    if any(leg.type is not None for leg in row.legs):
        yield "type"
    if row.operation in ("exchange.order", "exchange.amend"):
        yield "notional"


@lru_cache(maxsize=1)
def _folded_parameters() -> Mapping[str, str]:
    return {name.lower(): field for name, field in FIELD_OF.items()}


@lru_cache(maxsize=1)
def _known_fields() -> KnownWords:
    return KnownWords(FIELDS)
