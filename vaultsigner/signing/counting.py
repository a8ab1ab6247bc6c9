"""What counts, and counts once: each signature a single time, each client's requests up to their limit."""

from vaultsigner.config.settings import RateLimit, RateLimits
from vaultsigner.custody.protocol import Proof
from vaultsigner.domain.refusals import Refusal
from vaultsigner.signing.callers import Caller
from vaultsigner.signing.clock import Clock
from vaultsigner.signing.trail import Trail
from vaultsigner.state import Count, Nonce, NotCounted, Rate, State

NOTHING = Count()


def rate_of(key: str, limit: RateLimit) -> Rate:
    """A limit of config.yml in state's words. `key` says in words what is counted, for the record."""
    return Rate(key, limit.count, limit.every_seconds * 1000)


def refusal_of(refused: NotCounted) -> Refusal:
    """Why something could not be counted, for the caller."""
    if refused.why == "replayed":
        return Refusal(
            "replayed",
            "This signature was used already: each counts once. Sign the request anew, with a new timestamp",
            reason="the signature was used already",
        )
    if refused.why == "clock":
        return Refusal(
            "state_unavailable",
            "The clock of this server is behind what it knows; nothing signed is accepted until that is over",
            reason="state has forgotten signatures of this time already: a clock has stepped back, or one runs ahead",
        )
    seconds = -(-(refused.retry_after_ms or 0) // 1000)
    return too_many(refused.key or "requests", seconds)


def too_many(what: str, seconds: int) -> Refusal:
    """The answer to whoever asks too often."""
    return Refusal(
        "rate_limited",
        f"Too many requests: try again in {max(seconds, 1)} s",
        reason=f"over the limit: {what}",
        retry_after_seconds=max(seconds, 1),
    )


class Counting:
    """Commits what a caller's request uses up. Users with an access token use up nothing here."""

    def __init__(self, state: State, limits: RateLimits, clock: Clock) -> None:
        self._state = state
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

    async def commit(self, trail: Trail, count: Count) -> Refusal | None:
        """Use it up, durably; None where that was possible.

        Raises:
            StateError: it cannot be counted.
        """
        trail.counted = True
        if count == NOTHING:
            return None
        refused = await self._state.count(count, now_ms=self._clock.milliseconds())
        return None if refused is None else refusal_of(refused)

    async def refused(self, trail: Trail) -> Refusal | None:
        """Count a client's request that is refused before it used its signature up: that is no way around the limit.

        Raises:
            StateError: it cannot be counted.
        """
        who = trail.principal
        if trail.counted or who is None or who.kind != "client":
            return None
        return await self.commit(trail, Count(rates=(self._rate(str(who)),)))

    def _rate(self, whose: str) -> Rate:
        return rate_of(f"requests of {whose}", self._limits.requests_per_client)
