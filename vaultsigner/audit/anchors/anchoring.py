"""Sends checkpoints to every anchor, without anybody waiting for that."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from vaultsigner.audit.anchors.anchor import Anchor, Kind
from vaultsigner.audit.anchors.delivery import FIRST_RETRY_SECONDS, QUEUE_LIMIT, Delivery
from vaultsigner.audit.files.file_names import is_chain
from vaultsigner.domain.checkpoints import AnchorDocument, Checkpoint, SignedCheckpoint
from vaultsigner.domain.signed_notes import VerifierKey
from vaultsigner.errors import AuditError

LAST_SECONDS = 5.0
"""How long the end of the service waits for the last checkpoints to be kept."""


@dataclass(frozen=True, slots=True)
class AnchorStatus:
    """How an anchor does.

    Args:
        problem: None when all is well.
        waiting: how many checkpoints wait to be kept there.
        last: the last one that is.
    """

    name: str
    kind: Kind
    problem: str | None
    waiting: int
    last: Checkpoint | None


class Anchoring:
    """For `async with`: a worker for each anchor, and an order for each chain.

    Args:
        anchors: closed at the end.
        directory: of all chains; what an anchor lacks is read from there.
        keys: whoever signed what an anchor keeps must be among them for it to count.
        closed: chains of which anchors get nothing any more (`Comparison.closed`).
        retry_seconds, queue_limit: see `Delivery`.
    """

    def __init__(
        self,
        anchors: Sequence[Anchor],
        directory: Path,
        keys: Sequence[VerifierKey],
        *,
        closed: Collection[str] = (),
        retry_seconds: float = FIRST_RETRY_SECONDS,
        queue_limit: int = QUEUE_LIMIT,
        last_seconds: float = LAST_SECONDS,
    ) -> None:
        def trusts(signed: SignedCheckpoint) -> bool:
            return signed.verified_by(keys) is not None

        self._deliveries = tuple(
            Delivery(anchor, directory, trusts, retry_seconds=retry_seconds, queue_limit=queue_limit)
            for anchor in anchors
        )
        self._directory = directory
        self._closed = closed
        self._last_seconds = last_seconds
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Start the workers."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(delivery.run()) for delivery in self._deliveries]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give what waits a few seconds more; the rest is caught up with at the next start."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._last_seconds):
                await asyncio.gather(*(delivery.delivered() for delivery in self._deliveries))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(delivery.anchor.close() for delivery in self._deliveries))

    def publish(self, document: AnchorDocument) -> None:
        """Have a checkpoint, which is on record, kept by every anchor. Returns at once, and never fails."""
        for delivery in self._deliveries:
            delivery.put(document)

    async def catch_up(self) -> None:
        """Have every anchor get what it lacks of every chain; returns once the chains are known.

        Raises:
            AuditError: the directory cannot be read.
        """
        if not self._deliveries:
            return
        for chain in await asyncio.to_thread(self._chains):
            for delivery in self._deliveries:
                delivery.catch_up(chain)

    async def delivered(self) -> None:
        """Wait until every anchor has what was published so far, however long that takes."""
        await asyncio.gather(*(delivery.delivered() for delivery in self._deliveries))

    def status(self) -> tuple[AnchorStatus, ...]:
        """How each anchor does, in the order of the configuration."""
        return tuple(
            AnchorStatus(each.anchor.name, each.anchor.kind, each.problem, each.waiting, each.last)
            for each in self._deliveries
        )

    def _chains(self) -> list[str]:
        try:
            names = sorted(path.name for path in self._directory.iterdir() if is_chain(path.name))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise AuditError(f"{self._directory}: {error.strerror}") from error
        return [name for name in names if name not in self._closed]
