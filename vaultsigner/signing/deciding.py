"""May they? Suspensions, policy, approvals and limits, asked in one order for every family."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.principals import BY_API_KEY
from vaultsigner.domain.refusals import Refusal
from vaultsigner.signing.approvals import Approvals
from vaultsigner.signing.calls import Answer
from vaultsigner.signing.clock import Clock
from vaultsigner.signing.counting import Counting
from vaultsigner.signing.desk import Desk
from vaultsigner.signing.other_uses import refused_other_use
from vaultsigner.signing.requests import Request
from vaultsigner.signing.suspensions import SuspensionWatch
from vaultsigner.state import Count
from vaultsigner.telemetry.passages import note_decision, step


@dataclass(frozen=True, slots=True)
class Allowed:
    """What policy says to a request that it allows, and what the request is about to use up."""

    decision: Decision
    count: Count


class Deciding:
    """Decides what is understood, and records every no."""

    def __init__(
        self, desk: Desk, watch: SuspensionWatch, approvals: Approvals, counting: Counting, clock: Clock
    ) -> None:
        self._desk = desk
        self._watch = watch
        self._approvals = approvals
        self._counting = counting
        self._clock = clock

    async def decide(self, request: Request, also: tuple[Intent, ...] = ()) -> Allowed | Answer | Refusal:
        """Whether policy allows it, nothing of it is suspended, and nobody else need agree.

        An answer (others must agree first) or a refusal is on the record already.

        Args:
            also: what else could be done with the signature, which policy must allow: see `refused_other_use`.
        """
        stopped = self.stopped(request)
        if stopped is not None:
            return await self._desk.refuse(request.trail, stopped)
        now = datetime.fromtimestamp(self._clock.milliseconds() / 1000, UTC)
        circumstances = Circumstances(request.call.ip, now)
        with step("decide"):
            decision = request.trail.policies.evaluate(request.principal, request.intent, circumstances)
        effect = "approval" if decision.allowed and decision.approvals is not None else decision.effect
        note_decision(request.operation, effect, decision.rule)
        if not decision.allowed:
            return await self._desk.deny(request, decision)
        refused = refused_other_use(request.trail.policies, request.principal, circumstances, decision, also)
        if refused is not None:
            return await self._desk.deny(request, refused)
        if request.principal.scheme == BY_API_KEY:
            decision = _apart(decision)
        if self._approvals.wanted(request, decision):
            return await self._ask_others(request, decision)
        approval = self._approvals.use(request, decision)
        count = self._counting.of_request(request.caller, decision, approval)
        if isinstance(count, Refusal):
            return await self._desk.turn_down(request, decision, count)
        return Allowed(decision, count)

    async def commit(self, request: Request, allowed: Allowed) -> Refusal | None:
        """Use up what the request counts for, unless it has been stopped meanwhile; a refusal is on the record already.

        Raises:
            AuditError, StateError: it cannot be counted, or the refusal not be recorded.
        """
        decision = allowed.decision
        refused = self.stopped(request) or await self._counting.commit(request.trail, allowed.count, decision)
        return None if refused is None else await self._desk.turn_down(request, decision, refused)

    def stopped(self, request: Request) -> Refusal | None:
        """Asked again before a key is used and before its signature leaves: there may have been a wait."""
        return self._watch.refuse(request.principal, request.intent.target)

    async def _ask_others(self, request: Request, decision: Decision) -> Answer | Refusal:
        """The asking uses the request's signature up, too."""
        refused = await self._counting.commit(request.trail, self._counting.of(request.caller))
        if refused is not None:
            return await self._desk.turn_down(request, decision, refused)
        return await self._approvals.ask(request, decision)


def _apart(decision: Decision) -> Decision:
    """Whoever has heard of an API key uses up windows of their own, not those of the client's proved requests."""
    limits = tuple(replace(limit, key=f"by API key alone: {limit.key}") for limit in decision.limits)
    return replace(decision, limits=limits)
