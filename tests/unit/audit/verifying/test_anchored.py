"""What anchors keep: believed as far as it is proved, and told where it is not. Nothing that lies there breaks anything."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.audit.long_log import CHAIN, OTHER_CHAIN
from tests.unit.audit.signed_log import (
    EVERY,
    OURS,
    THEIRS,
    SignedLog,
    in_the_name_of,
    signed_log,
    write_anchor,
)
from vaultsigner.audit.anchors.anchor import LARGEST_DOCUMENT, name_for
from vaultsigner.audit.verifying.anchored import AnchoredChain, anchored_heads, forks, read_anchor
from vaultsigner.audit.verifying.findings import Kind
from vaultsigner.domain.checkpoints import AnchorDocument
from vaultsigner.errors import AuditError

LOG, FORK, OTHER = signed_log(), signed_log(note="otherwise"), signed_log(OTHER_CHAIN, records=2_000)
KEYS = (OURS.key,)
DOCUMENTS = LOG.anchored[:12]


def size_of(document: AnchorDocument) -> int:
    return document.signed.checkpoint.size


SIZES = [size_of(document) for document in DOCUMENTS]


@pytest.fixture
def anchor(tmp_path: Path) -> Path:
    """A directory with a dozen checkpoints of a chain."""
    return write_anchor(tmp_path / "anchor", DOCUMENTS)


def only(anchor: Path, keys: tuple[object, ...] = KEYS) -> AnchoredChain:
    (chain,) = read_anchor(anchor, KEYS if keys else ())
    return chain


def place(anchor: Path, number: int) -> Path:
    """The file of the so-manieth checkpoint."""
    return anchor / CHAIN / name_for(SIZES[number])


def signed_by(document: AnchorDocument, *, named: bool) -> AnchorDocument:
    """The same by somebody else."""
    checkpoint = document.signed.checkpoint
    signed = in_the_name_of(OURS, THEIRS, checkpoint) if named else THEIRS.sign(checkpoint)
    return AnchorDocument(document.old_size, document.path, signed)


def test_all_checkpoints_lead_from_one_to_the_next(anchor: Path) -> None:
    chain = only(anchor)
    assert [each.size for each in chain.checkpoints] == SIZES
    assert (chain.linked, chain.gaps, chain.findings) == (len(SIZES) - 1, (), ())
    heads = list(anchored_heads([chain]))
    assert [(head.seq, head.hash, head.root) for head in heads] == [
        (size, LOG.heads[size - 1].hash, DOCUMENTS[number].signed.checkpoint.root)
        for number, size in enumerate(SIZES)
    ]
    assert heads[0].source == place(anchor, 0)


def test_several_chains_wherever_they_lie(tmp_path: Path) -> None:
    write_anchor(tmp_path / "bucket" / "vaultsigner", DOCUMENTS)
    write_anchor(tmp_path / "bucket" / "vaultsigner", OTHER.anchored)
    found = read_anchor(tmp_path / "bucket", KEYS)
    assert [(chain.chain, len(chain.checkpoints)) for chain in found] == [
        (CHAIN, len(SIZES)),
        (OTHER_CHAIN, len(OTHER.anchored)),
    ]
    assert (
        read_anchor(tmp_path / "bucket" / "vaultsigner" / CHAIN, KEYS)[0].checkpoints == found[0].checkpoints
    )


@pytest.mark.parametrize("number", range(len(SIZES)))
def test_one_that_is_gone_leaves_a_gap(anchor: Path, number: int) -> None:
    place(anchor, number).unlink()
    chain = only(anchor)
    assert not chain.findings
    if number < len(SIZES) - 1:
        (gap,) = chain.gaps
        assert f"goes on from {SIZES[number]:,} records, and the checkpoint for those is not there" in gap
        assert str(place(anchor, number + 1)) in gap
    else:
        assert not chain.gaps  # nobody can tell from this anchor; another one, or the chain, does
    assert chain.linked == len(SIZES) - 1 - (1 if number == 0 else 2 if number < len(SIZES) - 1 else 1)


@pytest.mark.parametrize("number", [0, 4, 11])
def test_every_character_of_a_file_counts(anchor: Path, number: int) -> None:
    path = place(anchor, number)
    text = path.read_bytes()
    for at in range(0, len(text), 7):
        path.write_bytes(text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :])
        chain = only(anchor)
        broken = [finding.path for finding in chain.findings]
        assert path in broken or any(str(path) in gap for gap in chain.gaps), at
    path.write_bytes(text)
    assert not only(anchor).findings


@pytest.mark.parametrize(
    "text",
    [b"", b"old 0\n", b"\xff" * 100, b"x" * (LARGEST_DOCUMENT + 9), b"old 5\n\n\n", "old 0\n\n— \n".encode()],
    ids=["empty", "cut", "no text", "large", "no note", "dash"],
)
def test_what_is_no_document_is_told(anchor: Path, text: bytes) -> None:
    place(anchor, 3).write_bytes(text)
    chain = only(anchor)
    (finding,) = chain.findings
    assert (finding.kind, finding.path, finding.seq) == (Kind.ANCHOR_DAMAGED, place(anchor, 3), SIZES[3])
    assert SIZES[3] not in [each.size for each in chain.checkpoints]
    assert len(chain.gaps) == 1


def test_what_is_no_file_is_told(anchor: Path) -> None:
    for number in range(3):
        place(anchor, number).unlink()
    place(anchor, 0).mkdir()
    os.mkfifo(place(anchor, 1))
    place(anchor, 2).symlink_to("/dev/zero")
    findings = only(anchor).findings
    assert [(finding.kind, finding.seq) for finding in findings] == [
        (Kind.ANCHOR_DAMAGED, size) for size in SIZES[:3]
    ]


def test_what_lies_there_under_other_names_is_left_alone(anchor: Path) -> None:
    for name in ("README", f"{name_for(7)}.tmp", "7.checkpoint", name_for(7).upper()):
        (anchor / CHAIN / name).write_text("nothing")
    assert not only(anchor).findings


def test_a_document_under_the_name_of_another_is_told(anchor: Path) -> None:
    place(anchor, 5).write_text(DOCUMENTS[4].text())
    write_anchor(anchor, OTHER.anchored[:1])
    (anchor / OTHER_CHAIN / name_for(SIZES[0])).write_text(DOCUMENTS[0].text())
    ours, other = read_anchor(anchor, KEYS)
    assert [(each.kind, each.seq) for each in ours.findings] == [(Kind.ANCHOR_DAMAGED, SIZES[5])]
    assert [(each.kind, each.seq) for each in other.findings] == [(Kind.ANCHOR_DAMAGED, SIZES[0])]


@pytest.mark.parametrize(("named", "kind"), [(True, Kind.SIGNATURE_BAD), (False, Kind.KEY_UNKNOWN)])
def test_a_planted_checkpoint_is_not_believed(anchor: Path, named: bool, kind: Kind) -> None:
    planted = signed_by(FORK.anchored[11], named=named)
    place(anchor, 11).write_text(planted.text())
    chain = only(anchor)
    (finding,) = chain.findings
    assert (finding.kind, finding.path) == (kind, place(anchor, 11))
    assert SIZES[11] not in [each.size for each in chain.checkpoints]
    assert not list(forks([chain]))


def test_without_a_key_only_what_contradicts_itself_shows(anchor: Path) -> None:
    place(anchor, 11).write_text(signed_by(DOCUMENTS[11], named=True).text())
    assert not only(anchor, ()).findings
    place(anchor, 11).write_text(FORK.anchored[11].text())
    (finding,) = only(anchor, ()).findings
    assert (finding.kind, finding.seq) == (Kind.FORKED, SIZES[11])
    assert f"from the {SIZES[10]:,} records" in finding.words


@pytest.mark.parametrize("number", range(1, len(SIZES)))
def test_another_history_from_any_checkpoint_on_is_a_fork(tmp_path: Path, number: int) -> None:
    """Each by itself is well signed and leads on from the one before: put together, or beside each other, they do not."""
    anchor = write_anchor(tmp_path / "a", (*DOCUMENTS[:number], *FORK.anchored[number:12]))
    chain = only(anchor)
    assert (chain.findings[0].kind, chain.findings[0].seq) == (Kind.FORKED, SIZES[number])
    ours = read_anchor(write_anchor(tmp_path / "b", DOCUMENTS[: number + 1]), KEYS)
    theirs = read_anchor(write_anchor(tmp_path / "c", FORK.anchored[number:12]), KEYS)
    assert not ours[0].findings + theirs[0].findings
    (fork,) = forks((*ours, *theirs))
    assert (fork.kind, fork.seq) == (Kind.FORKED, SIZES[number])
    assert fork.path == tmp_path / "c" / CHAIN / name_for(SIZES[number])
    assert str(tmp_path / "b") in fork.words


def test_two_anchors_of_one_history_agree(tmp_path: Path, anchor: Path) -> None:
    second = write_anchor(tmp_path / "second", DOCUMENTS[::3])
    assert not list(forks((*read_anchor(anchor, KEYS), *read_anchor(second, KEYS))))


def signed_at(document: AnchorDocument, time_us: int) -> AnchorDocument:
    """The same, signed at another time."""
    signed = OURS.sign(replace(document.signed.checkpoint, time_us=time_us))
    return AnchorDocument(document.old_size, document.path, signed)


def test_a_larger_checkpoint_that_was_signed_before_a_smaller_one_is_a_fork(tmp_path: Path) -> None:
    """Somebody put an older copy back and had it signed again: both have good signatures, and lead on from the one before."""
    late = signed_at(DOCUMENTS[4], DOCUMENTS[5].signed.checkpoint.time_us + 1)
    for keys in (KEYS, ()):
        chain = only(write_anchor(tmp_path / "one", (*DOCUMENTS[:4], late, *DOCUMENTS[5:])), keys)
        (finding,) = chain.findings
        assert (finding.kind, finding.seq) == (Kind.FORKED, SIZES[5])
        said = f"the checkpoint of {SIZES[5]:,} records was signed before that of {SIZES[4]:,}"
        assert said in finding.words
        assert [each.size for each in chain.checkpoints] == SIZES
    first = read_anchor(write_anchor(tmp_path / "a", DOCUMENTS[5:]), KEYS)
    second = read_anchor(write_anchor(tmp_path / "b", (*DOCUMENTS[:4], late)), KEYS)
    assert not first[0].findings + second[0].findings
    (fork,) = forks((*first, *second))
    assert (fork.kind, fork.seq) == (Kind.FORKED, SIZES[5])
    same = signed_at(DOCUMENTS[4], DOCUMENTS[5].signed.checkpoint.time_us)
    assert not only(write_anchor(tmp_path / "one", (same,))).findings


def test_a_directory_without_checkpoints_is_no_intact_anchor(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="no checkpoints in"):
        read_anchor(tmp_path, KEYS)
    with pytest.raises(AuditError, match="no such directory"):
        read_anchor(tmp_path / "nowhere", KEYS)


def test_an_anchor_of_a_whole_log(tmp_path: Path) -> None:
    log: SignedLog = LOG
    chain = only(write_anchor(tmp_path, log.anchored))
    assert (len(chain.checkpoints), chain.linked, chain.findings) == (
        len(log.anchored),
        len(log.anchored) - 1,
        (),
    )
    assert len(log.anchored) > 10_000 // (EVERY + 10)
