"""Which chains are nobody's: those that the state does not know, unless it is new or was accepted to have forgotten them."""

from pathlib import Path

import pytest

from vaultsigner.config.settings import AuditSettings
from vaultsigner.signing.record_keeping import unknown_chains
from vaultsigner.state import NotedCheckpoint, open_state

KNOWN, OTHER, EMPTY = "00000000000000aa", "00000000000000bb", "00000000000000cc"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Two chains with records, and one that was begun and has none."""
    for name in (KNOWN, OTHER, EMPTY):
        (tmp_path / "audit" / name).mkdir(parents=True)
    for name in (KNOWN, OTHER):
        (tmp_path / "audit" / name / "2026-11-21.jsonl").write_bytes(b"{}\n")
    return tmp_path / "audit"


async def test_chains_that_the_state_does_not_know(directory: Path) -> None:
    plain = AuditSettings(directory, None, 1000)
    forgotten = AuditSettings(directory, None, 1000, accepted_rollbacks=frozenset({f"state:{OTHER}:7"}))
    rolled_back = AuditSettings(directory, None, 1000, accepted_rollbacks=frozenset({f"{OTHER}:7"}))
    async with open_state(f"sqlite:///{directory.parent / 'state.db'}") as state:
        assert await unknown_chains(plain, state) == set()
        await state.note_checkpoint(NotedCheckpoint(KNOWN, 7, "1" * 64))
        assert await unknown_chains(plain, state) == {OTHER}
        assert await unknown_chains(forgotten, state) == set()
        assert await unknown_chains(rolled_back, state) == {OTHER}
        await state.note_checkpoint(NotedCheckpoint(OTHER, 7, "2" * 64))
        assert await unknown_chains(plain, state) == set()
