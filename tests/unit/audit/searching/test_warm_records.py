"""What is found in the table of closed files is what is found in the files, whatever became of them since."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.unit.audit.long_log import CHAIN, OTHER_CHAIN, days_of, long_log, write_days
from tests.unit.audit.searching.test_queries import QUESTIONS, Fits
from vaultsigner.audit.files.chain_files import find_chains
from vaultsigner.audit.searching.engine import open_engine
from vaultsigner.audit.searching.queries import Filters, RecordQueries, open_queries
from vaultsigner.audit.searching.warm_records import WarmRecords
from vaultsigner.errors import AuditError

LOG, OTHER = long_log(CHAIN), long_log(OTHER_CHAIN, 300)


class Searcher:
    """An engine that goes on while the files change."""

    def __init__(self, directory: Path, engine: Any, **options: float) -> None:
        self.directory = directory
        self.engine = engine
        self.warm = WarmRecords(engine, **options)

    @property
    def queries(self) -> RecordQueries:
        """Of the files as they are now."""
        return RecordQueries(self.engine, find_chains(self.directory), self.warm)

    def find(self, filters: Filters, latest: int = 100_000) -> list[str]:
        """The lines."""
        return list(self.queries.find(filters, latest).lines)


@contextmanager
def searching(directory: Path, **options: float) -> Iterator[Searcher]:
    """For `with`."""
    with open_engine([directory]) as engine:
        yield Searcher(directory, engine, **options)


def fresh(directory: Path, filters: Filters) -> list[str]:
    """What is found without the table."""
    with open_queries(find_chains(directory)) as queries:
        return list(queries.find(filters, 100_000).lines)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    """Two chains, some of their files compressed."""
    directory = tmp_path_factory.mktemp("warm")
    for lines, chain in ((LOG.lines, CHAIN), (OTHER.lines, OTHER_CHAIN)):
        path = write_days(directory, days_of(lines), chain)
        for file in sorted(path.glob("*.jsonl"))[:2]:
            if len(list(path.iterdir())) > 2:
                compress(file)
    with searching(directory) as searcher:
        yield searcher


def compress(path: Path) -> None:
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()


@pytest.mark.parametrize(("filters", "fits"), QUESTIONS)
def test_it_finds_what_the_files_have(shared: Searcher, filters: Filters, fits: Fits) -> None:
    expected = fresh(shared.directory, filters)
    assert shared.find(filters) == expected
    assert shared.find(filters, 7) == expected[-7:]
    with open_queries(find_chains(shared.directory)) as queries:
        assert shared.queries.count(filters) == queries.count(filters)
    assert all(fits(json.loads(line)) for line in expected)


def test_closed_files_are_read_once(shared: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    shared.find(Filters())
    monkeypatch.delattr(WarmRecords, "_insert")
    assert len(shared.find(Filters(kind="outcome"))) == 2060


def test_pages_are_before_a_place(shared: Searcher) -> None:
    everything = shared.find(Filters(kind="control"))
    record = json.loads(everything[-100])
    place = f"{record['time']}{record['chain']}{record['seq']:020}"
    found = list(shared.queries.find(Filters(kind="control"), 50, place).lines)
    assert found == everything[-150:-100]


def test_what_is_added_to_the_newest_file_is_found(tmp_path: Path) -> None:
    days = days_of(LOG.lines)
    path = write_days(tmp_path, [days[0], (days[1][0], days[1][1][:500])])
    with searching(tmp_path) as searcher:
        assert len(searcher.find(Filters())) == len(days[0][1]) + 500
        with (path / f"{days[1][0]}.jsonl").open("ab") as file:
            file.writelines(days[1][1][500:])
        assert searcher.find(Filters()) == fresh(tmp_path, Filters())
        (path / f"{days[2][0]}.jsonl").write_bytes(b"".join(days[2][1]))
        assert searcher.find(Filters(kind="intent")) == fresh(tmp_path, Filters(kind="intent"))


def test_what_was_compressed_replaced_or_removed_is_found_as_it_is_now(tmp_path: Path) -> None:
    days = days_of(LOG.lines)
    path = write_days(tmp_path, days[:4])
    with searching(tmp_path) as searcher:
        before = searcher.find(Filters())
        compress(path / f"{days[0][0]}.jsonl")
        assert searcher.find(Filters()) == before
        other = path / "other"
        other.write_bytes(b"".join(days[1][1][:77]))
        other.replace(path / f"{days[1][0]}.jsonl")
        (path / f"{days[2][0]}.jsonl").unlink()
        assert searcher.find(Filters()) == fresh(tmp_path, Filters()) != before


def test_records_that_are_not_in_their_place_are_found_all_the_same(tmp_path: Path) -> None:
    days = days_of(LOG.lines)
    lines = [*days[0][1][:100], b"no record\n", *days[0][1][150:]]
    write_days(tmp_path, [(days[0][0], lines), days[1]])
    with searching(tmp_path) as searcher:
        asked = searcher.queries.find(Filters(kind="intent"), 100_000)
        assert (list(asked.lines), asked.unreadable) == (fresh(tmp_path, Filters(kind="intent")), 1)


def test_what_takes_too_long_for_one_question_is_done_for_the_next(tmp_path: Path) -> None:
    write_days(tmp_path, days_of(LOG.lines))
    with searching(tmp_path, loading_seconds=0.0) as searcher:
        told: list[str] = []
        for _ in range(5):
            try:
                assert searcher.find(Filters(rule="old")) == fresh(tmp_path, Filters(rule="old"))
                break
            except AuditError as error:
                told.append(str(error))
        assert told
        assert told[0].startswith("1 of 4 files have been looked through for the first time")


def test_nothing_but_its_directory_can_be_read_or_written(tmp_path: Path) -> None:
    write_days(tmp_path / "records", days_of(LOG.lines))
    (tmp_path / "secret.jsonl").write_text("{}\n")
    with searching(tmp_path / "records") as searcher:
        searcher.find(Filters())
        for query in (
            f"FROM read_text('{tmp_path}/secret.jsonl')",
            f"COPY warm.records TO '{tmp_path}/stolen.csv'",
            f"ATTACH '{tmp_path}/other.db' AS other",
        ):
            with pytest.raises(AuditError):
                list(searcher.engine.rows(query, {}))
