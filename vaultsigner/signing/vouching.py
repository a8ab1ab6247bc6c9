"""What vouches for the record: the keys that sign checkpoints, and where these go."""

import asyncio
from collections.abc import Sequence

from vaultsigner.audit.anchors.anchoring import AnchorStatus
from vaultsigner.custody.client import CustodyClient
from vaultsigner.domain.names import JsonValue
from vaultsigner.errors import CustodyError
from vaultsigner.signing.clock import Clock
from vaultsigner.signing.record_keeping import KeptRecord

KEYS_KEPT_SECONDS = 60.0
PATIENCE_SECONDS = 2.0


class Vouching:
    """Tells it to those who review the record. It is in the way of no look at the record: what is not known is left out."""

    def __init__(self, record: KeptRecord, custody: CustodyClient, clock: Clock) -> None:
        self._record = record
        self._custody = custody
        self._clock = clock
        self._keys: tuple[str, ...] = ()
        self._asked_at = float("-inf")

    async def keys(self) -> Sequence[str]:
        """Verifier keys, as C2SP signed-note writes them; those of a minute ago where Vault cannot be asked."""
        if (
            self._record.checkpoints is not None
            and self._clock.monotonic() - self._asked_at > KEYS_KEPT_SECONDS
        ):
            self._asked_at = self._clock.monotonic()
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    self._keys = tuple(map(str, await self._custody.checkpoint_keys()))
            except (CustodyError, TimeoutError):
                self._asked_at = float("-inf")
        return self._keys

    def anchors(self) -> Sequence[JsonValue]:
        """Each anchor: how it does, and what it was given last."""
        anchoring = self._record.anchoring
        return [_told(each) for each in anchoring.status()] if anchoring is not None else []

    @property
    def problem(self) -> str | None:
        """Why records or checkpoints cannot be made at present."""
        checkpoints = self._record.checkpoints
        problem = self._record.recorder.problem
        if problem is None and checkpoints is not None and checkpoints.problem is not None:
            problem = f"no checkpoint can be made: {checkpoints.problem}"
        return problem


def _told(status: AnchorStatus) -> JsonValue:
    last = status.last
    return {
        "name": status.name,
        "kind": status.kind,
        "problem": status.problem,
        "waiting": status.waiting,
        "last": None if last is None else {"chain": last.chain, "size": last.size, "time": last.time},
    }
