"""An anchor in a second directory."""

import errno
import os
import resource
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.signed_chains import CHAIN, KEYS, OTHER_CHAIN, SignedChain, trusts
from vaultsigner.audit.anchors.anchor import AnchorConflictError, AnchorError, name_for
from vaultsigner.audit.anchors.calls import Calls
from vaultsigner.audit.anchors.directory import CheckpointDirectory
from vaultsigner.config.anchor_settings import DirectoryAnchor
from vaultsigner.domain.checkpoints import read_anchor_document


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "anchors").mkdir()
    return tmp_path / "anchors"


@pytest.fixture
async def anchor(place: Path) -> AsyncIterator[CheckpointDirectory]:
    anchor = CheckpointDirectory(DirectoryAnchor("second-disk", place))
    yield anchor
    await anchor.close()


async def test_a_document_as_it_is_kept(anchor: CheckpointDirectory, place: Path, tmp_path: Path) -> None:
    chain = SignedChain(tmp_path / "audit").grown(5, 3)
    for document in chain.documents:
        await anchor.publish(document)
    assert sorted(os.listdir(place / CHAIN)) == [  # noqa: PTH208 - hidden names, too
        "00000000000000000005.checkpoint",
        "00000000000000000009.checkpoint",
    ]
    kept = (place / CHAIN / name_for(9)).read_text()
    assert kept == chain.documents[1].text()
    assert read_anchor_document(kept).signed.verified_by(KEYS)
    assert kept.startswith("old 5\n")


async def test_only_its_owner_reads_it(anchor: CheckpointDirectory, place: Path, tmp_path: Path) -> None:
    await anchor.publish(SignedChain(tmp_path / "audit").grown(5).documents[0])
    assert (place / CHAIN).stat().st_mode & 0o777 == 0o700
    assert (place / CHAIN / name_for(5)).stat().st_mode & 0o777 == 0o600


async def test_it_is_durable_before_it_counts(
    anchor: CheckpointDirectory, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data, then the name, then the directory; and the name of a new chain's directory in the one above."""
    steps: list[str] = []
    fsync, link = os.fsync, os.link

    def noted_fsync(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115 - of a descriptor
        steps.append(path.relative_to(place).as_posix())
        fsync(descriptor)

    def noted_link(*names: Any, **others: Any) -> None:
        steps.append("link")
        link(*names, **others)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "link", noted_link)
    await anchor.publish(SignedChain(tmp_path / "audit").grown(5).documents[0])
    assert steps == [".", f"{CHAIN}/.{name_for(5)}.being-written", "link", CHAIN]


async def test_the_newest_of_each_chain(anchor: CheckpointDirectory, tmp_path: Path) -> None:
    one = SignedChain(tmp_path / "audit").grown(5, 3)
    other = SignedChain(tmp_path / "audit", OTHER_CHAIN).grown(2)
    assert (await anchor.held(trusts)).newest == {}
    assert await anchor.seen(one.documents[0].signed, trusts) == 0
    for document in (*reversed(one.documents), *other.documents):
        await anchor.publish(document)
    held = await anchor.held(trusts)
    assert held.newest == {CHAIN: one.documents[1].signed, OTHER_CHAIN: other.documents[0].signed}
    assert held.distrusted == ()
    assert await anchor.seen(one.documents[0].signed, trusts) == 9


async def test_publishing_twice_is_well(anchor: CheckpointDirectory, place: Path, tmp_path: Path) -> None:
    (document,) = SignedChain(tmp_path / "audit").grown(5).documents
    await anchor.publish(document)
    before = (place / CHAIN / name_for(5)).stat()
    await anchor.publish(document)
    assert (place / CHAIN / name_for(5)).stat() == before


async def test_another_history_is_a_conflict_and_changes_nothing(
    anchor: CheckpointDirectory, place: Path, tmp_path: Path
) -> None:
    (first,) = SignedChain(tmp_path / "a").grown(5).documents
    (second,) = SignedChain(tmp_path / "b", note="other ").grown(5).documents
    await anchor.publish(first)
    with pytest.raises(AnchorConflictError, match=r"ROLLBACK OR FORK: .*keeps another history of chain"):
        await anchor.publish(second)
    assert (place / CHAIN / name_for(5)).read_text() == first.text()


async def test_something_else_in_its_place_is_a_conflict(
    anchor: CheckpointDirectory, place: Path, tmp_path: Path
) -> None:
    (document,) = SignedChain(tmp_path / "audit").grown(5).documents
    (place / CHAIN).mkdir()
    (place / CHAIN / name_for(5)).write_text("old 0\n")
    with pytest.raises(AnchorConflictError, match=r"is in the way: .*find out who wrote it"):
        await anchor.publish(document)


async def test_what_a_killed_process_left_is_in_nobody_s_way(
    anchor: CheckpointDirectory, place: Path, tmp_path: Path
) -> None:
    (document,) = SignedChain(tmp_path / "audit").grown(5).documents
    (place / CHAIN).mkdir()
    (place / CHAIN / f".{name_for(5)}.being-written").write_text("old 0")
    assert (await anchor.held(trusts)).newest == {}
    await anchor.publish(document)
    assert [path.name for path in (place / CHAIN).iterdir()] == [name_for(5)]


async def test_links_are_not_followed(anchor: CheckpointDirectory, place: Path, tmp_path: Path) -> None:
    chain = SignedChain(tmp_path / "audit").grown(5, 3)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (place / CHAIN).symlink_to(elsewhere)
    with pytest.raises(AnchorError):
        await anchor.publish(chain.documents[0])
    (place / CHAIN).unlink()
    (place / CHAIN).mkdir()
    (elsewhere / "kept").write_text(chain.documents[0].text())
    (place / CHAIN / name_for(5)).symlink_to(elsewhere / "kept")
    (place / CHAIN / f".{name_for(9)}.being-written").symlink_to(elsewhere / "victim")
    held = await anchor.held(trusts)
    assert held.newest == {}
    assert len(held.distrusted) == 1
    await anchor.publish(chain.documents[1])
    assert [path.name for path in elsewhere.iterdir()] == ["kept"]


async def test_a_pipe_in_its_place_keeps_nobody(
    anchor: CheckpointDirectory, place: Path, tmp_path: Path
) -> None:
    (document,) = SignedChain(tmp_path / "audit").grown(5).documents
    (place / CHAIN).mkdir()
    os.mkfifo(place / CHAIN / name_for(5))
    assert len((await anchor.held(trusts)).distrusted) == 1
    with pytest.raises(AnchorConflictError):
        await anchor.publish(document)


async def test_a_directory_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """Made on the disk of the record, it would vouch for nothing, and nobody would notice that the other disk is missing."""
    anchor = CheckpointDirectory(DirectoryAnchor("second-disk", tmp_path / "unmounted"))
    (document,) = SignedChain(tmp_path / "audit").grown(5).documents
    for ask in (anchor.publish(document), anchor.held(trusts), anchor.probe()):
        with pytest.raises(AnchorError, match="mount the disk, or make the directory yourself"):
            await ask
    assert not (tmp_path / "unmounted").exists()
    (tmp_path / "unmounted").mkdir()
    await anchor.publish(document)
    await anchor.close()


async def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    anchor = CheckpointDirectory(DirectoryAnchor("second-disk", tmp_path / "file"))
    with pytest.raises(AnchorError, match=r"/file: this is a file; name a directory$"):
        await anchor.probe()
    await anchor.close()


async def test_a_disk_that_is_full(anchor: CheckpointDirectory, place: Path, tmp_path: Path) -> None:
    (document,) = SignedChain(tmp_path / "audit").grown(5).documents
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, before[1]))
    try:
        with pytest.raises(AnchorError, match="writable for this user, and not full"):
            await anchor.publish(document)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list((place / CHAIN).iterdir())
    await anchor.publish(document)
    assert (await anchor.held(trusts)).newest


async def test_a_disk_that_nobody_may_write_to(tmp_path: Path) -> None:
    anchor = CheckpointDirectory(DirectoryAnchor("second-disk", Path("/proc/self")))
    (document,) = SignedChain(tmp_path / "audit").grown(5).documents
    for ask in (anchor.publish(document), anchor.probe()):
        with pytest.raises(AnchorError, match="/proc/self: "):
            await ask
    await anchor.close()


@pytest.mark.parametrize("unnamed_files", [True, False])
async def test_a_probe_leaves_nothing_behind(
    anchor: CheckpointDirectory, place: Path, monkeypatch: pytest.MonkeyPatch, unnamed_files: bool
) -> None:
    if not unnamed_files:
        opened = os.open

        def open_without(path: str, flags: int, *rest: int, **others: int) -> int:
            if flags & os.O_TMPFILE == os.O_TMPFILE:
                raise OSError(errno.EOPNOTSUPP, "as NFS says")
            return opened(path, flags, *rest, **others)

        monkeypatch.setattr(os, "open", open_without)
    assert await anchor.probe() == f"{place} can be written to, and keeps checkpoints of 0 chains"
    assert not os.listdir(place)  # noqa: PTH208 - it does not block for long


async def test_a_disk_that_hangs_keeps_nobody_for_ever() -> None:
    calls, hanging = Calls("anchor nfs", wait_seconds=0.05), threading.Event()
    with pytest.raises(AnchorError, match="anchor nfs: no answer"):
        await calls.make(hanging.wait)
    hanging.set()
    await calls.close()
