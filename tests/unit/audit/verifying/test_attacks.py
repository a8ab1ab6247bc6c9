"""Every attack at every record of a log of 10,000 with checkpoints: the verification names the damage and its place.

Verifying the whole log for each would take days. But what a verification knows of the records before is its `Position`, no more
(`test_a_position_is_all_that_is_known`): from there on it is given the lines around the damage, and it does what it would do.
Whole logs on disk are attacked in tests/integration/cli/test_audit_checkpoints.py.
"""

import os
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import pytest

from tests.unit.audit.long_log import CHAIN, OTHER_CHAIN, long_log
from tests.unit.audit.signed_log import (
    EVERY,
    LAG,
    OURS,
    RECORDS,
    THEIRS,
    Scribe,
    in_the_name_of,
    signed_log,
    time_of,
)
from vaultsigner.audit.chain import read_line, seal
from vaultsigner.audit.files.chain_files import ChainFiles, DayFile
from vaultsigner.audit.verifying.coverage import LONGEST_WAIT_SECONDS, Demands
from vaultsigner.audit.verifying.findings import Finding, Kind
from vaultsigner.audit.verifying.noted_heads import NotedHead
from vaultsigner.audit.verifying.verification import Verdict, verify_chain
from vaultsigner.audit.writing.chain_tree import ChainState
from vaultsigner.domain.checkpoints import Checkpoint

LOG = signed_log()
NOTED = LOG.noted
SIZES = [noted.seq for noted in NOTED]
LAST_SIGNED = SIZES[-1]
TRUSTED, UNTRUSTED = Demands((OURS.key,), EVERY), Demands(every=EVERY)
Place = tuple[Kind, int, int]
"""What, at which line, about which record."""


class Window:
    """A file for lines that stand in the place of the log's from some line on; written over and over."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def verify(
        self, begin: int, lines: Sequence[bytes], noted: Sequence[NotedHead] = (), demands: Demands = TRUSTED
    ) -> Verdict:
        """What is found in these lines; those before them are the log's."""
        safe = LOG.safe[begin]
        data = b"".join((*LOG.lines[safe:begin], *lines))
        os.ftruncate(self._descriptor, len(data))
        os.pwrite(self._descriptor, data, 0)
        chain = ChainFiles(CHAIN, self._path.parent, (DayFile(self._path, len(data)),), (), ())
        return verify_chain(chain, noted, demands=demands, after=LOG.positions[safe])

    def place(self, begin: int, lines: Sequence[bytes]) -> Place | None:
        """The same, with the line counted among those given."""
        found = self.verify(begin, lines).finding
        return (found.kind, found.line - (begin - LOG.safe[begin]), found.seq) if found else None

    def finding(
        self, begin: int, lines: Sequence[bytes], noted: Sequence[NotedHead] = (), demands: Demands = TRUSTED
    ) -> Finding:
        """The same, where there is one."""
        finding = self.verify(begin, lines, noted, demands).finding
        assert finding is not None, begin
        return finding

    def close(self) -> None:
        """Give it back."""
        os.close(self._descriptor)


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Window]:
    """A window of its own for a test."""
    window = Window(tmp_path / "2026-11-20.jsonl")
    yield window
    window.close()


Attack = Callable[[list[bytes], int, Random], Place]
"""Does something at a line of a window; answers what should be found, with line and record relative to the window's begin."""


def flip(lines: list[bytes], at: int, chance: Random) -> Place:
    """One bit of one byte is another, but for the newline."""
    index = chance.randrange(len(lines[at]) - 1)
    line = bytearray(lines[at])
    line[index] ^= 1 << chance.randrange(8)
    lines[at] = bytes(line)
    return Kind.ALTERED, at, at


def delete(lines: list[bytes], at: int, chance: Random) -> Place:
    del lines[at]
    return Kind.DELETED, at, at


def insert(lines: list[bytes], at: int, chance: Random) -> Place:
    lines.insert(at, b'{"kind":"control"}\n')
    return Kind.INSERTED, at, at


def insert_with_a_correct_hash(lines: list[bytes], at: int, chance: Random) -> Place:
    lines.insert(at, _another(lines[at]))
    return Kind.INSERTED, at + 1, at


def swap(lines: list[bytes], at: int, chance: Random) -> Place:
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    return Kind.SWAPPED, at, at


def duplicate(lines: list[bytes], at: int, chance: Random) -> Place:
    lines.insert(at, lines[at])
    return Kind.DUPLICATED, at + 1, at


def splice_another_chain(lines: list[bytes], at: int, chance: Random) -> Place:
    begin = chance.randrange(40)
    lines[at:] = long_log(OTHER_CHAIN, 50).lines[begin : begin + len(lines) - at]
    return Kind.SPLICED, at, -1


def splice_another_history(lines: list[bytes], at: int, chance: Random) -> Place:
    """The same chain as it would be, had another thing happened at its beginning."""
    head, _ = read_line(lines[at])
    lines[at:] = signed_log(note="otherwise").lines[head.seq - 1 : head.seq - 1 + len(lines) - at]
    return Kind.REPLACED, at, at


def replace(lines: list[bytes], at: int, chance: Random) -> Place:
    """The record says another thing, with a correct hash: the one behind it tells."""
    lines[at] = _another(lines[at])
    return Kind.REPLACED, at + 1, at + 1


ATTACKS: list[Attack] = [flip, delete, insert, insert_with_a_correct_hash, swap, duplicate, replace]
ATTACKS += [splice_another_chain, splice_another_history]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_at_every_record(window: Window, attack: Attack) -> None:
    """In the middle of the lines around it."""
    chance = Random(attack.__name__)  # noqa: S311 - the same each time
    # With its first record of another, the chain is another altogether.
    first = 1 if attack in {splice_another_chain, splice_another_history} else 0
    for index in range(first, RECORDS - 2):
        begin = max(index - 1, 0)
        lines = list(LOG.lines[begin : index + 3])
        kind, line, seq = attack(lines, index - begin, chance)
        found = window.place(begin, lines)
        assert found is not None, index
        assert found[:2] == (kind, line + 1), index
        assert kind is Kind.SPLICED or found[2] == begin + seq + 1, index


def test_every_byte_of_every_kind_of_record(window: Window) -> None:
    """One record of each kind, a checkpoint's among them; every byte, three bits of each."""
    for index in (10, 11, 12, 13, 14, LOG.places[1]):
        lines = list(LOG.lines[index : index + 2])
        for at in range(len(lines[0]) - 1):
            for bits in (1, 0x20, 0x80):
                changed = lines[0][:at] + bytes([lines[0][at] ^ bits]) + lines[0][at + 1 :]
                assert window.place(index, (changed, lines[1])) == (Kind.ALTERED, 1, index + 1), (index, at)


def test_a_tail_cut_off_at_every_record(window: Window) -> None:
    """Seen by anchors, and by nothing else: what is left is a good chain."""
    for end in range(RECORDS):
        begin = max(end - 2, 0)
        waiting = NOTED[bisect_right(SIZES, LOG.safe[begin]) :]
        verdict = window.verify(begin, LOG.lines[begin:end], waiting)
        if end >= LAST_SIGNED:
            assert verdict.finding is None
            continue
        finding = verdict.finding
        assert finding is not None, end
        assert (finding.kind, finding.seq) == (Kind.CUT_OFF, end + 1), end
        assert f"record {end} is the last" in finding.words
        assert "was anchored in anchor" in finding.words
        if end and end % 10 == 0:
            assert window.verify(begin, LOG.lines[begin:end]).finding is None


def rewritten(index: int) -> tuple[int, int, Scribe]:
    """Another history from a line on, with correct hashes, up to the next checkpoint: that one's number, and what is written."""
    number, kept = bisect_right(SIZES, index), bisect_left(LOG.places, index)
    before = SIZES[kept - 1] if kept else 0
    scribe = Scribe(CHAIN, after=LOG.positions[before])
    scribe.copy(LOG.lines[before:index], LOG.heads[before:index])
    for _ in range(LOG.places[number] - index):
        scribe.record("rewritten")
    return number, before, scribe


def true_checkpoint(scribe: Scribe, number: int) -> bytes:
    """The one that anchors have, put into the chain that was rewritten."""
    document = LOG.anchored[number]
    signed = document.signed.checkpoint
    subtrees = LOG.positions[signed.size].subtrees
    state = ChainState(
        CHAIN, signed.size, signed.root, signed.head, subtrees, document.old_size, document.path
    )
    return scribe.checkpoint_line(state, document.signed)


@pytest.mark.parametrize("first", range(4))
def test_rewritten_from_every_record(window: Window, first: int) -> None:
    """With correct hashes up to the end; every fourth record, in four tests."""
    for index in range(first, LAST_SIGNED, 4):
        number, before, scribe = rewritten(index)
        seq = LOG.places[number] + 1
        sparse = index // 4 % 5 == 0

        # The true checkpoints are kept: the next one tells. Without a key it tells as well, but not who is right.
        lines = [*scribe.lines, true_checkpoint(scribe, number)]
        finding = window.finding(before, lines)
        assert (finding.kind, finding.seq) == (Kind.REWRITTEN, seq), index
        assert f"between record {before + 1} and record {SIZES[number]}" in finding.words
        assert before < index + 1 <= SIZES[number]
        if sparse:
            assert window.finding(before, lines, demands=UNTRUSTED).kind is Kind.CHECKPOINT_WRONG

        # The checkpoints are forged, too: by another key, at some records in the name of ours.
        state = scribe.state()
        made = Checkpoint(CHAIN, state.size, state.root, state.head, time_of(state.size))
        forged = in_the_name_of(OURS, THEIRS, made) if index % 3 else THEIRS.sign(made)
        lines = [*scribe.lines, scribe.checkpoint_line(state, forged)]
        finding = window.finding(before, lines)
        assert finding.kind is (Kind.SIGNATURE_BAD if index % 3 else Kind.KEY_UNKNOWN), index
        assert finding.seq == seq
        if sparse:
            assert window.verify(before, lines, demands=UNTRUSTED).intact

        # Signed by the true key: somebody has it, or an older copy was put back and the service went on. Only anchors tell.
        lines = [*scribe.lines, scribe.checkpoint_line(state, OURS.sign(made))]
        finding = window.finding(before, lines, NOTED[number : number + 1])
        assert (finding.kind, finding.seq) == (Kind.REWRITTEN, SIZES[number]), index
        assert "was anchored in anchor" in finding.words
        assert (f"between record {before + 1} and here" if before else "its beginning") in finding.words
        if sparse:
            assert window.verify(before, lines).intact


@pytest.mark.parametrize("first", range(7))
def test_rewritten_without_checkpoints(window: Window, first: int) -> None:
    """A chain that goes on too long unsigned is not taken for a signed one; every seventh record, in seven tests."""
    for index in range(first * 7, RECORDS - 1, 49):
        signed = LOG.positions[index].signed
        scribe = Scribe(CHAIN, after=LOG.positions[index])
        while scribe.seq <= signed + 2 * EVERY:
            scribe.record("unsigned")
        finding = window.finding(index, scribe.lines)
        assert (finding.kind, finding.seq) == (Kind.CHECKPOINTS_MISSING, signed + 1), index
        within = window.verify(index, scribe.lines[:-1])
        waited_us = scribe.heads[-2].time_us - (LOG.positions[index].waiting_since_us or time_of(index))
        assert within.intact == (waited_us < LONGEST_WAIT_SECONDS * 1_000_000), index
        assert within.coverage.signed == signed
        assert not window.verify(index, scribe.lines, demands=UNTRUSTED).finding


def test_a_position_is_all_that_is_known(window: Window) -> None:
    """From any line, what comes behind it is judged as it is from the beginning."""
    for begin in range(0, RECORDS, 997):
        end = min(begin + 400, RECORDS)
        verdict = window.verify(begin, LOG.lines[begin:end])
        assert verdict.finding is None
        assert verdict.position == LOG.positions[end]


def test_the_log_has_what_matters() -> None:
    kinds = {line[line.index(b'"kind":') :][:16] for line in LOG.lines}
    assert len(kinds) >= 5
    assert len(LOG.lines) == RECORDS
    lags = {
        place - document.signed.checkpoint.size
        for place, document in zip(LOG.places, LOG.anchored, strict=True)
    }
    assert lags == {0, LAG}


def _another(line: bytes) -> bytes:
    """A record that says another thing in a record's place, with a correct hash."""
    head, prev = read_line(line)
    before = type(head)(head.chain, head.seq - 1, prev, head.time_us)
    return seal({"kind": "forged"}, before, head.time_us)[0]
