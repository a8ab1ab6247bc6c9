"""Opens the record, with its checkpoints and anchors, and closes it again."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from vaultsigner.audit import open_recorder
from vaultsigner.audit.anchors.anchoring import Anchoring
from vaultsigner.audit.anchors.opening import open_anchors
from vaultsigner.audit.anchors.rollback import newest_checkpoints
from vaultsigner.audit.entries import Control
from vaultsigner.audit.recorder import Recorder
from vaultsigner.audit.writing.idle_chains import IdleChains
from vaultsigner.audit.writing.interrupted import find_interrupted
from vaultsigner.config.settings import AuditSettings
from vaultsigner.custody.client import CustodyClient
from vaultsigner.domain.signed_notes import VerifierKey
from vaultsigner.errors import CustodyError
from vaultsigner.signing.checkpointing import Checkpointing, checkpointing
from vaultsigner.signing.clock import Clock
from vaultsigner.signing.rollback_check import require_not_rolled_back
from vaultsigner.state import NotedCheckpoint, State

KEYS_SECONDS = 15.0
"""How long a start waits for custody and Vault to say by which keys anchors are believed."""


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """The record of a running service.

    Args:
        checkpoints, anchoring: None where the configuration names no key for them.
    """

    recorder: Recorder
    checkpoints: Checkpointing | None = None
    anchoring: Anchoring | None = None

    def warnings(self) -> Iterator[str]:
        """What stands in no signature's way, and ought to be mended."""
        if self.recorder.warning is not None:
            yield f"audit: {self.recorder.warning}"
        if self.checkpoints is not None and self.checkpoints.problem is not None:
            yield f"audit: no checkpoint can be made: {self.checkpoints.problem}"
        for anchor in self.anchoring.status() if self.anchoring is not None else ():
            if anchor.problem is not None:
                yield f"audit: the anchor {anchor.name}: {anchor.problem}"


@asynccontextmanager
async def record_kept(
    settings: AuditSettings, custody: CustodyClient, state: State, clock: Clock
) -> AsyncIterator[KeptRecord]:
    """The record, for as long as the context lasts; a last checkpoint is made at its end.

    Raises:
        AuditError: it cannot be opened, or is older than what was signed of it before.
        CustodyError: there are anchors, and Vault does not say which keys count.
    """
    if settings.checkpoint_key is None:
        async with open_recorder(settings.directory, rotate_bytes=settings.rotate_bytes) as recorder:
            await _tell_interrupted(settings.directory, recorder)
            yield KeptRecord(recorder)
        return
    async with AsyncExitStack() as stack:
        anchors = open_anchors(settings.anchors)
        for anchor in anchors:
            # A start that is refused has asked them as well.
            stack.push_async_callback(anchor.close)
        keys = await _keys(custody) if anchors else ()
        closed = await require_not_rolled_back(settings, anchors, keys, state)
        recorder = await stack.enter_async_context(
            open_recorder(
                settings.directory, rotate_bytes=settings.rotate_bytes, closed=closed, with_tree=True
            )
        )
        await _tell_interrupted(settings.directory, recorder)
        for chain in sorted(closed):
            await recorder.record(Control("rollback_accepted", {"chain": chain}))
        anchoring = await stack.enter_async_context(
            Anchoring(anchors, settings.directory, keys, closed=closed)
        )
        made = Checkpointing(
            recorder=recorder,
            custody=custody,
            state=state,
            idle=IdleChains(settings.directory, _nanoseconds(clock), closed),
            every=settings.checkpoint_every,
            publish=anchoring.publish,
            clock=clock,
        )
        await _note_recorded(settings.directory, closed, state)
        await anchoring.catch_up()
        await stack.enter_async_context(checkpointing(made))
        yield KeptRecord(recorder, made, anchoring)


async def _tell_interrupted(directory: Path, recorder: Recorder) -> None:
    """What a crash left unfinished, before anything of this life is on the record."""
    found = await asyncio.to_thread(find_interrupted, directory / recorder.chain)
    if found is not None:
        await recorder.record(Control("interrupted", found.details()))


async def _keys(custody: CustodyClient) -> tuple[VerifierKey, ...]:
    """The keys that count for what anchors keep. Custody is starting at this moment, too.

    Raises:
        CustodyError: Vault cannot be asked for them: then nobody knows what the anchors say.
    """
    deadline = time.monotonic() + KEYS_SECONDS
    while True:
        try:
            return await custody.checkpoint_keys()
        except CustodyError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)


async def _note_recorded(directory: Path, closed: Collection[str], state: State) -> None:
    """What a crash kept from being noted: anchors must not get ahead of the state."""
    for chain, signed in (await asyncio.to_thread(newest_checkpoints, directory)).items():
        if chain not in closed:
            checkpoint = signed.checkpoint
            await state.note_checkpoint(NotedCheckpoint(chain, checkpoint.size, checkpoint.head))


def _nanoseconds(clock: Clock) -> Callable[[], int]:
    return lambda: clock.milliseconds() * 1_000_000
