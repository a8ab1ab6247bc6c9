"""Keeps custody's Vault token alive: looks it up, renews it in time, notices when it no longer is good.

Reading secrets does not wait for any of this. For tokens that custody logs in for, see `log_in_keeper`.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import structlog

from vaultsigner.custody.vault.session import RefusedError, VaultSession
from vaultsigner.custody.vault.single_exchange import NoAnswerError
from vaultsigner.custody.vault.token_facts import SenselessAnswerError
from vaultsigner.custody.vault_token.token_file import VaultToken

LOOK_SECONDS = 1.0
"""A fresh token in the file is taken into use at most this long after it was written, even while the old one is good; and one
that Vault has refused is looked up at most this long after, so that health does not call good what is revoked."""
SHORTEST_PAUSE_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 30.0
RENEW_AT = 2 / 3

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Found:
    """What Vault says of the token. `ttl` 0: it does not end."""

    outcome: Literal["good", "refused", "unreachable"]
    ttl: int = 0
    renewable: bool = False
    error: str = ""


class TokenKeeper:
    """Runs beside the questions for as long as custody lives.

    Args:
        clock: monotonic seconds.
    """

    def __init__(
        self, session: VaultSession, token: VaultToken, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._session = session
        self._token = token
        self._clock = clock
        self._found: _Found | None = None
        self._ends_at: float | None = None
        self._failures = 0

    @property
    def ttl_seconds(self) -> int | None:
        """How long the token still lives; None where it does not end, or nothing is known yet."""
        return None if self._ends_at is None else max(0, int(self._ends_at - self._clock()))

    @property
    def problem(self) -> str | None:
        """What is wrong with the token, and what to do; None while nothing is known to be."""
        if self._token.value is None or (self._found is not None and self._found.outcome == "refused"):
            return f"Vault does not take custody's token: {self._token.remedy}"
        return None

    async def run(self) -> None:
        """Look after the token until cancelled."""
        renew = False
        while True:
            generation = self._token.generation
            if self._token.value is not None:
                await self._look_up(renew=renew)
            renew = await self._sleep(generation)

    async def end(self) -> None:
        """The token is its file's, and lives on."""

    async def _look_up(self, *, renew: bool) -> None:
        self._token.in_doubt = False
        self._note(await self._ask(renew=renew), renewed=renew)

    async def _sleep(self, generation: int) -> bool:
        """Wait for the time to renew, or for another token. Whether it is time to renew."""
        wake_at = self._clock() + self._pause()
        while self._token.generation == generation:
            refused = self.problem is not None
            left = wake_at - self._clock()
            if left <= 0:
                return not refused and self._found is not None and self._found.renewable
            await asyncio.sleep(min(left, LOOK_SECONDS))
            self._token.look()
            if self._token.in_doubt and not refused:
                await self._look_up(renew=False)
                wake_at = min(wake_at, self._clock() + self._pause())  # doubts must not put the renewal off
        return False

    def _pause(self) -> float:
        found = self._found
        if found is None or found.outcome == "refused":
            return LONGEST_BACKOFF_SECONDS
        if found.outcome == "unreachable":
            return float(min(LONGEST_BACKOFF_SECONDS, 2 ** min(self._failures, 10) / 2))
        if not found.ttl:
            return 3600.0
        return max(SHORTEST_PAUSE_SECONDS, found.ttl * (RENEW_AT if found.renewable else 1))

    def _note(self, found: _Found, *, renewed: bool) -> None:
        if found.outcome == "unreachable":
            self._failures += 1
            renewable = self._found is not None and self._found.renewable
            found = _Found("unreachable", renewable=renewable, error=found.error)
            _log.warning("token_not_checked", error=found.error, failures=self._failures)
        elif found.outcome == "refused":
            self._ends_at = None
            if self._found is None or self._found.outcome != "refused":
                _log.error("token_refused", remedy=self._token.remedy)
        else:
            self._failures = 0
            self._ends_at = self._clock() + found.ttl if found.ttl else None
            if renewed or self._found is None or self._found.outcome != "good":
                _log.info("token_good", ttl_seconds=found.ttl or None, renewable=found.renewable)
        self._found = found

    async def _ask(self, *, renew: bool) -> _Found:
        value = self._token.value
        if value is None:
            return _Found("refused")
        try:
            facts = await (self._session.renew(value) if renew else self._session.look_up(value))
        except RefusedError:
            return _Found("refused")
        except (NoAnswerError, SenselessAnswerError) as error:
            return _Found("unreachable", error=str(error))
        return _Found("good", ttl=facts.ttl_seconds, renewable=facts.renewable)
