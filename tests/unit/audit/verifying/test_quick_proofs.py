"""A proof from two checkpoints and the records between is the one that the whole chain gives."""

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from tests.unit.audit.long_log import CHAIN
from tests.unit.audit.signed_log import OURS, SignedLog, signed_log, write_files
from vaultsigner.audit.files.chain_files import ChainFiles, find_chains
from vaultsigner.audit.files.record_lines import NoSuchRecordError
from vaultsigner.audit.verifying.proofs import check_proof, prove_record, read_root
from vaultsigner.audit.verifying.quick_proofs import QuickProof, quick_proof
from vaultsigner.domain.checkpoints import read_checkpoint

LOG: SignedLog = signed_log()
LAST_COVERED = LOG.anchored[-1].signed.checkpoint.size


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> ChainFiles:
    """10,000 records in six files, some of them compressed."""
    directory = tmp_path_factory.mktemp("signed")
    write_files(directory, LOG.lines)
    return find_chains(directory)[0]


def independent_root(seq: int, size: int, record: bytes, path: Sequence[str]) -> bytes:
    """RFC 9162, section 2.1.3.2, which walks the bits of the numbers: another algorithm than ours, for the same tree."""
    node, inner, last = sha256(b"\0" + record).digest(), seq - 1, size - 1
    for step in map(bytes.fromhex, path):
        assert last > 0
        if inner % 2 == 1 or inner == last:
            node = sha256(b"\1" + step + node).digest()
            while inner % 2 == 0 and inner:
                inner, last = inner >> 1, last >> 1
        else:
            node = sha256(b"\1" + node + step).digest()
        inner, last = inner >> 1, last >> 1
    assert last == 0
    return node


def checked(chain: ChainFiles, seq: int) -> QuickProof:
    """The proof of a record, checked against the note alone."""
    found = quick_proof(chain, seq)
    assert found.document is not None, (seq, found.why)
    signed = read_checkpoint(found.checkpoint or "")
    assert signed.verified_by([OURS.key]) == OURS.key
    checkpoint = signed.checkpoint
    assert (checkpoint.chain, checkpoint.size) == (CHAIN, found.document["tree_size"])
    record = LOG.lines[seq - 1][:-1]
    assert found.document["record"].encode() == record
    assert independent_root(seq, checkpoint.size, record, found.document["path"]) == checkpoint.root
    return found


@pytest.mark.parametrize("first", range(1, 10))
def test_records_everywhere_have_a_proof_by_the_first_checkpoint_that_covers_them(
    chain: ChainFiles, first: int
) -> None:
    sizes = [document.signed.checkpoint.size for document in LOG.anchored]
    edges = {seq for size in sizes[first::9] for seq in (size, size + 1, size + 2) if seq <= LAST_COVERED}
    for seq in sorted({*range(first * 37, LAST_COVERED, 1499), *sorted(edges)[:: max(len(edges) // 20, 1)]}):
        found = checked(chain, seq)
        assert found.document is not None
        assert found.document["tree_size"] == next(size for size in sizes if size >= seq)


@pytest.mark.parametrize("seq", [1, 2, 50, 51, 4_001, LAST_COVERED])
def test_it_is_the_proof_that_the_whole_chain_gives(chain: ChainFiles, seq: int) -> None:
    found = checked(chain, seq).document
    assert found is not None
    _, proof = prove_record(chain, seq, found["tree_size"])
    assert found == proof
    check_proof(json.dumps(found).encode(), read_root(f"{found['tree_size']}:{found['root']}"))


def test_what_no_checkpoint_covers_has_none_yet(tmp_path: Path) -> None:
    size = LOG.anchored[-1].signed.checkpoint.size
    write_files(tmp_path, LOG.lines[: LOG.places[-1]])
    [chain] = find_chains(tmp_path)
    assert quick_proof(chain, LOG.anchored[-2].signed.checkpoint.size).document is not None
    found = quick_proof(chain, size)
    assert (found.document, found.checkpoint) == (None, None)
    assert "No checkpoint covers this record yet" in (found.why or "")


@pytest.mark.parametrize("changed", [9_000, 9_011, 9_049])
def test_a_changed_record_takes_the_proofs_of_its_neighbours_with_it(tmp_path: Path, changed: int) -> None:
    """And their proofs alone: what other checkpoints cover is proved as before."""
    lines = list(LOG.lines)
    lines[changed - 1] = lines[changed - 1].replace(b'"v":1', b'"v":2')
    assert lines[changed - 1] != LOG.lines[changed - 1]
    write_files(tmp_path, lines)
    [chain] = find_chains(tmp_path)
    found = quick_proof(chain, changed)
    assert found.document is None
    assert "run vaultsigner audit verify" in (found.why or "")
    for seq in (100, changed - 200, changed + 200):
        checked(chain, seq)


def test_there_is_none_for_what_is_not_there(chain: ChainFiles) -> None:
    for seq in (0, len(LOG.lines) + 1):
        with pytest.raises(NoSuchRecordError):
            quick_proof(chain, seq)
