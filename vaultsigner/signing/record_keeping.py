"""Opens the record, with its checkpoints and anchors, and closes it again."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from vaultsigner.audit import open_recorder
from vaultsigner.audit.anchors.anchoring import Anchoring
from vaultsigner.audit.anchors.opening import open_anchors
from vaultsigner.audit.anchors.rollback import find_rollbacks, newest_checkpoints
from vaultsigner.audit.entries import Control
from vaultsigner.audit.recorder import Recorder
from vaultsigner.audit.writing.idle_chains import IdleChains, chains_with_records
from vaultsigner.audit.writing.interrupted import find_interrupted
from vaultsigner.config.settings import AuditSettings
from vaultsigner.custody.client import CustodyClient
from vaultsigner.domain.signed_notes import VerifierKey
from vaultsigner.errors import CustodyError
from vaultsigner.signing.checkpointing import Checkpointing, checkpointing
from vaultsigner.signing.clock import Clock
from vaultsigner.signing.rollback_check import is_anothers, require_not_rolled_back
from vaultsigner.state import NotedCheckpoint, State

KEYS_SECONDS = 15.0
"""How long a start waits for custody and Vault to say by which keys anchors are believed."""


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """The record of a running service.

    Args:
        checkpoints, anchoring: None where the configuration names no key for them.
        strangers: chains that were there at the start and that the state does not know.
        distrusted: what lay in anchors at the start, and was signed by no key that counts.
        replica: the name of the directory, for the state; empty: it has none.
    """

    recorder: Recorder
    checkpoints: Checkpointing | None = None
    anchoring: Anchoring | None = None
    strangers: frozenset[str] = frozenset()
    distrusted: tuple[str, ...] = ()
    replica: str = ""

    async def introduce(self, state: State) -> None:
        """Tell the state of this chain as soon as it has a record: chains that it does not know are nobody's."""
        if self.checkpoints is not None:
            await introduce(self.recorder, state, self.replica)

    def warnings(self) -> Iterator[str]:
        """What stands in no signature's way, and ought to be mended."""
        if self.recorder.warning is not None:
            yield f"audit: {self.recorder.warning}"
        if self.checkpoints is not None and self.checkpoints.problem is not None:
            yield f"audit: no checkpoint can be made: {self.checkpoints.problem}"
        elif self.checkpoints is not None and self.checkpoints.late_seconds:
            yield f"audit: the last checkpoint was made {self.checkpoints.late_seconds:.0f} seconds ago"
        strangers = {*self.strangers, *(self.checkpoints.strangers if self.checkpoints is not None else ())}
        if strangers:
            yield (
                f"audit: the state knows nothing of {', '.join(sorted(strangers)[:10])} in the record's directory, or knows that "
                "they are another replica's, so nobody goes on with them or signs them: find out where they come from, and move "
                "them away"
            )
        yield from (f"audit: {each}" for each in self.distrusted)
        for anchor in self.anchoring.status() if self.anchoring is not None else ():
            if anchor.problem is not None:
                yield f"audit: the anchor {anchor.name}: {anchor.problem}"


async def introduce(recorder: Recorder, state: State, replica: str | None) -> None:
    """Tell the state how far the recorder's chain has come.

    Args:
        replica: the name of its directory.

    Raises:
        StateError: it cannot be told.
    """
    head = recorder.head
    await state.note_checkpoint(NotedCheckpoint(head.chain, head.seq, head.hash, replica or ""))


@asynccontextmanager
async def record_kept(
    settings: AuditSettings, custody: CustodyClient, state: State, clock: Clock, *, alone: bool
) -> AsyncIterator[KeptRecord]:
    """The record, for as long as the context lasts; a last checkpoint is made at its end.

    Args:
        alone: whether all chains that the state knows must be in this directory.

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
        found = await require_not_rolled_back(settings, anchors, keys, state, alone=alone)
        strangers = await unknown_chains(settings, state)
        closed = found.closed | strangers
        recorder = await stack.enter_async_context(
            open_recorder(
                settings.directory, rotate_bytes=settings.rotate_bytes, closed=closed, with_tree=True
            )
        )
        await _tell_interrupted(settings.directory, recorder)
        for chain in sorted(found.closed):
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
            replica=settings.replica or "",
        )
        await _note_recorded(settings, closed, keys, state)
        await anchoring.catch_up()
        await stack.enter_async_context(checkpointing(made))
        yield KeptRecord(recorder, made, anchoring, strangers, found.distrusted, settings.replica or "")


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


async def unknown_chains(settings: AuditSettings, state: State) -> frozenset[str]:
    """Chains with records that the state does not know, or knows as another replica's: whoever may write files has put them here,
    and a copy that went on would be a fork.

    A state that knows of none yet, because it is new, takes those that are there; one that was taken back, and accepted so, those
    that it was accepted for.
    """
    noted = {each.chain: each for each in await state.noted_checkpoints()}
    accepted = {name.split(":")[1] for name in settings.accepted_rollbacks if name.startswith("state:")}
    chains = await asyncio.to_thread(chains_with_records, settings.directory)
    if not noted:
        return frozenset()
    known = accepted | {each.chain for each in noted.values() if not is_anothers(each, settings.replica)}
    return frozenset(chain for chain in chains if chain not in known)


async def _note_recorded(
    settings: AuditSettings, closed: Collection[str], keys: Sequence[VerifierKey], state: State
) -> None:
    """What a crash kept from being noted: anchors must not get ahead of the state.

    Only what one of the keys signed, and what is true of the chain: the state believes no smaller number afterwards.
    """
    directory, replica = settings.directory, settings.replica or ""
    for chain, signed in (await asyncio.to_thread(newest_checkpoints, directory)).items():
        checkpoint = signed.checkpoint
        good = chain not in closed and checkpoint.chain == chain and signed.verified_by(keys) is not None
        if good and not await asyncio.to_thread(find_rollbacks, directory, {chain: checkpoint}):
            await state.note_checkpoint(NotedCheckpoint(chain, checkpoint.size, checkpoint.head, replica))


def _nanoseconds(clock: Clock) -> Callable[[], int]:
    return lambda: clock.milliseconds() * 1_000_000
