"""What DuckDB finds is what a plain loop over the records finds; what people type is data; what is on disk stays within reach."""

import json
import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.unit.audit.long_log import CHAIN, OTHER_CHAIN, days_of, long_log, write_days
from vaultsigner.audit.files.chain_files import ChainFiles, find_chains
from vaultsigner.audit.searching.queries import Counts, Filters, Found, open_queries
from vaultsigner.errors import AuditError

LOG, OTHER = long_log(CHAIN), long_log(OTHER_CHAIN, 300)
RECORDS: list[dict[str, Any]] = [json.loads(line) for line in (*LOG.lines, *OTHER.lines)]
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> tuple[ChainFiles, ...]:
    """One chain of 10,000 records over five days, one of 300."""
    directory = tmp_path_factory.mktemp("records")
    write_days(directory, days_of(LOG.lines))
    write_days(directory, days_of(OTHER.lines), OTHER_CHAIN)
    return find_chains(directory)


def find(chains: tuple[ChainFiles, ...], filters: Filters, latest: int | None = None) -> list[str]:
    with open_queries(chains) as queries:
        found: Found = queries.find(filters, latest)
        lines = list(found.lines)
        assert found.unreadable == 0
    return lines


def count(chains: tuple[ChainFiles, ...], filters: Filters) -> Counts:
    with open_queries(chains) as queries:
        return queries.count(filters)


def amounts(record: dict[str, Any]) -> list[Decimal]:
    intent = record.get("intent", {})
    return [Decimal(item["amount"]) for item in intent.get("items", [intent]) if "amount" in item]


Fits = Callable[[dict[str, Any]], bool]
QUESTIONS: list[tuple[Filters, Fits]] = [
    (Filters(), lambda record: True),
    (Filters(kind="outcome"), lambda record: record["kind"] == "outcome"),
    (Filters(request_id="r42"), lambda record: record.get("request_id") == "r42"),
    (Filters(principal="user:sam"), lambda record: bool(record.get("principal"))),
    (Filters(principal="sam"), lambda record: bool(record.get("principal"))),
    (Filters(principal="client:sam"), lambda record: False),
    (Filters(target="wallet:hot"), lambda record: record.get("wallet") == "hot"),
    (Filters(target="hot"), lambda record: record.get("wallet") == "hot"),
    (Filters(target="exchange:hot"), lambda record: False),
    (Filters(target="planet:hot"), lambda record: False),
    (Filters(operation="transfer.sign"), lambda record: record.get("operation") == "transfer.sign"),
    (Filters(operation="transfer.*"), lambda record: (record.get("operation") or "").startswith("transfer.")),
    (Filters(operation="order.*"), lambda record: False),
    (Filters(effect="deny"), lambda record: record.get("decision", {}).get("effect") == "deny"),
    (Filters(rule="old"), lambda record: record.get("decision", {}).get("rule") == "old"),
    (Filters(code="unauthenticated"), lambda record: record.get("code") == "unauthenticated"),
    (
        Filters(amount_above=Decimal("9000.00000001")),
        lambda record: max(amounts(record), default=0) > Decimal("9000.00000001"),
    ),
    (
        Filters(amount_below=Decimal("1.5")),
        lambda record: bool(amounts(record)) and min(amounts(record)) < Decimal("1.5"),
    ),
    (Filters(since=NOON), lambda record: record["time"] >= "2026-11-22T12:00:00.000000Z"),
    (Filters(until=NOON), lambda record: record["time"] < "2026-11-22T12:00:00.000000Z"),
    (
        Filters(since=NOON, until=NOON + timedelta(hours=1), kind="intent", effect="allow"),
        lambda record: (
            "2026-11-22T12:00" <= record["time"] < "2026-11-22T13:00"
            and record.get("decision", {}).get("effect") == "allow"
        ),
    ),
]


@pytest.mark.parametrize(("filters", "fits"), QUESTIONS)
def test_records_that_fit_and_no_others_in_the_order_of_their_times(
    chains: tuple[ChainFiles, ...], filters: Filters, fits: Fits
) -> None:
    expected = sorted((record["time"], record["chain"], record["seq"]) for record in RECORDS if fits(record))
    for latest in (None, 7):
        records = [json.loads(line) for line in find(chains, filters, latest)]
        told = [(record["time"], record["chain"], record["seq"]) for record in records]
        assert told == (expected if latest is None else expected[-latest:])
    assert count(chains, filters).records == len(expected)


def test_lines_come_as_they_are_on_record(chains: tuple[ChainFiles, ...]) -> None:
    written = {line.decode().rstrip("\n") for line in (*LOG.lines, *OTHER.lines)}
    assert set(find(chains, Filters())) == written


def test_counts_are_those_of_the_records(chains: tuple[ChainFiles, ...]) -> None:
    counts = count(chains, Filters())
    assert (counts.first, counts.last) == (RECORDS[0]["time"], max(record["time"] for record in RECORDS))
    assert counts.by["kind"] == Counter(record["kind"] for record in RECORDS)
    assert list(counts.by["day"].items()) == sorted(
        Counter(record["time"][:10] for record in RECORDS).items()
    )
    assert counts.by["principal"] == {"user:sam": sum(bool(record.get("principal")) for record in RECORDS)}
    assert counts.by["target"] == {"wallet:hot": sum(record.get("wallet") == "hot" for record in RECORDS)}
    decided = [record["decision"] for record in RECORDS if "decision" in record]
    assert counts.by["effect"] == Counter(each["effect"] for each in decided)
    assert counts.by["rule"] == Counter(each["rule"] for each in decided if each["rule"])


@pytest.mark.parametrize("name", ["' OR 1=1 --", '"; DROP TABLE x', "$files", "%", "*", "\0", "\ud800"])
def test_what_people_type_is_data(chains: tuple[ChainFiles, ...], name: str) -> None:
    """Names are compared as they are; only an operation may have a star."""
    filters = [Filters(principal=name), Filters(target=name), Filters(rule=name), Filters(request_id=name)]
    for asked in filters:
        try:
            assert find(chains, asked, 5) == []
        except (AuditError, UnicodeEncodeError):
            assert name == "\ud800"


def test_nothing_but_the_chains_can_be_read(chains: tuple[ChainFiles, ...], tmp_path: Path) -> None:
    (tmp_path / "secret.jsonl").write_text('{"kind":"intent"}\n')
    with (
        open_queries(chains) as queries,
        pytest.raises(AuditError, match="file system operations are disabled"),
    ):
        list(
            queries._engine.rows(
                "SELECT json FROM read_ndjson_objects($path)", {"path": str(tmp_path / "secret.jsonl")}
            )
        )
    with open_queries(chains) as queries, pytest.raises(AuditError, match="locked"):
        list(queries._engine.rows("SET enable_external_access = true", {}))


def test_a_directory_whose_name_is_a_pattern(tmp_path: Path) -> None:
    for name in ("o'clock", "[ab]*?", "a"):
        write_days(tmp_path / name, [("2026-11-20", LOG.lines[:3])])
    for name in ("o'clock", "[ab]*?"):
        assert len(find(find_chains(tmp_path / name), Filters())) == 3


def test_lines_that_are_no_records_are_counted(tmp_path: Path) -> None:
    lines = [*LOG.lines[:3], b"what?\n", b'{"seq":\n', *LOG.lines[3:5], LOG.lines[5][:40]]
    write_days(tmp_path, [("2026-11-20", lines)])
    with open_queries(find_chains(tmp_path)) as queries:
        for latest in (None, 10):
            found = queries.find(Filters(), latest)
            assert len(list(found.lines)) == 5
            assert found.unreadable == 3
        assert queries.count(Filters(kind="nothing")).unreadable == 3


def test_records_with_members_of_other_types_do_not_stop_a_query(tmp_path: Path) -> None:
    lines = [b'{"time":7,"seq":"x","principal":"sam","intent":[1],"decision":null}\n', *LOG.lines[:3]]
    write_days(tmp_path, [("2026-11-20", lines)])
    assert len(find(find_chains(tmp_path), Filters(effect="allow"))) == 2
    assert len(find(find_chains(tmp_path), Filters())) == 4


def test_a_chain_without_records_has_none(tmp_path: Path) -> None:
    write_days(tmp_path, [("2026-11-20", [])])
    chains = find_chains(tmp_path)
    assert find(chains, Filters()) == find(chains, Filters(), 3) == []
    assert count(chains, Filters()).records == 0


def test_files_of_other_days_are_not_opened(chains: tuple[ChainFiles, ...]) -> None:
    """But for one before: a repair is written into the file that was torn, on a later day perhaps."""
    with open_queries(chains) as queries:
        asked = Filters(since=NOON, until=NOON + timedelta(days=1))
        files = queries._parameters(asked, chains[:1])["files"]
    assert [os.path.basename(path) for path in files] == [f"2026-11-{day}.jsonl" for day in (21, 22, 23)]  # noqa: PTH119


def test_a_file_that_cannot_be_read_is_named_as_it_was_given(tmp_path: Path) -> None:
    """And not by where the engine finds it."""
    write_days(tmp_path, days_of(LOG.lines[:10]))
    chains = find_chains(tmp_path)
    path = chains[0].files[0].path
    path.unlink()
    with pytest.raises(AuditError, match="cannot be searched") as raised:
        find(chains, Filters())
    assert str(path) in str(raised.value)
