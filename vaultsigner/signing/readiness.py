"""Whether a request could be served now, and if not, why."""

from dataclasses import dataclass

from vaultsigner.audit.recorder import Recorder
from vaultsigner.custody.client import CustodyClient
from vaultsigner.errors import CustodyError, StateError
from vaultsigner.state import AccountKey, State

NOBODY = AccountKey("readiness", "nobody")
"""No chain has this account; asking for it shows whether state can be read."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """`problems` is empty when everything that a signature needs is there."""

    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """True when nothing stands in the way."""
        return not self.problems


class ReadinessCheck:
    """Asks custody (which asks Vault), state and the record; also that both processes have read the same policies."""

    def __init__(
        self, *, custody: CustodyClient, state: State, recorder: Recorder, policy_digest: str
    ) -> None:
        self._custody = custody
        self._state = state
        self._recorder = recorder
        self._policy_digest = policy_digest

    async def check(self) -> Readiness:
        """Never raises for what it checks."""
        problems = [*await self._custody_problems(), *await self._state_problems()]
        if self._recorder.problem is not None:
            problems.append(f"audit: {self._recorder.problem}")
        return Readiness(tuple(problems))

    async def _custody_problems(self) -> list[str]:
        try:
            health = await self._custody.health()
        except CustodyError as error:
            return [f"custody: {error.code}: {error}"]
        problems = [] if health.vault == "ok" else [f"vault: {health.vault}"]
        if health.policy != self._policy_digest:
            problems.append(
                "policy: custody and the server have read different policy files; restart vaultsigner"
            )
        return problems

    async def _state_problems(self) -> list[str]:
        try:
            await self._state.account(NOBODY)
        except StateError as error:
            return [f"state: {error}"]
        return []
