"""The pen of the service: whoever waits for `record` to return knows that the record is on disk."""

import asyncio
import time
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import Self

from vaultsigner.audit.chain import Head
from vaultsigner.audit.entries import Entry
from vaultsigner.audit.files import compression
from vaultsigner.audit.files.compression import Compressor
from vaultsigner.audit.writing.chain_tree import ChainTree
from vaultsigner.audit.writing.writer import (
    ROTATE_BYTES,
    ChainWriter,
    ClockNs,
    Members,
    UnrecordableError,
    open_writer,
)
from vaultsigner.domain.audit_position import AuditPosition
from vaultsigner.errors import AuditError
from vaultsigner.group_commit import QUEUE_LIMIT, WAIT_SECONDS, GroupCommit, Load

RETRY_SECONDS = 1.0


class Recorder:
    """Records into one chain under a directory, from the event loop in which it was entered.

    Args:
        directory: holds one directory a chain; made if missing.
        clock: nanoseconds since 1970; where it steps back, the time of the record before is repeated.
        wait_seconds: how long a stalled disk may keep a caller.
        queue_limit: how many records may wait.
        retry_seconds: how often a failure is looked at again while nobody asks for a record.
        rotate_bytes: a file that has reached this size is closed, and the day goes on in another. Closed files are compressed.
        compress_retry_seconds: how long after a failure to compress a file it is tried again.
        closed: chains that must not go on.
        with_tree: whether checkpoints are to be made of the chain, see `tree`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        clock: ClockNs = time.time_ns,
        wait_seconds: float = WAIT_SECONDS,
        queue_limit: int = QUEUE_LIMIT,
        retry_seconds: float = RETRY_SECONDS,
        rotate_bytes: int = ROTATE_BYTES,
        compress_retry_seconds: float = compression.RETRY_SECONDS,
        closed: Collection[str] = (),
        with_tree: bool = False,
    ) -> None:
        self._directory = directory
        self._closed = closed
        self._with_tree = with_tree
        self._clock = clock
        self._wait_seconds = wait_seconds
        self._queue_limit = queue_limit
        self._retry_seconds = retry_seconds
        self._rotate_bytes = rotate_bytes
        self._compress_retry_seconds = compress_retry_seconds

    async def __aenter__(self) -> Self:
        """Open the chain.

        Raises:
            AuditError: there is none that can be written, or the one to continue is damaged.
        """
        self._writer: ChainWriter = await asyncio.to_thread(
            open_writer,
            self._directory,
            self._clock,
            rotate_bytes=self._rotate_bytes,
            closed=self._closed,
            with_tree=self._with_tree,
        )
        self._group = GroupCommit[Members, AuditPosition](
            self._writer.commit,
            failure=AuditError,
            name="audit",
            idle_seconds=self._retry_seconds,
            queue_limit=self._queue_limit,
            wait_seconds=self._wait_seconds,
            step="audit",
        )
        self._compressor = Compressor(
            self._writer.directory,
            writing=lambda: self._writer.writing,
            is_ours=self._writer.is_ours,
            retry_seconds=self._compress_retry_seconds,
        )
        self._writer.rotated = self._compressor.wake
        self._group.start()
        self._compressor.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Write what waits, and leave the chain to the next process.

        Raises:
            AuditError: the disk hangs; the chain stays locked until this process ends.
        """
        self._compressor.stop()
        await self._group.close()
        await asyncio.to_thread(self._compressor.join, self._wait_seconds)
        self._writer.close()

    async def record(self, entry: Entry) -> AuditPosition:
        """Append a record; returns once it is durable.

        A caller that is cancelled gets its record all the same. After an error the record may still be written where
        the disk answers too late: there can be a record of an answer that was never given, never the reverse.

        Raises:
            AuditError: the record is not known to be durable; the answer that it stands for must not leave.
        """
        try:
            return await self._group.submit(entry.members())
        except UnrecordableError:
            raise
        except AuditError as error:
            # A stall shows only here: the thread that hangs cannot tell.
            self._writer.problem = self._writer.problem or str(error)
            raise

    @property
    def load(self) -> Load:
        """How much is being recorded, and how long it takes."""
        return self._group.load

    @property
    def chain(self) -> str:
        """The chain that is written."""
        return self._writer.chain

    @property
    def head(self) -> Head:
        """The last record that is on disk, as far as is known."""
        return self._writer.head

    def name_policy(self, digest: str) -> None:
        """From now on the recorder's own records name these policies; all others bring the name of theirs."""
        self._writer.policy = digest

    @property
    def policy(self) -> str | None:
        """What was named last by `name_policy`."""
        return self._writer.policy

    @property
    def tree(self) -> ChainTree | None:
        """The tree over the chain; None where no checkpoints are made of it."""
        return self._writer.tree

    @property
    def problem(self) -> str | None:
        """Why records cannot be written at present; None when the last one could."""
        return self._writer.problem

    @property
    def warning(self) -> str | None:
        """What does not stand in the way of records and yet needs somebody's eye: a file that cannot be compressed."""
        return self._compressor.warning

    @property
    def healthy(self) -> bool:
        """True when nothing stands in the way of the next record, as far as is known."""
        return self._writer.problem is None


def open_recorder(
    directory: Path,
    *,
    clock: ClockNs = time.time_ns,
    rotate_bytes: int = ROTATE_BYTES,
    closed: Collection[str] = (),
    with_tree: bool = False,
) -> Recorder:
    """A recorder for `async with`. See `Recorder`."""
    return Recorder(directory, clock=clock, rotate_bytes=rotate_bytes, closed=closed, with_tree=with_tree)
