"""Has the record signed, every so many records and every minute, and sends what was signed to the anchors.

The order is: on record, then noted in the state, then sent. So the state is never behind an anchor, unless it is an older copy.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import structlog

from vaultsigner.audit.checkpoint_entry import Checkpointed
from vaultsigner.audit.recorder import Recorder
from vaultsigner.audit.writing.chain_tree import ChainState, ChainTree
from vaultsigner.audit.writing.idle_chains import IdleChains
from vaultsigner.audit.writing.writer import ChainWriter
from vaultsigner.custody.checkpoint_protocol import CheckpointSigned, ProofNeeded, SignCheckpointRequest
from vaultsigner.custody.client import CustodyClient
from vaultsigner.domain.checkpoints import AnchorDocument, Checkpoint, SignedCheckpoint
from vaultsigner.errors import CustodyError, VaultsignerError
from vaultsigner.signing.clock import Clock
from vaultsigner.state import NotedCheckpoint, State

EVERY_SECONDS = 60.0
LATE_SECONDS = 150.0
RETRY_SECONDS = 5.0
EMPTY_SECONDS = 0.1
"""How soon to look again at a chain that has no record yet: its first one is about to come."""
LAST_SECONDS = 5.0
"""How long the end of the service waits for its last checkpoint."""
MOST_UNSENT = 10_000

log = structlog.get_logger(__name__)
Publish = Callable[[AnchorDocument], None]
Record = Callable[[Checkpointed], Awaitable[object]]


class Checkpointing:
    """Makes checkpoints of this process's chain, and of chains that no process has.

    `last` is the last of this process's chain; `strangers` are chains that are there and that the state does not know: they get
    none.

    Args:
        every: how many records make a checkpoint due before its minute is over.
        publish: takes what goes to the anchors; does not wait.
        replica: the name of the directory, for the state.
    """

    def __init__(
        self,
        *,
        recorder: Recorder,
        custody: CustodyClient,
        state: State,
        idle: IdleChains,
        every: int,
        publish: Publish,
        clock: Clock,
        replica: str = "",
    ) -> None:
        self._own_problem: str | None = None
        self._problem_of_others: str | None = None
        self.last: Checkpoint | None = None
        self._recorder = recorder
        self._custody = custody
        self._state = state
        self._idle = idle
        self._every = every
        self._publish = publish
        self._clock = clock
        self._replica = replica
        self.strangers: tuple[str, ...] = ()
        self._made_at = clock.monotonic()
        self._due = asyncio.Event()
        self._sending = asyncio.Lock()
        self._unsent: deque[AnchorDocument] = deque(maxlen=MOST_UNSENT)

    async def run(self) -> None:
        """Until it is cancelled. The first checkpoint is due at once: it covers what a crash left without one."""
        tree, loop = self._tree(), asyncio.get_running_loop()
        tree.call_when_due(self._every, lambda: _set_from_thread(loop, self._due))
        pause = 0.0
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), pause)
            self._due.clear()
            done = await self.checkpoint()
            pause = RETRY_SECONDS if not done else EVERY_SECONDS if self.last else EMPTY_SECONDS

    async def run_for_others(self) -> None:
        """Until it is cancelled: checkpoints of chains that no process has. What holds this up does not hold up the own chain."""
        while True:
            done = await self._cover_idle_chains()
            await asyncio.sleep(EVERY_SECONDS if done else RETRY_SECONDS)

    @property
    def problem(self) -> str | None:
        """Why checkpoints cannot be made at present; None while they can."""
        return self._own_problem or self._problem_of_others

    @property
    def late_seconds(self) -> float:
        """How long ago the last checkpoint of the own chain was made, or this began, where that is too long; else 0."""
        passed = self._clock.monotonic() - self._made_at
        return passed if passed > LATE_SECONDS else 0.0

    async def checkpoint(self) -> bool:
        """Make one of this process's chain now. Returns False, and `problem` says why, where that cannot be."""
        try:
            signed = await self._make(self._tree(), self._recorder.record)
        except VaultsignerError as error:
            self._failed(error)
            self._own_problem = str(error)
            return False
        self.last = signed.checkpoint if signed is not None else self.last
        self._made_at = self._clock.monotonic()
        if self._own_problem is not None:
            log.info("checkpoints_again", size=self.last.size if self.last else 0)
            self._own_problem = None
        return True

    async def _make(self, tree: ChainTree, record: Record) -> SignedCheckpoint | None:
        """One checkpoint, on record, noted and sent; None where the chain is empty."""
        await self._send()
        state = await asyncio.to_thread(tree.state)
        if state is None:
            return None
        made = await self._signed(tree, state)
        signed = made.signed
        await record(Checkpointed(state, signed, self._recorder.policy, made.vault_request_id))
        await asyncio.to_thread(tree.signed, state)
        self._unsent.append(AnchorDocument(state.old_size, state.path, signed))
        await self._send()
        return signed

    async def _signed(self, tree: ChainTree, state: ChainState) -> CheckpointSigned:
        answer = await self._custody.sign_checkpoint(_question(state, state.old_size, state.path))
        if isinstance(answer, ProofNeeded):
            # It signed one that never came on record: this process, or one before it, ended in between.
            path = await asyncio.to_thread(tree.path_from, answer.size, state.size)
            answer = await self._custody.sign_checkpoint(_question(state, answer.size, path))
        if isinstance(answer, ProofNeeded):
            raise CustodyError("custody_unavailable", "custody wants another proof each time: try again")
        return answer

    async def _send(self) -> None:
        async with self._sending:
            while self._unsent:
                checkpoint = self._unsent[0].signed.checkpoint
                await self._state.note_checkpoint(
                    NotedCheckpoint(checkpoint.chain, checkpoint.size, checkpoint.head, self._replica)
                )
                self._publish(self._unsent.popleft())

    async def _cover_idle_chains(self) -> bool:
        """Only of chains that the state knows: somebody who may write files alone shall not have records of their own signed.

        Returns False, and `problem` says why, where that cannot be.
        """
        try:
            noted = {each.chain for each in await self._state.noted_checkpoints()}
            changed = await asyncio.to_thread(self._idle.changed)
            unknown = [chain for chain in changed if chain.name not in noted]
            # Whoever has just begun a chain holds it until the state knows it.
            self.strangers = tuple(
                [chain.name for chain in unknown if await asyncio.to_thread(self._idle.free, chain)]
            )
            for chain in changed:
                writer = await asyncio.to_thread(self._idle.open, chain) if chain.name in noted else None
                if writer is not None:
                    await self._cover(writer)
                    self._idle.covered(chain)
        except VaultsignerError as error:
            self._failed(error)
            self._problem_of_others = str(error)
            return False
        self._problem_of_others = None
        return True

    async def _cover(self, writer: ChainWriter) -> None:
        try:
            if writer.tree is not None:
                await self._make(writer.tree, _recording(writer))
        finally:
            await asyncio.to_thread(writer.close)

    def _tree(self) -> ChainTree:
        tree = self._recorder.tree
        if tree is None:
            raise RuntimeError("the recorder was opened without a tree")
        return tree

    def _failed(self, error: VaultsignerError) -> None:
        if self.problem is None:
            log.warning("no_checkpoint", problem=str(error))


@asynccontextmanager
async def checkpointing(made: Checkpointing) -> AsyncIterator[None]:
    """Make checkpoints for as long as the context lasts, and a last one."""
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(_run(endless)) for endless in (made.run, made.run_for_others)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(TimeoutError):
            await asyncio.wait_for(made.checkpoint(), LAST_SECONDS)


async def _run(endless: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await endless()
        except Exception:  # a bug must not be the end of every later checkpoint
            log.exception("checkpoints not made")
            await asyncio.sleep(RETRY_SECONDS)


def _set_from_thread(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    with suppress(RuntimeError):  # The loop is closed: nobody waits any more.
        loop.call_soon_threadsafe(event.set)


def _question(state: ChainState, old_size: int, path: tuple[bytes, ...]) -> SignCheckpointRequest:
    return SignCheckpointRequest(
        state.chain, state.size, state.root, state.head, old_size, path, state.time_us
    )


def _recording(writer: ChainWriter) -> Record:
    async def record(entry: Checkpointed) -> None:
        (result,) = await asyncio.to_thread(writer.commit, [entry.members()])
        if isinstance(result, Exception):
            raise result

    return record
