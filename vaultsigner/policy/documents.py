"""Decisions and explanations as documents, the same for the API and for the command line. Pure."""

from vaultsigner.config.settings import Settings
from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.decisions import Approvals, Decision, Limit
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import ExchangeName, JsonValue, WalletName
from vaultsigner.domain.permissions import PERMISSION_FOR_MESSAGE
from vaultsigner.domain.principals import Principal
from vaultsigner.policy.decimals import shown_decimal
from vaultsigner.policy.explanation import Explanation, RuleExplanation
from vaultsigner.policy.limits import LimitRule
from vaultsigner.policy.permissions import (
    Caller,
    refuse_by_exchange,
    refuse_by_open_api,
    refuse_by_permission,
)

Document = dict[str, JsonValue]


def explanation_document(
    principal: Principal,
    intent: Intent,
    circumstances: Circumstances,
    explanation: Explanation,
    *,
    permission: JsonValue,
    note: str | None,
    with_places: bool,
) -> Document:
    """What was asked, what each rule says to it, and what they come to.

    Args:
        principal, intent, circumstances: as they were explained.
        explanation: of these.
        permission: see `permission_document`.
        note: what the decision about a real request may depend on besides, for people.
        with_places: whether to tell where each rule stands.
    """
    return {
        "principal": str(principal),
        "operation": intent.operation,
        "target": intent.target,
        "items": [dict(item) for item in intent.items],
        "ip": str(circumstances.ip),
        "at": circumstances.at.isoformat().replace("+00:00", "Z"),
        "permission": permission,
        "note": note,
        "rules": [_rule(each, with_place=with_places) for each in explanation.rules],
        "decision": decision_document(explanation.decision),
    }


def permission_document(settings: Settings, intent: Intent, caller: Caller) -> Document | None:
    """The outer fence of config.yml, which comes before policy; None where it knows nothing of such requests.

    Of exchanges and of apps of the Open API it tells whether they are in the caller's list, be there one of that name or not.
    """
    kind, _, name = intent.target.partition(":")
    if kind == "exchange":
        return _fence("exchanges", refuse_by_exchange(ExchangeName(name), caller), "the caller's list has it")
    if kind == "open_api":
        return _fence("open_api", refuse_by_open_api(name, caller), "the caller's list has it")
    needed = PERMISSION_FOR_MESSAGE.get(intent.operation.partition(".")[0])
    wallet = settings.wallets.get(WalletName(name))
    if wallet is None or needed is None:
        return None
    return _fence(str(needed), refuse_by_permission(wallet, caller, needed), "wallet and caller have it")


def _fence(needed: str, refused: str | None, otherwise: str) -> Document:
    return {"needed": needed, "there": refused is None, "why": refused or otherwise}


def decision_document(decision: Decision) -> Document:
    """What is decided; decimals as text."""
    return {
        "effect": decision.effect,
        "rule": decision.rule,
        "policy": decision.policy,
        "reason": decision.reason,
        "limits": [limit_document(limit) for limit in decision.limits],
        "approvals": approvals_document(decision.approvals),
    }


def limit_document(limit: Limit | LimitRule) -> Document:
    """A limit; of one that a request counts towards, also what it would use."""
    told: Document = {
        "kind": limit.kind,
        "field": limit.field,
        "max": shown_decimal(limit.max),
        "every_seconds": limit.every_seconds,
        "per": limit.per,
    }
    return told | {"use": shown_decimal(limit.use)} if isinstance(limit, Limit) else told


def approvals_document(approvals: Approvals | None) -> Document | None:
    """Who must agree; None where nobody must."""
    if approvals is None:
        return None
    return {"count": approvals.count, "of": list(approvals.of), "within_seconds": approvals.within_seconds}


def _rule(each: RuleExplanation, *, with_place: bool) -> Document:
    told: Document = {"rule": each.rule, "effect": each.effect, "matched": each.matched, "why": each.why}
    return told | {"place": each.place} if with_place else told
