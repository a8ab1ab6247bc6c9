"""The policies that custody applies: always what it has read from the directory itself, whatever the server says.

The server says only that it has read new ones, and by which digest. Two sets are kept, since requests that were decided under
the old one are still on their way while the new one comes into force.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from vaultsigner.errors import ConfigError, CustodyError
from vaultsigner.policy import PolicySet
from vaultsigner.policy import load as load_policies

KEPT_SECONDS = 120.0
"""How long the set before is still good for requests that were decided under it: longer than any is on its way."""

_log = structlog.get_logger()


class PolicySets:
    """The set in force, and for a while the one before it.

    Args:
        directory: of the policy files.
        current: what was read from it at the start.
        load: reads a policy set.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        directory: Path,
        current: PolicySet,
        *,
        load: Callable[[Path], PolicySet] = load_policies,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._current = current
        self._before: tuple[PolicySet, float] | None = None
        self._load = load
        self._clock = clock
        self._loading = asyncio.Lock()

    @property
    def current(self) -> PolicySet:
        """The set in force."""
        return self._current

    def of(self, digest: str) -> PolicySet:
        """The set that the server decided under.

        Raises:
            CustodyError: policy_mismatch: it is neither the current one nor, for a short time, the one before.
        """
        if digest == self._current.digest:
            return self._current
        if self._before is not None:
            before, until = self._before
            if digest == before.digest and self._clock() < until:
                return before
        raise CustodyError(
            "policy_mismatch",
            f"the server decided under policy {_shown(digest)}, custody applies {self._current.digest}",
        )

    async def load(self, digest: str) -> None:
        """Apply the set of this digest from now on, if that is what the directory holds.

        Raises:
            CustodyError: policy_mismatch, policy_unusable; everything stays as it was.
        """
        async with self._loading:
            # Asked again for what is in force, custody must not begin anew to keep the set before.
            if digest == self._current.digest:
                return
            try:
                found = await asyncio.to_thread(self._load, self._directory)
            except ConfigError as error:
                raise CustodyError("policy_unusable", str(error)) from None
            if found.digest != digest:
                raise CustodyError(
                    "policy_mismatch",
                    f"custody finds policy {found.digest} in {self._directory}, not {_shown(digest)}",
                )
            self._before = (self._current, self._clock() + KEPT_SECONDS)
            self._current = found
            _log.info("policies_loaded", policy=found.digest, before=self._before[0].digest)


def _shown(digest: str) -> str:
    """What a server says may be anything."""
    return (
        digest if len(digest) <= 80 and digest.isascii() and digest.isprintable() else "of an unusable name"
    )
