"""Proofs of every record of a log of 10,000, checked by a second implementation that shares nothing with ours."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.audit.long_log import CHAIN, RECORDS, days_of, log_of, long_log, write_days
from tests.unit.audit.second_opinion import leaf, root_of_inclusion, root_over
from vaultsigner.audit.files.chain_files import ChainFiles, find_chains
from vaultsigner.audit.verifying.proofs import (
    Root,
    check_proof,
    prove_growth,
    prove_record,
    read_root,
    root_of,
)
from vaultsigner.domain.merkle import ProofError, SubtreeHashes, inclusion_ranges, leaf_hash

LOG = long_log()


def second_opinion(record: str, seq: int, size: int, path: list[str]) -> str | None:
    """The root that a proof leads to, by somebody else's reckoning."""
    root = root_of_inclusion(leaf(record.encode()), seq - 1, size, [bytes.fromhex(step) for step in path])
    return root.hex() if root is not None else None


def independent_root(lines: list[bytes]) -> str:
    """Of the tree over some lines, by the same."""
    return root_over([leaf(line.rstrip(b"\n")) for line in lines]).hex()


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> ChainFiles:
    """The log as files."""
    return find_chains(write_days(tmp_path_factory.mktemp("log"), days_of(LOG.lines)))[0]


@pytest.fixture
def proof(chain: ChainFiles) -> dict[str, Any]:
    """A proof for record 4711."""
    verdict, document = prove_record(chain, 4711)
    assert verdict.intact
    assert document is not None
    return document


ROOT = Root(bytes.fromhex(independent_root(list(LOG.lines))), RECORDS)


def checked(document: dict[str, Any], root: Root = ROOT, first: Root | None = None) -> Any:
    return check_proof(json.dumps(document).encode(), root, first)


def test_the_root_is_what_a_second_implementation_says(chain: ChainFiles) -> None:
    for size in (None, 1, 2, 4097, 8192, RECORDS):
        verdict, root = root_of(chain, size)
        assert verdict.intact
        assert root == Root(bytes.fromhex(independent_root(list(LOG.lines[:size]))), size or RECORDS)


def test_every_record_is_proved_to_a_second_implementation() -> None:
    """The paths of all records, from one pass over the log."""
    paths = {index: inclusion_ranges(index, RECORDS) for index in range(RECORDS)}
    hashes = _all_subtrees({each for path in paths.values() for each in path})
    for index, ranges in paths.items():
        path = [hashes[each].hex() for each in ranges]
        record = LOG.lines[index][:-1].decode()
        assert second_opinion(record, index + 1, RECORDS, path) == ROOT.hash.hex(), index
        proof = {"kind": "inclusion", "version": 1, "chain": CHAIN, "seq": index + 1, "tree_size": RECORDS}
        assert checked({**proof, "path": path, "record": record}).record == record


def _all_subtrees(ranges: set[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """Ranges overlap only from level to level: those of one size never do."""
    found: dict[tuple[int, int], bytes] = {}
    for depth in range(RECORDS.bit_length() + 1):
        level = {each for each in ranges if (each[1] - each[0] - 1).bit_length() == depth}
        subtrees = SubtreeHashes(level)
        for line in LOG.lines:
            subtrees.add(leaf_hash(line[:-1]))
        found |= subtrees.found
    return found


@pytest.mark.parametrize("seq", [1, 2, 2000, 2001, 4096, 4097, 8192, 8193, 9999, RECORDS])
def test_a_proof_from_the_files(chain: ChainFiles, seq: int) -> None:
    _, document = prove_record(chain, seq)
    assert document is not None
    assert document["root"] == ROOT.hash.hex()
    assert second_opinion(document["record"], seq, RECORDS, document["path"]) == ROOT.hash.hex()
    proved = checked(document)
    assert (proved.chain, proved.size, proved.head) == (CHAIN, RECORDS, LOG.heads[seq - 1])


def test_a_proof_for_a_root_that_was_noted_earlier(chain: ChainFiles) -> None:
    _, root = root_of(chain, 5000)
    _, document = prove_record(chain, 4711, 5000)
    assert root is not None
    assert document is not None
    assert checked(document, root).size == 5000


def test_what_the_proof_says_of_roots_counts_for_nothing(proof: dict[str, Any]) -> None:
    other = Root(bytes(32), RECORDS)
    with pytest.raises(ProofError, match="do not lead to that root"):
        checked({**proof, "root": other.hash.hex()}, other)


def test_every_member_of_a_proof_counts(proof: dict[str, Any]) -> None:
    assert checked(proof).head.seq == 4711
    changes: list[dict[str, Any]] = [
        {"kind": "consistency"},
        {"kind": None},
        {"version": 2},
        {"chain": "00000000000000bb"},
        {"seq": 4712},
        {"seq": True},
        {"seq": -1},
        {"seq": "4711"},
        {"tree_size": RECORDS - 1},
        {"tree_size": 4711},
        {"tree_size": 2**70},
        {"path": proof["path"][1:]},
        {"path": proof["path"] + ["00" * 32]},
        {"path": [proof["path"][1], proof["path"][0], *proof["path"][2:]]},
        {"path": ["zz" * 32, *proof["path"][1:]]},
        {"path": [7]},
        {"path": "00"},
        {"record": proof["record"].replace("4711", "4712")},
        {"record": proof["record"] + " "},
        {"record": LOG.lines[4711].decode()},
        {"record": LOG.lines[4711][:-1].decode()},
        {"record": "\ud800"},
        {"record": 7},
    ]
    for change in changes:
        with pytest.raises(ProofError):
            checked({**proof, **change})
    for index in range(len(proof["path"])):
        path = [step if at != index else "ab" * 32 for at, step in enumerate(proof["path"])]
        with pytest.raises(ProofError, match="do not lead"):
            checked({**proof, "path": path})


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"7", b"[" * 100_000, b"\xff"])
def test_what_is_no_proof_is_told(text: bytes) -> None:
    with pytest.raises(ProofError):
        check_proof(text, ROOT)


def test_a_chain_only_grew(chain: ChainFiles) -> None:
    for first in (1, 4096, 5000, 9999, RECORDS):
        _, older = root_of(chain, first)
        _, document = prove_growth(chain, first)
        assert older is not None
        assert document is not None
        proved = checked(document, ROOT, older)
        assert (proved.first_size, proved.size) == (first, RECORDS)
        assert checked({**document, "chain": "of somebody else"}, ROOT, older).chain is None
        with pytest.raises(ProofError):
            checked(document, ROOT, Root(bytes(32), first))
        with pytest.raises(ProofError):
            checked(document, Root(bytes(32), RECORDS), older)
        with pytest.raises(ProofError, match="the smaller tree"):
            checked(document, ROOT)


def test_a_chain_that_was_written_anew_did_not_only_grow(chain: ChainFiles, tmp_path: Path) -> None:
    _, older = root_of(chain, 5000)
    anew = [*LOG.lines[:4000], *log_of(LOG.heads[3999], 3000, "anew").lines]
    (other,) = find_chains(write_days(tmp_path, [("2026-11-20", anew)]))
    _, document = prove_growth(other, 5000)
    _, root = root_of(other)
    assert document is not None
    assert root is not None
    assert older is not None
    with pytest.raises(ProofError, match="does not lead to those roots"):
        checked(document, root, older)


def test_a_damaged_chain_has_no_root_and_no_proof(tmp_path: Path) -> None:
    lines = [*LOG.lines[:20], *LOG.lines[21:40]]
    (chain,) = find_chains(write_days(tmp_path, [("2026-11-20", lines)]))
    for verdict, nothing in (root_of(chain), prove_record(chain, 3), prove_growth(chain, 3)):
        assert (verdict.intact, nothing) == (False, None)


def test_records_and_sizes_that_are_not_there(chain: ChainFiles) -> None:
    for asked in (
        lambda: root_of(chain, RECORDS + 1),
        lambda: prove_record(chain, RECORDS + 1),
        lambda: prove_record(chain, 0),
        lambda: prove_record(chain, 7, RECORDS + 1),
        lambda: prove_growth(chain, 7, RECORDS + 1),
        lambda: prove_growth(chain, 8, 7),
    ):
        with pytest.raises(ProofError):
            asked()


def test_a_root_is_read_as_it_is_printed() -> None:
    assert read_root(str(ROOT)) == ROOT
    assert read_root(str(ROOT).upper()) == ROOT
    for text in ("", "7", f"0:{'a' * 64}", "a" * 63, ROOT.hash.hex()):
        with pytest.raises(ProofError):
            read_root(text)
