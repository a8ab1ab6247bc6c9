"""May they have the signature? Policy is asked about everything that it would be good for, not only about what was asked for."""

from collections.abc import Mapping
from dataclasses import replace

from vaultsigner.config.settings import Exchange
from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import ExchangeName
from vaultsigner.domain.principals import Principal
from vaultsigner.formats.exchange.intent import exchange_intent
from vaultsigner.formats.exchange.meaning import meaning_of
from vaultsigner.formats.exchange.requests import ExchangeRequest
from vaultsigner.formats.exchange.reuse import other_uses
from vaultsigner.policy import PolicySet


def with_the_same_key(
    exchanges: Mapping[ExchangeName, Exchange], name: ExchangeName
) -> tuple[ExchangeName, ...]:
    """The other exchanges where what is signed for one is good as well."""
    key = exchanges[name].api_key
    return tuple(other.name for other in exchanges.values() if other.api_key == key and other.name != name)


def uses_of_signature(
    request: ExchangeRequest, exchange: ExchangeName, shared: tuple[ExchangeName, ...]
) -> tuple[Intent, ...]:
    """What else could be done with the signature of a request, once the caller has it in hand.

    Args:
        exchange: for which it is signed.
        shared: the others, see `with_the_same_key`.
    """
    meanings, asked = other_uses(request), meaning_of(request)
    also = tuple(exchange_intent(other, at) for at in (exchange, *shared) for other in meanings)
    return (*(exchange_intent(asked, at) for at in shared), *also)


def refused_other_use(
    policies: PolicySet,
    principal: Principal,
    circumstances: Circumstances,
    decision: Decision,
    also: tuple[Intent, ...],
) -> Decision | None:
    """The decision against one of the other uses; None where policy allows them all.

    Args:
        decision: about what was asked for.
        also: what else could be done with the signature. Policy must allow all of it by the rule that allows the request
            itself, or by one without limits and approvals: those could not be kept.
    """
    for intent in also:
        other = policies.evaluate(principal, intent, circumstances)
        more = other.approvals is not None or bool(other.limits)
        if not other.allowed or (more and other.rule != decision.rule):
            why = f"rule {other.rule} wants more for that" if other.allowed else other.reason
            reason = f"what is signed would also be good for {_told(intent)}: {why}"
            return replace(other, effect="deny", reason=reason)
    return None


def _told(intent: Intent) -> str:
    endpoint = intent.items[0].get("endpoint") if intent.items else None
    return (
        f"{intent.operation} ({endpoint}) at {intent.target}"
        if isinstance(endpoint, str)
        else intent.operation
    )
