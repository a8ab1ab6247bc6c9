"""Keeps custody's Vault token alive: looks it up, renews it in time, notices when it no longer is good.

Reading secrets does not wait for any of this. hvac does the talking, in a thread: a few requests an hour need no speed.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import structlog

from vaultsigner.config.settings import VaultSettings
from vaultsigner.custody.vault_token import VaultToken

TIMEOUT_SECONDS = 5
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
        self, vault: VaultSettings, token: VaultToken, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._vault = vault
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

    async def _look_up(self, *, renew: bool) -> None:
        self._token.in_doubt = False
        self._note(await asyncio.to_thread(self._ask, renew), renewed=renew)

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

    def _ask(self, renew: bool) -> _Found:
        """In a thread: look the token up, or renew it. Leaves no exception behind, for requests' hold the token."""
        # Not at the top: it costs 0.15 s, which signatures need not wait for when custody has just been restarted.
        import hvac  # noqa: PLC0415
        import requests  # noqa: PLC0415

        try:
            client = self._client(hvac, requests)
            answer = (client.auth.token.renew_self() if renew else client.auth.token.lookup_self()) or {}
            facts = answer["auth"] if renew else answer["data"]
            ttl = int(facts["lease_duration"] if renew else facts["ttl"])
            return _Found("good", ttl=ttl, renewable=bool(facts.get("renewable", False)))
        except hvac.exceptions.Forbidden:
            return _Found("refused")
        except (
            hvac.exceptions.VaultError,
            requests.RequestException,
            KeyError,
            TypeError,
            ValueError,
        ) as error:
            return _Found("unreachable", error=type(error).__name__)

    def _client(self, hvac: Any, requests: Any) -> Any:
        value = self._token.value
        verify = True if self._vault.ca_cert is None else str(self._vault.ca_cert)
        session = requests.Session()
        session.trust_env = (
            False  # REQUESTS_CA_BUNDLE, proxies and .netrc would change whom the token is shown to
        )
        session.verify = verify
        return hvac.Client(
            url=self._vault.address,
            token="" if value is None else bytes(value).decode("ascii"),
            namespace=self._vault.namespace,
            verify=verify,
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
            session=session,
        )
