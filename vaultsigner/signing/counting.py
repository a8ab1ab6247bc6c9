"""What counts, and counts once: each signature a single time, each client's requests up to their limit."""

from dataclasses import replace

from vaultsigner.config.settings import RateLimits
from vaultsigner.custody.protocol import Proof
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.principals import BY_API_KEY
from vaultsigner.domain.refusals import Refusal
from vaultsigner.signing.callers import Caller
from vaultsigner.signing.clock import Clock
from vaultsigner.signing.limits import rate_of, refusal_of
from vaultsigner.signing.policy_limits import over_limit, uses_of
from vaultsigner.signing.strangers import Strangers
from vaultsigner.signing.trail import Trail
from vaultsigner.state import ApprovalUse, Count, Nonce, NotCounted, Rate, State
from vaultsigner.telemetry.passages import step

NOTHING = Count()


class Counting:
    """Commits what a caller's request uses up. Users with an access token use up nothing here."""

    def __init__(self, state: State, limits: RateLimits, clock: Clock, strangers: Strangers) -> None:
        self._state = state
        self._strangers = strangers
        self._limits = limits
        self._clock = clock

    def of(self, caller: Caller) -> Count:
        """What the request of a caller uses up, for those who commit it together with something else."""
        return NOTHING if caller.proof is None else self.of_proof(caller.proof, str(caller.principal))

    def of_proof(self, proof: Proof, whose: str) -> Count:
        """The same for a signature whose signer is no client."""
        return Count(
            nonces=(Nonce(proof.nonce, proof.expires_at_ms),),
            rates=(self._rate(whose),),
        )

    def of_request(
        self, caller: Caller, decision: Decision, approval: ApprovalUse | Refusal | None
    ) -> Count | Refusal:
        """What an allowed request uses up: of its caller, of its rule's limits, and of the approval that its rule wants."""
        uses = uses_of(decision)
        if isinstance(uses, Refusal):
            return uses
        if isinstance(approval, Refusal):
            return approval
        return replace(self.of(caller), limits=uses, approval=approval)

    async def commit(self, trail: Trail, count: Count, decision: Decision | None = None) -> Refusal | None:
        """Use it up, durably; None where that was possible.

        Args:
            decision: whose limits are in it, if any are.

        Raises:
            StateError: it cannot be counted.
        """
        trail.counted = True
        if count == NOTHING:
            return None
        with step("count"):
            refused = await self._state.count(count, now_ms=self._clock.milliseconds())
        return None if refused is None else await self.refusal(trail, refused, decision)

    async def refusal(self, trail: Trail, refused: NotCounted, decision: Decision | None = None) -> Refusal:
        """The answer to what could not be counted. A copy of a good request is as good as a failed signature.

        Raises:
            StateError: the copy cannot be counted against its address.
        """
        if refused.why == "limit" and decision is not None:
            return over_limit(decision, refused)
        limited = await self._strangers.failed_signature(trail.call.ip) if refused.why == "replayed" else None
        return limited or refusal_of(refused)

    async def refused(self, trail: Trail) -> Refusal | None:
        """Count a client's request that is refused before it used its signature up: that is no way around the limit.

        Raises:
            StateError: it cannot be counted.
        """
        who = trail.principal
        if trail.counted or who is None or who.kind != "client" or who.scheme == BY_API_KEY:
            return None  # whoever has heard of an API key must not be able to use its client's rate up
        return await self.commit(trail, Count(rates=(self._rate(str(who)),)))

    def _rate(self, whose: str) -> Rate:
        return rate_of(f"requests of {whose}", self._limits.requests_per_client)
