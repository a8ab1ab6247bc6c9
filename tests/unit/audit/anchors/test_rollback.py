"""What anchors say of a record that was cut off, put back or written anew."""

import gzip
from pathlib import Path

import pytest

from tests.signed_chains import CHAIN, KEYS, OTHER_CHAIN, OTHER_KEY, SignedChain, copied, trusts
from vaultsigner.audit.anchors.anchor import LARGEST_SIZE, MOST_DISTRUSTED, AnchorDistrustError, name_for
from vaultsigner.audit.anchors.directory import CheckpointDirectory
from vaultsigner.audit.anchors.rollback import Comparison, compare_with_anchors, find_rollbacks
from vaultsigner.config.anchor_settings import DirectoryAnchor
from vaultsigner.domain.checkpoints import AnchorDocument
from vaultsigner.errors import AuditError


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "audit"


@pytest.fixture
def anchors(tmp_path: Path) -> Path:
    (tmp_path / "anchors").mkdir()
    return tmp_path / "anchors"


def keep(anchors: Path, *documents: AnchorDocument) -> None:
    for document in documents:
        checkpoint = document.signed.checkpoint
        directory = anchors / checkpoint.chain
        directory.mkdir(exist_ok=True)
        (directory / name_for(checkpoint.size)).write_text(document.text())


async def compared(record: Path, anchors: Path, *, required: bool = True) -> Comparison:
    anchor = CheckpointDirectory(DirectoryAnchor("second-disk", anchors, required=required))
    try:
        return await compare_with_anchors(record, (anchor,), KEYS)
    finally:
        await anchor.close()


def is_well(comparison: Comparison) -> bool:
    return not (comparison.rollbacks or comparison.unanswered or comparison.distrusted)


async def test_a_record_as_it_was_anchored(record: Path, anchors: Path) -> None:
    keep(anchors, *SignedChain(record).grown(5, 3, 7).documents)
    keep(anchors, *SignedChain(record, OTHER_CHAIN).grown(1).documents)
    comparison = await compared(record, anchors)
    assert is_well(comparison)
    assert comparison.sizes == {CHAIN: 17, OTHER_CHAIN: 1}
    assert comparison.obstacles(()) == ()


async def test_a_record_that_went_on_since(record: Path, anchors: Path) -> None:
    chain = SignedChain(record).grown(5)
    keep(anchors, *chain.documents)
    chain.grow(100)
    assert is_well(await compared(record, anchors))


async def test_an_older_copy_that_was_put_back(record: Path, anchors: Path, tmp_path: Path) -> None:
    chain = SignedChain(record).grown(5)
    copy = copied(record, tmp_path / "copy")
    keep(anchors, *chain.grown(3).documents)
    copied(copy, record)
    comparison = await compared(record, anchors)
    (rollback,) = comparison.rollbacks
    assert (rollback.chain, rollback.size, rollback.who) == (CHAIN, 9, "the anchor second-disk")
    assert "ends with record 6: its end was cut off, or an older copy was put back" in rollback.found
    (obstacle,) = comparison.obstacles(())
    assert "the anchor second-disk has a checkpoint of 9 records" in obstacle
    assert f'write "{CHAIN}:9" into audit.accepted_rollbacks' in obstacle


@pytest.mark.parametrize("lost", range(1, 10))
async def test_a_tail_that_was_cut_off(record: Path, anchors: Path, lost: int) -> None:
    """The last record is the checkpoint's own, behind what it speaks of: without it, all that is anchored is still there."""
    keep(anchors, *SignedChain(record).grown(5, 3).documents)
    (file,) = (record / CHAIN).iterdir()
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-lost]))
    assert bool((await compared(record, anchors)).rollbacks) == (lost > 1)


async def test_a_tail_that_was_cut_off_within_a_line(record: Path, anchors: Path) -> None:
    keep(anchors, *SignedChain(record).grown(5, 3).documents)
    (file,) = (record / CHAIN).iterdir()
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:8]) + lines[8][:-1])
    (rollback,) = (await compared(record, anchors)).rollbacks
    assert "ends with record 8" in rollback.found


async def test_a_chain_that_was_written_anew(record: Path, anchors: Path, tmp_path: Path) -> None:
    keep(anchors, *SignedChain(tmp_path / "first").grown(5, 3).documents)
    SignedChain(record, note="other ").grown(5, 3, 20)
    (rollback,) = (await compared(record, anchors)).rollbacks
    assert "record 9 in" in rollback.found
    assert "is another one: the record was written anew" in rollback.found


async def test_a_chain_that_is_gone(record: Path, anchors: Path, tmp_path: Path) -> None:
    keep(anchors, *SignedChain(tmp_path / "first").grown(5).documents)
    for _ in range(2):
        (rollback,) = (await compared(record, anchors)).rollbacks
        assert "there is nothing of it in" in rollback.found
        (record / CHAIN).mkdir(parents=True, exist_ok=True)
        (record / CHAIN / "lock").touch()


async def test_a_record_that_was_damaged_where_it_is_anchored(record: Path, anchors: Path) -> None:
    keep(anchors, *SignedChain(record).grown(5).documents)
    (file,) = (record / CHAIN).iterdir()
    file.write_bytes(file.read_bytes().replace(b'"text":"5"', b'"text":"6"'))
    (rollback,) = (await compared(record, anchors)).rollbacks
    assert "record 5 in" in rollback.found
    assert "altered" in rollback.found


async def test_two_records_in_each_other_s_place(record: Path, anchors: Path) -> None:
    keep(anchors, *SignedChain(record).grown(5, 3).documents)
    (file,) = (record / CHAIN).iterdir()
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:7], lines[8], lines[7], *lines[9:]]))
    (rollback,) = (await compared(record, anchors)).rollbacks
    assert "record 9 is not in its place" in rollback.found


async def test_records_in_several_files_some_of_them_compressed(record: Path, anchors: Path) -> None:
    chain = SignedChain(record).grown(5)
    chain.next_file("2026-11-18.0002.jsonl")
    chain.grown(4)
    chain.next_file("2026-11-19.jsonl")
    chain.grown(4)
    for document in chain.documents:
        keep(anchors, document)
        assert is_well(await compared(record, anchors))
    for name in ("2026-11-18.jsonl", "2026-11-18.0002.jsonl"):
        plain = record / CHAIN / name
        (plain.parent / f"{name}.gz").write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
        plain.unlink()
    assert is_well(await compared(record, anchors))
    (record / CHAIN / "2026-11-19.jsonl").unlink()
    (rollback,) = (await compared(record, anchors)).rollbacks
    assert "ends with record 11" in rollback.found


async def test_an_accepted_rollback_is_that_one_and_no_other(
    record: Path, anchors: Path, tmp_path: Path
) -> None:
    keep(anchors, *SignedChain(tmp_path / "first").grown(5).documents)
    comparison = await compared(record, anchors)
    assert comparison.obstacles({f"{CHAIN}:5"}) == ()
    assert comparison.closed({f"{CHAIN}:5"}) == {CHAIN}
    assert len(comparison.obstacles({f"{CHAIN}:6", f"{OTHER_CHAIN}:5", f"state:{CHAIN}:5"})) == 1
    assert comparison.closed({f"{CHAIN}:6"}) == frozenset()


async def test_what_nobody_trusted_signed_counts_for_nothing_and_is_told(
    record: Path, anchors: Path, tmp_path: Path
) -> None:
    chain = SignedChain(record).grown(5)
    keep(anchors, *chain.documents)
    forged = SignedChain(tmp_path / "forged", note="x")
    forged.grow(50)
    keep(anchors, forged.checkpoint(OTHER_KEY))
    (anchors / CHAIN / name_for(60)).write_bytes(b"\xff garbage")
    (anchors / CHAIN / name_for(70)).write_text(chain.documents[0].text())
    (anchors / CHAIN / name_for(80)).symlink_to(anchors / CHAIN / name_for(5))
    (anchors / CHAIN / name_for(90)).mkdir()
    comparison = await compared(record, anchors)
    assert comparison.rollbacks == ()
    told = "\n".join(comparison.distrusted)
    assert len(comparison.distrusted) == 5
    assert "no key that is trusted signed it" in told
    assert f"{name_for(60)}: it is no text in UTF-8" in told
    assert f"it is of {CHAIN}:5, and lies under another name" in told
    assert all(each.startswith("the anchor second-disk: ") for each in comparison.distrusted)


async def test_forged_documents_do_not_hide_the_true_one_behind_them(record: Path, anchors: Path) -> None:
    chain = SignedChain(record).grown(5, 5)
    keep(anchors, *chain.documents)
    (anchors / CHAIN / name_for(10**19)).write_text("nothing")
    (file,) = (record / CHAIN).iterdir()
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:7]))
    comparison = await compared(record, anchors)
    assert [rollback.size for rollback in comparison.rollbacks] == [11]
    assert len(comparison.distrusted) == 1


@pytest.mark.parametrize("junk", [MOST_DISTRUSTED - 1, MOST_DISTRUSTED])
async def test_any_number_of_junk_files_hides_no_rollback(
    record: Path, anchors: Path, tmp_path: Path, junk: int
) -> None:
    chain = SignedChain(record).grown(5)
    copy = copied(record, tmp_path / "copy")
    keep(anchors, *chain.grown(3).documents)
    copied(copy, record)
    for size in range(1000, 1000 + junk):
        (anchors / CHAIN / name_for(size)).write_text("junk")
    comparison = await compared(record, anchors)
    (obstacle,) = comparison.obstacles(())
    if junk < MOST_DISTRUSTED:
        assert "has a checkpoint of 9 records" in obstacle
        return
    assert f"its {junk} newest documents of chain {CHAIN} cannot be trusted" in obstacle
    assert f"the first is {anchors / CHAIN / name_for(999 + junk)}: " in obstacle
    assert f"and the last {anchors / CHAIN / name_for(1000)}: " in obstacle
    assert len(comparison.distrusted) == junk


async def test_names_that_are_too_large_for_any_chain_hide_nothing(record: Path, anchors: Path) -> None:
    keep(anchors, *SignedChain(record).grown(5).documents)
    for number in range(2 * MOST_DISTRUSTED):
        (anchors / CHAIN / name_for(LARGEST_SIZE + 1 + number)).write_text("junk")
    comparison = await compared(record, anchors)
    assert comparison.sizes == {CHAIN: 5}
    assert comparison.obstacles(()) == ()
    assert len(comparison.distrusted) == MOST_DISTRUSTED
    assert all("no chain has as many records as its name says" in each for each in comparison.distrusted)


async def test_an_anchor_of_another_key_is_not_silent_and_the_other_chains_count(
    record: Path, anchors: Path, tmp_path: Path
) -> None:
    chain = SignedChain(record)
    for _ in range(3):
        chain.grow(2)
        chain.checkpoint(OTHER_KEY)
    keep(anchors, *chain.documents)
    keep(anchors, *SignedChain(tmp_path / "lost", OTHER_CHAIN).grown(7).documents)
    rollback, unsigned = (await compared(record, anchors)).obstacles(())
    assert f'write "{OTHER_CHAIN}:7" into' in rollback
    assert (
        f"none of its 3 checkpoints of chain {CHAIN} is signed by a key of audit.checkpoint_key" in unsigned
    )
    assert "was the key made anew? Keep the old anchor" in unsigned
    anchor = CheckpointDirectory(DirectoryAnchor("second-disk", anchors))
    with pytest.raises(AnchorDistrustError, match="none of its 3 checkpoints"):
        await anchor.seen(chain.documents[0].signed, trusts)
    await anchor.close()


async def test_an_anchor_that_cannot_be_asked(record: Path, tmp_path: Path) -> None:
    SignedChain(record).grown(5)
    comparison = await compared(record, tmp_path / "unmounted")
    (obstacle,) = comparison.obstacles(())
    assert "the anchor second-disk cannot be asked how far the record was" in obstacle
    assert "mount the disk, or make the directory yourself" in obstacle
    assert "`required: false`" in obstacle
    assert not (tmp_path / "unmounted").exists()
    comparison = await compared(record, tmp_path / "unmounted", required=False)
    assert comparison.obstacles(()) == ()
    assert len(comparison.unanswered) == 1


async def test_a_record_with_a_checkpoint_that_makes_no_sense_is_no_start(
    record: Path, anchors: Path
) -> None:
    SignedChain(record).grown(5)
    (file,) = (record / CHAIN).iterdir()
    file.write_bytes(file.read_bytes().replace(b'"tree_size":5', b'"tree_size":null'))
    with pytest.raises(AuditError, match="a checkpoint that makes no sense"):
        await compared(record, anchors)


def test_without_anything_anchored(tmp_path: Path) -> None:
    assert find_rollbacks(tmp_path, {}) == ()
