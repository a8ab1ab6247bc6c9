"""What the process that searches answers while the recorder compresses files beside it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.audit.long_log import CHAIN, days_of, long_log, write_days
from vaultsigner.audit.files.chain_files import ChainFiles, find_chains
from vaultsigner.audit.files.compression import compress
from vaultsigner.audit.searching import query_worker
from vaultsigner.audit.searching.engine import open_engine
from vaultsigner.audit.searching.query_worker import answered
from vaultsigner.audit.searching.warm_records import WarmRecords

LINES = long_log(CHAIN, 2_000).lines
DAYS = days_of(LINES)
QUESTIONS: tuple[dict[str, Any], ...] = (
    {"ask": "records", "filters": {}, "latest": len(LINES)},
    {"ask": "csv", "filters": {}},
    {"ask": "record", "chain": CHAIN, "seq": 7},
)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Of a file that is closed, and of one that is written to."""
    write_days(tmp_path, [(DAYS[0][0], LINES[:1_000]), ("2999-01-01", LINES[1_000:])])
    return tmp_path


@pytest.fixture
def ask(directory: Path) -> Iterator[Any]:
    with open_engine([directory]) as engine:
        warm = WarmRecords(engine)
        yield lambda question: [*answered(engine, warm, directory, json.dumps(question).encode())]


@pytest.mark.parametrize("warm", [False, True], ids=["new", "known"])
@pytest.mark.parametrize("question", QUESTIONS, ids=[each["ask"] for each in QUESTIONS])
def test_a_file_that_is_compressed_before_it_is_read_is_read_all_the_same(
    directory: Path, ask: Any, monkeypatch: pytest.MonkeyPatch, question: dict[str, Any], warm: bool
) -> None:
    looks = 0

    def found_and_compressed(place: Path) -> tuple[ChainFiles, ...]:
        nonlocal looks
        looks += 1
        found = find_chains(place)
        if looks == 1:
            compress(directory / CHAIN / f"{DAYS[0][0]}.jsonl")
        return found

    if warm:
        ask(QUESTIONS[0])
    monkeypatch.setattr(query_worker, "find_chains", found_and_compressed)
    told = ask(question)
    monkeypatch.undo()
    assert "done" in told[-1], told
    assert told == ask(question)


def test_what_cannot_be_read_is_told_and_not_looked_for_twice(
    directory: Path, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Path] = []

    def found(place: Path) -> tuple[ChainFiles, ...]:
        looks.append(place)
        return find_chains(place)

    monkeypatch.setattr(query_worker, "find_chains", found)
    assert "problem" in ask({"ask": "records", "filters": {"no": "such"}, "latest": 1})[-1]
    assert looks == [directory]
