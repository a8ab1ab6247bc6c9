"""Checkpoints on their way to anchors that are slow, away, or of another opinion."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.patience import until
from tests.signed_chains import CHAIN, KEY, KEYS, OTHER_CHAIN, OTHER_KEY, SignedChain, copied
from tests.witness import Witness as OtherWitness
from tests.witness import application, serving
from vaultsigner.audit.anchors import delivery
from vaultsigner.audit.anchors.anchor import Anchor, name_for
from vaultsigner.audit.anchors.anchoring import Anchoring
from vaultsigner.audit.anchors.bucket import CheckpointBucket
from vaultsigner.audit.anchors.directory import CheckpointDirectory
from vaultsigner.audit.anchors.witness import Witness
from vaultsigner.config.anchor_settings import BucketAnchor, DirectoryAnchor, WitnessAnchor

ORIGIN = f"vaultsigner/audit/{CHAIN}"


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "audit"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "anchors").mkdir()
    return tmp_path / "anchors"


@pytest.fixture
def other() -> OtherWitness:
    return OtherWitness(bytes(KEY.verify_key))


@pytest.fixture
async def port(other: OtherWitness) -> AsyncIterator[int]:
    async with serving(application(other), None) as port:
        yield port


def directory(place: Path) -> CheckpointDirectory:
    return CheckpointDirectory(DirectoryAnchor("second-disk", place))


def witness(port: int) -> Witness:
    return Witness(WitnessAnchor("witness", f"http://127.0.0.1:{port}/vaultsigner"))


def kept(place: Path, chain: str = CHAIN) -> list[int]:
    return sorted(int(path.name[:20]) for path in (place / chain).glob("*.checkpoint"))


@asynccontextmanager
async def anchoring(record: Path, *anchors: Anchor, **others: Any) -> AsyncIterator[Anchoring]:
    async with Anchoring(anchors, record, KEYS, **{"retry_seconds": 0.01, **others}) as made:
        yield made


async def test_every_anchor_gets_every_checkpoint(
    record: Path, place: Path, port: int, other: OtherWitness
) -> None:
    chain = SignedChain(record)
    async with anchoring(record, directory(place), witness(port)) as sent:
        for records in (5, 1, 9):
            chain.grow(records)
            sent.publish(chain.checkpoint())
        await sent.delivered()
        assert kept(place) == [5, 7, 17]
        assert other.size(ORIGIN) == 17
        newest = chain.documents[-1].signed.checkpoint
        assert [(each.name, each.kind, each.problem, each.waiting, each.last) for each in sent.status()] == [
            ("second-disk", "directory", None, 0, newest),
            ("witness", "witness", None, 0, newest),
        ]


async def test_what_is_published_last_is_kept_before_the_end(record: Path, place: Path, port: int) -> None:
    chain = SignedChain(record)
    async with anchoring(record, directory(place), witness(port)) as sent:
        chain.grown(5)
        sent.publish(chain.documents[0])
    assert kept(place) == [5]


async def test_an_anchor_that_is_away_gets_it_all_later(record: Path, tmp_path: Path) -> None:
    chain = SignedChain(record).grown(5, 1, 9)
    async with anchoring(record, directory(tmp_path / "away")) as sent:
        for document in chain.documents:
            sent.publish(document)
        await until(lambda: sent.status()[0].problem, "a problem")
        (status,) = sent.status()
        assert "there is no such directory" in str(status.problem)
        assert (status.waiting, status.last) == (3, None)
        (tmp_path / "away").mkdir()
        await sent.delivered()
        (status,) = sent.status()
        assert (status.problem, status.waiting) == (None, 0)
    assert kept(tmp_path / "away") == [5, 7, 17]


async def test_what_does_not_fit_is_read_from_the_record(
    record: Path, tmp_path: Path, port: int, other: OtherWitness
) -> None:
    chains = [SignedChain(record), SignedChain(record, OTHER_CHAIN)]
    away = tmp_path / "away"
    async with anchoring(record, directory(away), queue_limit=3) as sent:
        await asyncio.sleep(0)
        for _ in range(20):
            for chain in chains:
                chain.grown(2)
                sent.publish(chain.documents[-1])
        assert sent.status()[0].waiting <= 4
        away.mkdir()
        await sent.delivered()
    assert kept(away) == [document.signed.checkpoint.size for document in chains[0].documents]
    assert kept(away, OTHER_CHAIN) == kept(away)


async def test_a_start_catches_up(record: Path, place: Path, port: int, other: OtherWitness) -> None:
    chains = [SignedChain(record).grown(5, 1), SignedChain(record, OTHER_CHAIN).grown(3)]
    async with anchoring(record, directory(place), witness(port)) as sent:
        await sent.catch_up()
        await sent.delivered()
        for chain in chains:
            chain.grown(4, 4, 4)
    async with anchoring(record, directory(place), witness(port)) as sent:
        await sent.catch_up()
        await sent.delivered()
        assert [each.problem for each in sent.status()] == [None, None]
        assert all(each.last for each in sent.status())
    for chain in chains:
        assert kept(place, chain.chain) == [document.signed.checkpoint.size for document in chain.documents]
        assert other.size(f"vaultsigner/audit/{chain.chain}") == chain.documents[-1].signed.checkpoint.size


async def test_a_start_with_nothing_to_catch_up_with_sends_nothing(
    record: Path, place: Path, port: int, other: OtherWitness
) -> None:
    SignedChain(record).grown(5, 5)
    for _ in range(2):
        other.asked.clear()
        async with anchoring(record, directory(place), witness(port)) as sent:
            await sent.catch_up()
            await sent.delivered()
    assert len(other.asked) == 1
    assert other.asked[0].startswith(f"old 11\n\n{ORIGIN}\n11\n")


async def test_there_need_be_no_record_yet(record: Path, place: Path) -> None:
    async with anchoring(record, directory(place)) as sent:
        await sent.catch_up()
        await sent.delivered()
    SignedChain(record).grow(3)
    async with anchoring(record, directory(place)) as sent:
        await sent.catch_up()
        await sent.delivered()
        assert sent.status()[0].problem is None


async def test_a_witness_that_was_away_is_led_from_where_it_stands(
    record: Path, port: int, other: OtherWitness
) -> None:
    chain = SignedChain(record).grown(5, 1, 9, 2, 3)
    async with anchoring(record, witness(port)) as sent:
        sent.publish(chain.documents[0])
        sent.publish(chain.documents[4])
        await sent.delivered()
        assert sent.status()[0].problem is None
    assert other.size(ORIGIN) == chain.documents[4].signed.checkpoint.size
    assert [body.split("\n", 1)[0] for body in other.asked] == [
        "old 0",
        "old 20",
        "old 5",
        "old 7",
        "old 17",
        "old 20",
    ]


async def test_a_new_witness_begins_with_the_newest(record: Path, port: int, other: OtherWitness) -> None:
    chain = SignedChain(record).grown(5, 1, 9)
    async with anchoring(record, witness(port)) as sent:
        sent.publish(chain.documents[2])
        await sent.delivered()
        chain.grown(3)
        sent.publish(chain.documents[3])
        await sent.delivered()
        assert sent.status()[0].problem is None
    assert other.size(ORIGIN) == 21


async def test_a_new_directory_begins_with_the_latest(
    record: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MOST_AT_FIRST", 2)
    SignedChain(record).grown(5, 1, 9, 2)
    async with anchoring(record, directory(place)) as sent:
        await sent.catch_up()
        await sent.delivered()
    assert kept(place) == [17, 20]


async def test_a_conflict_stays_and_holds_up_nothing_else(
    record: Path, place: Path, port: int, other: OtherWitness
) -> None:
    (foreign,) = SignedChain(record.parent / "foreign", note="other ").grown(5).documents
    (place / CHAIN).mkdir()
    (place / CHAIN / name_for(5)).write_text(foreign.text())
    chain = SignedChain(record).grown(5, 1)
    async with anchoring(record, directory(place), witness(port)) as sent:
        for document in chain.documents:
            sent.publish(document)
        await sent.delivered()
        first, second = sent.status()
        assert str(first.problem).startswith("ROLLBACK OR FORK: ")
        assert (first.waiting, first.last) == (0, chain.documents[1].signed.checkpoint)
        assert second.problem is None
    assert kept(place) == [5, 7]
    assert (place / CHAIN / name_for(5)).read_text() == foreign.text()


@pytest.mark.parametrize("kind", ["directory", "witness"])
async def test_a_record_that_was_put_back_is_a_conflict(
    record: Path, place: Path, port: int, tmp_path: Path, kind: str
) -> None:
    def anchor() -> Anchor:
        return directory(place) if kind == "directory" else witness(port)

    chain = SignedChain(record).grown(5)
    copy = copied(record, tmp_path / "copy")
    chain.grown(5, 5)
    async with anchoring(record, anchor()) as sent:
        await sent.catch_up()
    copied(copy, record)
    assert "the anchor has seen 17 records" in await conflict(record, anchor())


async def test_a_record_that_was_written_anew_is_a_conflict_at_a_witness(
    record: Path, tmp_path: Path, port: int
) -> None:
    async with anchoring(tmp_path / "first", witness(port)) as sent:
        for document in SignedChain(tmp_path / "first").grown(5, 5).documents:
            sent.publish(document)
    SignedChain(record, note="other ").grown(5, 5, 5, 5)
    assert "has seen another history of chain" in await conflict(record, witness(port))


async def conflict(record: Path, anchor: Anchor) -> str:
    """What a start comes to see."""
    async with anchoring(record, anchor) as sent:
        await sent.catch_up()
        await sent.delivered()
        problem = str(sent.status()[0].problem)
        assert problem.startswith("ROLLBACK OR FORK: ")
        assert CHAIN in problem
        return problem


async def test_a_witness_at_a_size_that_is_not_on_record_is_a_conflict(
    record: Path, port: int, tmp_path: Path
) -> None:
    """Somebody else has the key, or the record was written anew from before that checkpoint on."""
    (elsewhere,) = SignedChain(tmp_path / "elsewhere").grown(7).documents
    chain = SignedChain(record).grown(5, 5)
    async with anchoring(record, witness(port)) as sent:
        sent.publish(elsewhere)
        for document in chain.documents[1:]:
            sent.publish(document)
        await sent.delivered()
        problem = str(sent.status()[0].problem)
        assert problem.startswith("ROLLBACK OR FORK: the anchor has seen 7 records")


async def test_a_chain_that_a_witness_does_not_know_holds_up_no_other(
    record: Path, port: int, other: OtherWitness
) -> None:
    """Chains get their names by chance, so that its keeper cannot know a new one beforehand."""
    other.origins = {ORIGIN}
    new, known = SignedChain(record, OTHER_CHAIN).grown(5, 5), SignedChain(record).grown(5)
    async with anchoring(record, witness(port)) as sent:
        for document in (*new.documents, *known.documents):
            sent.publish(document)
        await sent.delivered()
        assert other.size(ORIGIN) == 5
        (status,) = sent.status()
        assert f"does not know vaultsigner/audit/{OTHER_CHAIN}" in str(status.problem)
        assert status.waiting == 0
        other.origins = None
        sent.publish(new.grown(5).documents[-1])
        await sent.delivered()
        assert other.size(f"vaultsigner/audit/{OTHER_CHAIN}") == 17
        assert sent.status()[0].problem is None


async def test_closed_chains_are_left_alone(record: Path, place: Path) -> None:
    SignedChain(record).grown(5)
    SignedChain(record, OTHER_CHAIN).grown(5)
    async with anchoring(record, directory(place), closed={CHAIN}) as sent:
        await sent.catch_up()
        await sent.delivered()
    assert kept(place, OTHER_CHAIN) == [5]
    assert not (place / CHAIN).exists()


async def test_the_end_does_not_wait_for_ever(record: Path, tmp_path: Path) -> None:
    chain = SignedChain(record).grown(5)
    async with anchoring(record, directory(tmp_path / "away"), last_seconds=0.05, retry_seconds=60) as sent:
        sent.publish(chain.documents[0])
    (status,) = sent.status()
    assert status.waiting == 1


async def test_a_damaged_checkpoint_s_record_is_told(record: Path, place: Path) -> None:
    SignedChain(record).grown(5)
    (file,) = (record / CHAIN).iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b'"tree_size":5', b'"tree_size":"5"'))
    async with anchoring(record, directory(place)) as sent:
        await sent.catch_up()
        await until(lambda: sent.status()[0].problem, "a problem")
        assert "run `vaultsigner audit verify`" in str(sent.status()[0].problem)
        file.write_bytes(whole)
        await sent.delivered()
        assert sent.status()[0].problem is None
    assert kept(place) == [5]


@pytest.mark.parametrize("begun", [False, True])
async def test_junk_in_the_record_never_gets_to_an_anchor(
    record: Path, place: Path, port: int, other: OtherWitness, begun: bool
) -> None:
    chain = SignedChain(record).grown(5)
    if begun:
        async with anchoring(record, directory(place), witness(port)) as sent:
            await sent.catch_up()
    chain.grow(3)
    chain.checkpoint(OTHER_KEY)
    of_another_chain = SignedChain(record.parent / "elsewhere", OTHER_CHAIN).grown(20)
    ahead = SignedChain(record.parent / "ahead").grown(50)
    with next(chain.path.iterdir()).open("ab") as file:
        for each in (of_another_chain, ahead):
            line = next(each.path.iterdir()).read_bytes().splitlines(keepends=True)[-1]
            file.write(line if each is of_another_chain else line.replace(b'"seq":51', b'"seq":11'))
    async with anchoring(record, directory(place), witness(port)) as sent:
        await sent.catch_up()
        await sent.delivered()
        problems = [str(each.problem) for each in sent.status()]
    assert kept(place) == [5]
    assert other.size(ORIGIN) == 5
    for problem in problems:
        assert f"3 checkpoints of chain {CHAIN} on record are not sent, the first " in problem
        assert "record 10: no key that is trusted signed it; find out who wrote them" in problem


async def test_junk_between_checkpoints_holds_up_none_behind_it(record: Path, place: Path) -> None:
    chain = SignedChain(record).grown(5)
    async with anchoring(record, directory(place)) as sent:
        await sent.catch_up()
    chain.grow(3)
    chain.checkpoint(OTHER_KEY)
    chain.grown(3)
    async with anchoring(record, directory(place)) as sent:
        await sent.catch_up()
        await sent.delivered()
        assert "1 checkpoints of chain" in str(sent.status()[0].problem)
        assert sent.status()[0].waiting == 0
    assert kept(place) == [5, 13]


async def test_a_chain_of_an_earlier_key_is_not_sent_and_no_trouble(record: Path, place: Path) -> None:
    old = SignedChain(record, OTHER_CHAIN)
    for _ in range(3):
        old.grow(3)
        old.checkpoint(OTHER_KEY)
    SignedChain(record).grown(5)
    async with anchoring(record, directory(place)) as sent:
        await sent.catch_up()
        await sent.delivered()
        assert sent.status()[0].problem is None
    assert kept(place) == [5]
    assert not (place / OTHER_CHAIN).exists()


async def test_an_anchor_with_junk_of_a_chain_gets_the_others(record: Path, place: Path) -> None:
    SignedChain(record).grown(5)
    SignedChain(record, OTHER_CHAIN).grown(5)
    (place / CHAIN).mkdir()
    (place / CHAIN / name_for(900)).write_text("junk")
    async with anchoring(record, directory(place)) as sent:
        await sent.catch_up()
        await sent.delivered()
        assert f"none of its 1 checkpoints of chain {CHAIN}" in str(sent.status()[0].problem)
    assert kept(place, OTHER_CHAIN) == [5]


def unmounted(place: Path) -> None:
    """What is left is the directory that a disk was mounted on."""
    place.rename(place.with_name("disk"))
    place.mkdir()


async def test_an_anchor_that_was_emptied_is_told_for_good(record: Path, place: Path) -> None:
    chain = SignedChain(record).grown(5)
    async with anchoring(record, directory(place)) as sent:
        await sent.catch_up()
        sent.publish(chain.grown(5).documents[-1])
        await sent.delivered()
        assert sent.status()[0].problem is None
        unmounted(place)
        for _ in range(2):
            sent.publish(chain.grown(5).documents[-1])
            await sent.delivered()
            problem = str(sent.status()[0].problem)
            assert problem.startswith(
                "it no longer has the checkpoints that were delivered to it (the last was of 11 "
            )
            assert "emptied, or another disk is mounted there" in problem
    assert kept(place) == [17, 23]


async def test_a_mistake_of_ours_is_told_and_not_the_end(
    record: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = SignedChain(record).grown(5)
    anchor = directory(place)
    publish = anchor.publish

    async def mistaken(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(anchor, "publish", mistaken)
    async with anchoring(record, anchor) as sent:
        sent.publish(chain.documents[0])
        await until(lambda: sent.status()[0].problem, "a problem")
        assert "ZeroDivisionError: this is a mistake in vaultsigner" in str(sent.status()[0].problem)
        monkeypatch.setattr(anchor, "publish", publish)
        await sent.delivered()
    assert kept(place) == [5]


async def test_anchors_may_be_closed_twice(record: Path, place: Path, port: int) -> None:
    """By those who deliver to them, and by those who asked them before that."""
    unused = CheckpointBucket(BucketAnchor("worm", "some-bucket", 1, region="eu-west-1"))
    used: list[Anchor] = [directory(place), witness(port)]
    for anchor in used:
        await anchor.probe()
    for anchor in (*used, *used, unused, unused):
        await anchor.close()
