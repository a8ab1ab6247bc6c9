"""Has one anchor keep every checkpoint, in their order, for as long as that takes."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import structlog

from vaultsigner.audit.anchors.anchor import (
    Anchor,
    AnchorConflictError,
    AnchorDistrustError,
    AnchorError,
    AnchorRefusalError,
    AnchorSizeError,
    Trusts,
)
from vaultsigner.audit.anchors.checkpoint_documents import UNSIGNED, Sieve, documents_since, latest_documents
from vaultsigner.domain.checkpoints import AnchorDocument, Checkpoint
from vaultsigner.errors import AuditError

FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0
QUEUE_LIMIT = 1_000
MOST_AT_FIRST = 1_000
"""So many of a chain's latest checkpoints an anchor gets that has none of that chain; the newest vouches for all before it."""
_AT_ONCE = 100

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _CatchUp:
    """The anchor may lack checkpoints of this chain, which are on record."""

    chain: str


class Delivery:
    """What waits for one anchor.

    `problem` is None when all is well. A conflict stays a problem until the process ends: what the anchor has and what the record
    has cannot both be true. So does a loss: an anchor that no longer has what it took.

    Args:
        directory: of all chains: what does not fit into the queue is read again from there.
        retry_seconds: how long to wait after the first failure; twice as long after each one more, up to a minute.
    """

    def __init__(
        self,
        anchor: Anchor,
        directory: Path,
        trusts: Trusts,
        *,
        retry_seconds: float = FIRST_RETRY_SECONDS,
        queue_limit: int = QUEUE_LIMIT,
    ) -> None:
        self.anchor = anchor
        self.last: Checkpoint | None = None
        self._directory = directory
        self._trusts = trusts
        self._retry_seconds = retry_seconds
        self._queue_limit = queue_limit
        self._queue: deque[AnchorDocument | _CatchUp] = deque()
        self._some = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._at_work = False
        self._conflict: str | None = None
        self._loss: str | None = None
        self._left_out: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._trouble: str | None = None

    @property
    def problem(self) -> str | None:
        """See the class."""
        passing = (self._trouble, *self._refused.values(), *self._left_out.values())
        return self._conflict or self._loss or next(filter(None, passing), None)

    @property
    def waiting(self) -> int:
        """How many checkpoints, or chains to catch up with, wait."""
        return len(self._queue) + self._at_work

    def put(self, document: AnchorDocument) -> None:
        """Add a checkpoint. Where too many wait already, they are read again from the record later."""
        if len(self._queue) < self._queue_limit:
            self._add(document)
            return
        waiting = [*self._queue, document]
        self._queue = deque(map(_CatchUp, dict.fromkeys(map(_chain_of, waiting))))

    def catch_up(self, chain: str) -> None:
        """Have the anchor get what it lacks of a chain."""
        self._add(_CatchUp(chain))

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self._some.wait()
            while self._queue:
                work, self._at_work = self._queue.popleft(), True
                await self._persist(work)
                self._at_work = False
            self._some.clear()
            self._idle.set()

    async def delivered(self) -> None:
        """Wait until nothing waits any more."""
        await self._idle.wait()

    def _add(self, work: AnchorDocument | _CatchUp) -> None:
        self._queue.append(work)
        self._idle.clear()
        self._some.set()

    async def _persist(self, work: AnchorDocument | _CatchUp) -> None:
        """Again and again, until it is done or found to be impossible for ever."""
        wait_seconds = self._retry_seconds
        while True:
            try:
                await self._do(work)
            except AnchorConflictError as error:
                self._note_conflict(str(error))
                return
            except (AnchorRefusalError, AnchorDistrustError) as error:
                # The other chains do not wait for what its keeper may do some day.
                self._note_refusal(_chain_of(work), str(error))
                return
            except AuditError as error:
                self._note_trouble(str(error))
            except Exception as error:
                # A mistake of ours must not be the end of what this anchor gets.
                log.exception("anchor_failure", anchor=self.anchor.name)
                self._note_trouble(f"{type(error).__name__}: this is a mistake in vaultsigner; see the log")
            else:
                self._note_success(_chain_of(work))
                return
            await asyncio.sleep(wait_seconds)
            wait_seconds = min(2 * wait_seconds, LONGEST_RETRY_SECONDS)

    async def _do(self, work: AnchorDocument | _CatchUp) -> None:
        if isinstance(work, AnchorDocument):
            try:
                await self._publish(work)
            except AnchorSizeError as error:
                await self._follow(work.signed.checkpoint.chain, error.size)
            return
        for newest in await self._latest(work.chain, 1):
            size = await self.anchor.seen(newest.signed, self._trusts)
            if size == newest.signed.checkpoint.size:
                self.last = newest.signed.checkpoint
            else:
                await self._follow(work.chain, size)

    async def _follow(self, chain: str, size: int) -> None:
        """Bring the anchor, which has seen so many records of the chain, up to date."""
        if not size:
            await self._begin(chain)
            return
        sieve = Sieve(self._directory / chain, self._trusts)
        documents = documents_since(self._directory / chain, size, sieve)
        reached = size
        while batch := await self._read(lambda: list(islice(documents, _AT_ONCE))):
            for document in batch:
                if self.anchor.kind == "witness" and document.old_size != reached:
                    raise AnchorConflictError(_unknown(chain, reached))
                await self._publish_next(document)
                reached = document.signed.checkpoint.size
        self._note_left_out(chain, sieve, any_taken=reached > size)
        if reached == size and not await self._has(chain, size):
            raise AnchorConflictError(_unknown(chain, size))

    async def _begin(self, chain: str) -> None:
        """An anchor that knows nothing of a chain takes any of its checkpoints; a witness takes one without a proof."""
        witness = self.anchor.kind == "witness"
        most = 1 if witness else MOST_AT_FIRST
        for document in await self._latest(chain, most):
            await self._publish_next(AnchorDocument(0, (), document.signed) if witness else document)

    async def _publish_next(self, document: AnchorDocument) -> None:
        try:
            await self._publish(document)
        except AnchorSizeError as error:
            raise AnchorError(
                f"{error}, and said otherwise a moment ago: something else sends to it"
            ) from None

    async def _publish(self, document: AnchorDocument) -> None:
        if self._loss is None and self.last is not None and not await self.anchor.keeps(self.last):
            self._note_loss(self.last)
        await self.anchor.publish(document)
        self.last = document.signed.checkpoint

    async def _has(self, chain: str, size: int) -> bool:
        """Whether a checkpoint of that size is on record."""
        return any(document.signed.checkpoint.size == size for document in await self._latest(chain, 1))

    async def _latest(self, chain: str, most: int) -> list[AnchorDocument]:
        sieve = Sieve(self._directory / chain, self._trusts)
        found = await self._read(lambda: latest_documents(self._directory / chain, most, sieve))
        self._note_left_out(chain, sieve, any_taken=bool(found))
        return found

    async def _read(self, read: Callable[[], list[AnchorDocument]]) -> list[AnchorDocument]:
        return await asyncio.to_thread(read)

    def _note_conflict(self, problem: str) -> None:
        if self._conflict != problem:
            log.error("anchor_conflict", anchor=self.anchor.name, problem=problem)
        self._conflict, self._trouble = problem, None

    def _note_loss(self, last: Checkpoint) -> None:
        self._loss = (
            f"it no longer has the checkpoints that were delivered to it (the last was of {last.size} records of chain "
            f"{last.chain}): emptied, or another disk is mounted there; put back what it had, and start the service anew"
        )
        log.error("anchor_loss", anchor=self.anchor.name, problem=self._loss)

    def _note_left_out(self, chain: str, sieve: Sieve, *, any_taken: bool) -> None:
        """A chain that an earlier key signed throughout is no trouble: it is in the anchors of its time."""
        self._left_out.pop(chain, None)
        if not sieve.left_out:
            return
        problem = (
            f"{len(sieve.left_out)} checkpoints of chain {chain} on record are not sent, the first {sieve.left_out[0]}; find out "
            "who wrote them, and run `vaultsigner audit verify`"
        )
        log.warning("anchor_left_out", anchor=self.anchor.name, problem=problem)
        if any_taken or not all(each.endswith(UNSIGNED) for each in sieve.left_out):
            self._left_out[chain] = problem

    def _note_trouble(self, problem: str) -> None:
        if self._trouble is None:
            log.warning("anchor_trouble", anchor=self.anchor.name, problem=problem)
        self._trouble = problem

    def _note_refusal(self, chain: str, problem: str) -> None:
        if chain not in self._refused:
            log.warning("anchor_refusal", anchor=self.anchor.name, chain=chain, problem=problem)
        self._refused[chain], self._trouble = problem, None

    def _note_success(self, chain: str) -> None:
        self._refused.pop(chain, None)
        if self._trouble is not None:
            log.info("anchor_again", anchor=self.anchor.name)
        self._trouble = None


def _chain_of(work: AnchorDocument | _CatchUp) -> str:
    return work.chain if isinstance(work, _CatchUp) else work.signed.checkpoint.chain


def _unknown(chain: str, size: int) -> str:
    return (
        f"ROLLBACK OR FORK: the anchor has seen {size} records of chain {chain}, and no checkpoint of {size} records is on "
        "record here: the record was cut off, put back or written anew, or another process signs for this chain; stop, keep a "
        "copy of the record, and compare it with the anchors by `vaultsigner audit verify`"
    )
