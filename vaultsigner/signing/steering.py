"""What steers the service rather than asks it for a signature: approvals, suspensions, explanations of policy."""

from collections.abc import Awaitable, Callable

from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.refusals import Refusal
from vaultsigner.signing.approvals import Approvals
from vaultsigner.signing.authenticator import Authenticator
from vaultsigner.signing.callers import Caller
from vaultsigner.signing.calls import Answer, Call
from vaultsigner.signing.counting import Counting
from vaultsigner.signing.desk import Desk
from vaultsigner.signing.explaining import Explaining
from vaultsigner.signing.journal import Journal
from vaultsigner.signing.suspensions import (
    NO_OPERATOR,
    NO_REVIEWER,
    Suspensions,
    SuspensionWatch,
    is_operator,
    is_reviewer,
)
from vaultsigner.signing.trail import Trail


class Steering:
    """The part of the service that changes or tells what the other part does. Every answer is on the record first."""

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        desk: Desk,
        counting: Counting,
        journal: Journal,
        watch: SuspensionWatch,
        suspensions: Suspensions,
        approvals: Approvals,
        explaining: Explaining,
    ) -> None:
        self._authenticator = authenticator
        self._counting = counting
        self._journal = journal
        self._watch = watch
        self._suspensions = suspensions
        self._approvals = approvals
        self._explaining = explaining
        self._desk = desk

    async def approvals(self, call: Call) -> Answer | Refusal:
        """What waits for approval and concerns the caller; for reviewers all of it."""
        return await self._desk.serve(call, lambda trail: self._steer(trail, self._approvals.listed))

    async def approval(self, call: Call, approval_id: str) -> Answer | Refusal:
        """One approval that concerns the caller, whatever has become of it."""
        return await self._desk.serve(
            call,
            lambda trail: self._steer(trail, lambda caller: self._approvals.shown(caller, approval_id)),
        )

    async def decide_approval(self, call: Call, approval_id: str, *, approve: bool) -> Answer | Refusal:
        """The caller's vote on what somebody else asked for."""
        return await self._desk.serve(
            call,
            lambda trail: self._steer(
                trail,
                lambda caller: self._approvals.decide(trail, caller, approval_id, approve=approve),
            ),
        )

    async def suspensions(self, call: Call) -> Answer | Refusal:
        """What is suspended; for operators and auditors."""
        return await self._desk.serve(
            call,
            lambda trail: self._steer(trail, self._suspensions.listed, reviewers_only=True),
        )

    async def suspend(self, call: Call) -> Answer | Refusal:
        """Suspend a wallet, a caller, an exchange or everything; for operators."""
        return await self._desk.serve(
            call,
            lambda trail: self._steer(
                trail, lambda caller: self._suspensions.suspend(trail, caller), operators_only=True
            ),
        )

    async def resume(self, call: Call, kind: str, name: str) -> Answer | Refusal:
        """End a suspension; for operators."""
        return await self._desk.serve(
            call,
            lambda trail: self._steer(
                trail, lambda _caller: self._suspensions.resume(trail, kind, name), operators_only=True
            ),
        )

    async def explain(self, call: Call) -> Answer | Refusal:
        """Why policy would decide a request as it would."""
        return await self._desk.serve(
            call,
            lambda trail: self._steer(trail, lambda caller: self._explaining.explain(trail, caller)),
        )

    async def _steer(
        self,
        trail: Trail,
        step: Callable[[Caller], Awaitable[JsonValue | Refusal]],
        *,
        operators_only: bool = False,
        reviewers_only: bool = False,
    ) -> Answer | Refusal:
        """Something that steers the service, for a caller who may ask for it. Suspensions are looked at anew, so that they can
        be ended as soon as state is there again.
        """
        caller = await self._counted_caller(trail, fresh=True)
        if isinstance(caller, Refusal):
            return caller
        found: JsonValue | Refusal
        if operators_only and not is_operator(caller):
            found = NO_OPERATOR
        elif reviewers_only and not is_reviewer(caller):
            found = NO_REVIEWER
        else:
            found = await step(caller)
        if isinstance(found, Refusal):
            return await self._desk.refuse(trail, found)
        return Answer(found, audit=await self._journal.answered(trail))

    async def _counted_caller(self, trail: Trail, *, fresh: bool = False) -> Caller | Refusal:
        """Who asks, once their signature is used up and unless they are suspended; a refusal is on the record already.

        Args:
            fresh: look at the suspensions now.
        """
        caller = await self._authenticator.caller(trail)
        if isinstance(caller, Refusal):
            return await self._desk.refuse(trail, caller)
        refused = await self._counting.commit(trail, self._counting.of(caller))
        if fresh:
            await self._watch.refresh()
        refused = refused or self._watch.refuse_caller(caller.principal)
        return caller if refused is None else await self._desk.refuse(trail, refused)
