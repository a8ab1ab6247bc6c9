"""Whether a request could be served now, and if not, why."""

from dataclasses import dataclass, field

from vaultsigner.custody.client import CustodyClient
from vaultsigner.errors import CustodyError, StateError
from vaultsigner.signing.key_watch import KeyWatch, Standings
from vaultsigner.signing.policies import PolicyKeeper
from vaultsigner.signing.record_keeping import KeptRecord
from vaultsigner.state import AccountKey, State

NOBODY = AccountKey("readiness", "nobody")
"""No chain has this account; asking for it shows whether state can be read."""
COMPONENTS = ("custody", "vault", "policy", "state", "audit")
"""What the text of a problem begins with."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """`problems` is empty when everything that a signature needs is there; `warnings` stand in no signature's way.

    Args:
        standings: whether each wallet, exchange and Open API app could be signed for. One that could not is no problem of the
            whole service: the others are served.
    """

    problems: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    standings: Standings = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """True when nothing stands in the way."""
        return not self.problems


class ReadinessCheck:
    """Asks custody (which asks Vault), state and the record; also that both processes have read the same policies."""

    def __init__(
        self,
        *,
        custody: CustodyClient,
        state: State,
        record: KeptRecord,
        policies: PolicyKeeper,
        keys: KeyWatch,
    ) -> None:
        self._custody = custody
        self._state = state
        self._record = record
        self._policies = policies
        self._keys = keys

    async def check(self) -> Readiness:
        """Never raises for what it checks."""
        problems = [*await self._custody_problems(), *await self._state_problems()]
        if self._record.recorder.problem is not None:
            problems.append(f"audit: {self._record.recorder.problem}")
        warnings = [] if self._policies.problem is None else [f"policy: {self._policies.problem}"]
        standings = await self._keys.standings(
            self._policies.current, "; ".join(problems) if problems else None
        )
        return Readiness(tuple(problems), (*warnings, *self._record.warnings()), standings)

    async def _custody_problems(self) -> list[str]:
        before = self._policies.current.digest
        try:
            health = await self._custody.health()
        except CustodyError as error:
            return [f"custody: {error.code}: {error}"]
        # Sealed and unavailable say it all; why Vault denies, only custody knows.
        why = f": {health.vault_problem}" if health.vault == "denied" else ""
        problems = [] if health.vault == "ok" else [f"vault: {health.vault}{why}"]
        known = (before, self._policies.current.digest)
        if health.policy not in known and not self._policies.switching:
            problems.append(
                "policy: custody and the server apply different policies; they try to agree each second"
            )
        return problems

    async def _state_problems(self) -> list[str]:
        try:
            await self._state.account(NOBODY)
        except StateError as error:
            return [f"state: {error}"]
        return []
