"""Checkpoints in a chain: whatever one says that is not true of the records before it is told, with its line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.audit.long_log import CHAIN, OTHER_CHAIN
from tests.unit.audit.signed_log import EVERY, OURS, THEIRS, Scribe, Signer, signed_log, write_file
from vaultsigner.audit.chain import Head, seal
from vaultsigner.audit.files.chain_files import find_chains
from vaultsigner.audit.verifying import tree_window
from vaultsigner.audit.verifying.coverage import Demands
from vaultsigner.audit.verifying.findings import Kind
from vaultsigner.audit.verifying.verification import Verdict, verify_chain
from vaultsigner.domain.checkpoints import Checkpoint
from vaultsigner.domain.names import JsonValue

TRUSTED = Demands((OURS.key,), EVERY)
LOG = signed_log()
SECOND = LOG.places[1]
Members = dict[str, Any]


def verify(directory: Path, lines: list[bytes], demands: Demands = TRUSTED) -> Verdict:
    path = directory / CHAIN / "2026-11-20.jsonl"
    path.parent.mkdir(exist_ok=True)
    write_file(path, lines)
    (chain,) = find_chains(directory)
    return verify_chain(chain, demands=demands)


def changed(change: Callable[[Members], None]) -> list[bytes]:
    """The log up to its second checkpoint, which says another thing, with a correct hash."""
    members = json.loads(LOG.lines[SECOND])
    for name in ("v", "chain", "seq", "time", "prev", "hash"):
        del members[name]
    change(members)
    line, _ = seal(members, LOG.heads[SECOND - 1], LOG.heads[SECOND].time_us)
    return [*LOG.lines[:SECOND], line]


def signed_anew(**other: Any) -> Callable[[Members], None]:
    """The note says another thing, well signed."""

    def change(members: Members) -> None:
        checkpoint = LOG.anchored[1].signed.checkpoint
        values: dict[str, Any] = {
            "chain": CHAIN,
            "size": checkpoint.size,
            "root": checkpoint.root,
            "head": checkpoint.head,
            "time_us": checkpoint.time_us,
        }
        members["note"] = str(OURS.sign(Checkpoint(**(values | other))))

    return change


def setting(name: str, value: JsonValue) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        members[name] = value

    return change


def reversed_list(name: str) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        members[name] = members[name][::-1]

    return change


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        (lambda members: members.pop("note"), Kind.CHECKPOINT_WRONG, "no signed note"),
        (setting("note", 7), Kind.CHECKPOINT_WRONG, "no signed note"),
        (setting("note", "nothing\n\n\u2014 x eA==\n"), Kind.CHECKPOINT_WRONG, ""),
        (lambda members: members.pop("tree_size"), Kind.CHECKPOINT_WRONG, "no numbers"),
        (setting("tree_size", True), Kind.CHECKPOINT_WRONG, "no numbers"),
        (setting("tree_size", 101), Kind.CHECKPOINT_WRONG, "another thing than the record"),
        (setting("root", "00" * 32), Kind.CHECKPOINT_WRONG, "another thing than the record"),
        (setting("head", "00" * 32), Kind.CHECKPOINT_WRONG, "another thing than the record"),
        (signed_anew(root=bytes(32)), Kind.CHECKPOINT_WRONG, "another thing than the record"),
        (signed_anew(size=100), Kind.CHECKPOINT_WRONG, "another thing than the record"),
        (signed_anew(head="ab" * 32), Kind.CHECKPOINT_WRONG, "another thing than the record"),
        (signed_anew(chain=OTHER_CHAIN), Kind.CHECKPOINT_WRONG, "another thing than the record"),
        (setting("path", []), Kind.CHECKPOINT_WRONG, "does not continue the one for 49 records"),
        (setting("path", ["zz"]), Kind.CHECKPOINT_WRONG, "path is no list of hashes"),
        (setting("path", {}), Kind.CHECKPOINT_WRONG, "path is no list of hashes"),
        (reversed_list("path"), Kind.CHECKPOINT_WRONG, "does not continue"),
        (setting("previous", 48), Kind.CHECKPOINT_WRONG, "does not continue the one for 49 records"),
        (setting("previous", 0), Kind.CHECKPOINT_WRONG, "does not continue"),
        (setting("previous", "49"), Kind.CHECKPOINT_WRONG, "no numbers"),
        (
            setting("previous", 60),
            Kind.CHECKPOINTS_MISSING,
            "for 60 records, which is not in the chain any more",
        ),
        (reversed_list("subtrees"), Kind.CHECKPOINT_WRONG, "subtrees are not those"),
        (setting("subtrees", []), Kind.CHECKPOINT_WRONG, "subtrees are not those"),
        (setting("subtrees", "x"), Kind.CHECKPOINT_WRONG, "subtrees is no list of hashes"),
    ],
)
def test_a_false_checkpoint_is_told(
    tmp_path: Path, change: Callable[[Members], None], kind: Kind, said: str
) -> None:
    finding = verify(tmp_path, changed(change)).finding
    assert finding is not None
    assert (finding.kind, finding.line, finding.seq) == (kind, SECOND + 1, SECOND + 1)
    assert said in finding.words


def test_a_true_checkpoint_in_the_same_way_is_well(tmp_path: Path) -> None:
    verdict = verify(tmp_path, changed(lambda _: None))
    assert (verdict.finding, verdict.coverage.signed) == (None, LOG.anchored[1].signed.checkpoint.size)


def test_a_checkpoint_that_is_for_records_behind_it(tmp_path: Path) -> None:
    scribe = Scribe()
    scribe.copy(LOG.lines[:20], LOG.heads[:20])
    state = scribe.state()
    scribe.checkpoint(state)
    line = scribe.lines.pop()
    scribe.lines.append(line)
    again = scribe.checkpoint_line(state, OURS.sign(Checkpoint(CHAIN, 20, state.root, state.head, 0)))
    finding = verify(tmp_path, [*scribe.lines, again]).finding
    assert finding is not None
    assert (finding.kind, finding.line) == (Kind.CHECKPOINT_WRONG, 22)
    assert "it is for records 1 to 20, the one before it was for 20, and it is record 22" in finding.words


def test_a_record_with_such_a_member_inside_is_no_checkpoint(tmp_path: Path) -> None:
    line, head = seal({"kind": "control", "details": {"kind": "checkpoint"}}, Head(CHAIN), 5)
    verdict = verify(tmp_path, [line])
    assert (verdict.finding, verdict.head) == (None, head)


def test_a_checkpoint_too_far_behind_its_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Honest ones come after seconds. How far back can be checked is bounded, and said."""
    monkeypatch.setattr(tree_window, "LATEST_SIZES", 64)
    scribe = Scribe()
    for _ in range(30):
        scribe.record()
    state = scribe.state()
    for _ in range(3_000):
        scribe.record()
    signed = OURS.sign(Checkpoint(CHAIN, state.size, state.root, state.head, 0))
    lines = [*scribe.lines, scribe.checkpoint_line(state, signed)]
    finding = verify(tmp_path, lines, Demands((OURS.key,), 10_000)).finding
    assert finding is not None
    assert (finding.kind, finding.line) == (Kind.CHECKPOINT_WRONG, 3_031)
    assert "too far behind record 30" in finding.words


def test_gaps_are_told_and_are_no_damage(tmp_path: Path) -> None:
    scribe = Scribe()
    for records in (20, 250, 30):
        for _ in range(records):
            scribe.record()
        scribe.checkpoint(scribe.state())
    verdict = verify(tmp_path, scribe.lines)
    assert (verdict.finding, verdict.coverage.late, verdict.coverage.signed) == (None, 1, 302)
    (note,) = verdict.coverage.notes
    assert (
        "long in coming after that for 20 records: 251 records in 100 seconds, from 2026-11-20T08:00:08.4"
        in note
    )


def test_two_keys_after_a_rotation(tmp_path: Path) -> None:
    """The older key's checkpoints stay good; a key that nobody gave is told once, and the walk goes on."""
    scribe = Scribe()
    for signer in (OURS, OURS, THEIRS, THEIRS):
        for _ in range(20):
            scribe.record()
        sign_with(scribe, signer)
    both = verify(tmp_path, scribe.lines, Demands((OURS.key, THEIRS.key), EVERY))
    assert (both.finding, both.coverage.signed, both.coverage.checkpoints) == (None, 83, 4)
    one = verify(tmp_path, scribe.lines)
    assert one.finding is not None
    assert (one.finding.kind, one.finding.line) == (Kind.KEY_UNKNOWN, 63)
    assert (one.coverage.signed, one.coverage.checkpoints, one.head.seq) == (41, 4, 84)
    damaged = [*scribe.lines[:70], *scribe.lines[71:]]
    finding = verify(tmp_path, damaged).finding
    assert finding is not None
    assert (finding.kind, finding.line) == (Kind.DELETED, 71)


def test_a_key_that_was_replaced_and_signs_again_is_noted(tmp_path: Path) -> None:
    """Somebody kept an older version, or put an older Vault back: each signature is good. The note is not lost among others."""
    scribe = Scribe()
    for number, signer in enumerate((OURS, THEIRS, THEIRS, OURS, OURS, THEIRS)):
        for _ in range(20 if number != 2 else 2 * EVERY + 1):
            scribe.record()
        sign_with(scribe, signer)
    coverage = verify(tmp_path, scribe.lines, Demands((OURS.key, THEIRS.key), EVERY)).coverage
    again = [note for note in coverage.notes if "again" in note]
    assert [note.partition(" again")[0].rpartition(" ")[2] for note in again] == [
        THEIRS.key.id.hex(),
        OURS.key.id.hex(),
    ]
    assert len(coverage.notes) == 3
    before = verify(tmp_path, scribe.lines[:60], Demands((OURS.key, THEIRS.key), EVERY))
    assert before.coverage.notes == ()


def sign_with(scribe: Scribe, signer: Signer) -> None:
    state = scribe.state()
    scribe.checkpoint(state, signer.sign(Checkpoint(CHAIN, state.size, state.root, state.head, 5)))


def test_a_chain_without_checkpoints(tmp_path: Path) -> None:
    """Young, it has none yet; later, with a key, that none came is damage."""
    scribe = Scribe()
    for _ in range(2 * EVERY):
        scribe.record()
    young = verify(tmp_path, scribe.lines)
    assert (young.finding, young.coverage.signed) == (None, 0)
    scribe.record()
    finding = verify(tmp_path, scribe.lines).finding
    assert finding is not None
    assert (finding.kind, finding.seq) == (Kind.CHECKPOINTS_MISSING, 1)
    assert "came at all" in finding.words
    keyless = verify(tmp_path, scribe.lines, Demands(every=EVERY))
    assert keyless.finding is None
    assert "no checkpoint came at all: 101 records in 40 seconds" in keyless.coverage.notes[0]


def test_an_empty_chain_is_no_intact_one_whatever_its_files_are_called(tmp_path: Path) -> None:
    (tmp_path / CHAIN).mkdir()
    (tmp_path / CHAIN / "2026-11-20.jsonl").touch()
    (chain,) = find_chains(tmp_path)
    finding = verify_chain(chain, demands=TRUSTED).finding
    assert finding is not None
    assert (finding.kind, finding.path, finding.seq) == (Kind.NO_RECORDS, tmp_path / CHAIN, 1)
