"""May they have the signature? Policy is asked about everything that it would be good for, not only about what was asked for."""

from dataclasses import replace

from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.principals import Principal
from vaultsigner.policy import PolicySet


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
