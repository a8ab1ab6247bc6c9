"""What every answer passes: its record first, and an honest refusal for what could not be done."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import AuditError, VaultsignerError
from vaultsigner.signing.calls import Answer, Call, Streamed
from vaultsigner.signing.counting import Counting
from vaultsigner.signing.failures import refusal_for
from vaultsigner.signing.journal import Journal
from vaultsigner.signing.key_watch import KeyWatch
from vaultsigner.signing.policies import PolicyKeeper
from vaultsigner.signing.requests import Request
from vaultsigner.signing.trail import Trail
from vaultsigner.signing.troubles import Troubles

Result = TypeVar("Result", bound=Answer | Streamed | Refusal)
Step = Callable[[Trail], Awaitable[Result | Refusal]]


class Desk:
    """Nothing leaves without a record: where that cannot be written, the answer is that."""

    def __init__(self, policies: PolicyKeeper, journal: Journal, counting: Counting, keys: KeyWatch) -> None:
        self._policies = policies
        self._journal = journal
        self._counting = counting
        self._keys = keys
        self._troubles = Troubles()

    async def serve(self, call: Call, step: Step[Result]) -> Result | Refusal:
        """Take a step; what could not be done becomes a refusal with its record."""
        trail = self.receive(call)
        answer = await self._attempt(trail, step)
        self._troubles.after(trail, answer)
        self._keys.after(trail, answer)
        return answer

    def receive(self, call: Call) -> Trail:
        """Take a request in. Here it gets the policies that it sees to its end."""
        return Trail(call, self._policies.current)

    async def refuse(self, trail: Trail, refusal: Refusal) -> Refusal:
        """Record a refusal of a request that has not meant anything yet; it counts against its client's limit all the same.

        Raises:
            StateError: that cannot be counted.
        """
        refusal = await self._counting.refused(trail) or refusal
        try:
            await self._journal.refused(trail, refusal)
        except AuditError as error:
            return refusal_for(error)
        return refusal

    async def fail(self, trail: Trail, refusal: Refusal) -> Refusal:
        """Record a refusal of a request that was allowed."""
        try:
            await self._journal.failed(trail, refusal)
        except AuditError as error:
            return refusal_for(error)
        return refusal

    async def deny(self, request: Request, decision: Decision) -> Refusal:
        """Record what policy denies.

        Raises:
            AuditError, StateError: it cannot be recorded, or not be counted.
        """
        refusal = Refusal(
            "policy_denied",
            f"Policy does not allow {request.operation} here: {decision.reason}",
            reason=decision.reason,
        )
        return await self.turn_down(request, decision, refusal)

    async def turn_down(self, request: Request, decision: Decision, refusal: Refusal) -> Refusal:
        """Record a no to what is understood: a limit is full, an approval is not to be used, the signature was.

        It counts against its client's limit all the same, unless it has.

        Raises:
            AuditError, StateError: it cannot be recorded, or not be counted.
        """
        refusal = await self._counting.refused(request.trail) or refusal
        await self._journal.denied(request, decision, refusal)
        return refusal

    async def _attempt(self, trail: Trail, step: Step[Result]) -> Result | Refusal:
        try:
            return await step(trail)
        except AuditError as error:
            return refusal_for(error)
        except VaultsignerError as error:
            by_signature = trail.principal is not None and trail.principal.kind == "client"
            return await self.fail(trail, refusal_for(error, used_up=trail.counted and by_signature))
