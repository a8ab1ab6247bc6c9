"""Opens the record, with its checkpoints and anchors, and closes it again."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from vaultsigner.audit import open_recorder
from vaultsigner.audit.idle_chains import IdleChains
from vaultsigner.audit.recorder import Recorder
from vaultsigner.config.settings import AuditSettings
from vaultsigner.custody.client import CustodyClient
from vaultsigner.signing.checkpointing import Checkpointing, checkpointing
from vaultsigner.signing.clock import Clock
from vaultsigner.state import State


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """The record of a running service.

    Args:
        checkpoints: None where the configuration names no key for them.
    """

    recorder: Recorder
    checkpoints: Checkpointing | None = None


@asynccontextmanager
async def record_kept(
    settings: AuditSettings, custody: CustodyClient, state: State, clock: Clock
) -> AsyncIterator[KeptRecord]:
    """The record, for as long as the context lasts; a last checkpoint is made at its end.

    Raises:
        AuditError: it cannot be opened, or is older than what was signed of it before.
    """
    with_tree = settings.checkpoint_key is not None
    async with open_recorder(
        settings.directory, rotate_bytes=settings.rotate_bytes, with_tree=with_tree
    ) as recorder:
        if not with_tree:
            yield KeptRecord(recorder)
            return
        made = Checkpointing(
            recorder=recorder,
            custody=custody,
            state=state,
            idle=IdleChains(settings.directory, _nanoseconds(clock)),
            every=settings.checkpoint_every,
            publish=lambda _: None,
            clock=clock,
        )
        async with checkpointing(made):
            yield KeptRecord(recorder, made)


def _nanoseconds(clock: Clock) -> Callable[[], int]:
    return lambda: clock.milliseconds() * 1_000_000
