"""A summary counts what a plain loop over the records counts."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.unit.audit.long_log import CHAIN, days_of, long_log, write_days
from vaultsigner.audit.chain import Head, seal
from vaultsigner.audit.files.chain_files import find_chains
from vaultsigner.audit.searching.filters import Filters
from vaultsigner.audit.searching.queries import RecordQueries, open_queries
from vaultsigner.audit.searching.summaries import period_of, summarise
from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.record_time import read_record_time

LOG = long_log(CHAIN)
RECORDS: list[dict[str, Any]] = [json.loads(line) for line in LOG.lines]
SINCE = datetime(2026, 11, 21, 6, tzinfo=UTC)


@pytest.fixture(scope="module")
def queries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordQueries]:
    """10,000 records over five days, and two lines that are none."""
    directory: Path = tmp_path_factory.mktemp("summaries")
    days = days_of(LOG.lines)
    write_days(directory, [*days[:1], (days[1][0], [b"what?\n", *days[1][1], b"{\n"]), *days[2:]])
    with open_queries(find_chains(directory)) as queries:
        yield queries


@pytest.mark.parametrize("steps", [1, 7, 60])
def test_answers_are_counted_in_their_steps(queries: RecordQueries, steps: int) -> None:
    period = period_of(SINCE, SINCE + timedelta(hours=40), steps)
    told = summarise(queries, Filters(), period)
    expected: list[Counter[str]] = [Counter() for _ in range(period.steps)]
    begin = int(SINCE.timestamp()) * 1_000_000
    inside = []
    for record in RECORDS:
        step = ((read_record_time(record["time"]) or 0) - begin) // (period.step_seconds * 1_000_000)
        if 0 <= step < period.steps:
            inside.append(record)
            if record["kind"] in ("outcome", "request"):
                expected[step][record["code"]] += 1
    found = [
        Counter({name: each for name, each in {"ok": bucket["allowed"], **bucket["refused"]}.items() if each})
        for bucket in told["buckets"]
    ]
    assert found == expected
    assert sum(map(len, found)) > 1
    assert (told["records"], told["unreadable"]) == (len(inside), 2)
    assert told["by"]["rule"] == Counter(
        record["decision"]["rule"]
        for record in inside
        if record["kind"] == "intent" and record["decision"]["rule"]
    )
    assert told["by"]["code"] == sum(expected, Counter())
    assert told["by"]["target"] == {"wallet:hot": sum(record["kind"] == "outcome" for record in inside)}


def test_filters_narrow_it(queries: RecordQueries) -> None:
    period = period_of(SINCE, SINCE + timedelta(hours=40), 4)
    told = summarise(queries, Filters(code="unauthenticated"), period)
    assert set(told["by"]["code"]) == {"unauthenticated"}
    assert all(bucket["allowed"] == 0 and bucket["refused"] for bucket in told["buckets"])
    assert summarise(queries, Filters(principal="user:nobody"), period)["records"] == 0


def test_a_time_without_records_has_empty_steps(queries: RecordQueries) -> None:
    told = summarise(
        queries, Filters(), period_of(SINCE - timedelta(days=900), SINCE - timedelta(days=899), 3)
    )
    assert [bucket["allowed"] for bucket in told["buckets"]] == [0, 0, 0]
    assert told["buckets"][1]["start"] == "2024-06-04T14:00:00.000000Z"


@pytest.mark.parametrize(
    ("seconds", "steps", "expected"),
    [(1, 60, (1, 1)), (60, 60, (1, 60)), (61, 60, (2, 31)), (86400, 500, (173, 500))],
)
def test_steps_are_of_whole_seconds_and_no_more_than_asked_for(
    seconds: int, steps: int, expected: tuple[int, int]
) -> None:
    period = period_of(SINCE, SINCE + timedelta(seconds=seconds), steps)
    assert (period.step_seconds, period.steps) == expected
    assert period.until >= SINCE + timedelta(seconds=seconds)


def test_a_filter_that_only_intents_fit_counts_the_answers_to_those_requests(tmp_path: Path) -> None:
    """The rule and the amount are in a request's intent, the code in its outcome."""
    asked = [
        ("small", "1", "ok"),
        ("small", "2", "sequence_held"),
        ("large", "9", "approval_required"),
        ("large", "9", "ok"),
    ]
    head, lines = Head(CHAIN), []
    for number, (rule, amount, code) in enumerate(asked):
        intent: dict[str, JsonValue] = {
            "kind": "intent",
            "intent": {"amount": amount},
            "decision": {"effect": "allow", "rule": rule},
        }
        outcome: dict[str, JsonValue] = {"kind": "outcome", "code": code}
        for members in (intent, outcome):
            line, head = seal(
                {**members, "request_id": f"r{number}"}, head, int(SINCE.timestamp()) * 1_000_000
            )
            lines.append(line)
    write_days(tmp_path, days_of(lines))
    period = period_of(SINCE, SINCE + timedelta(hours=1), 1)
    with open_queries(find_chains(tmp_path)) as queries:

        def codes(**filters: Any) -> dict[str, int]:
            told: dict[str, int] = summarise(queries, Filters(**filters), period)["by"]["code"]
            return told

        assert codes(rule="small") == {"ok": 1, "sequence_held": 1}
        assert codes(amount_above=Decimal(2)) == {"ok": 1, "approval_required": 1}
        assert codes(rule="large", code="ok") == {"ok": 1}
        assert codes(effect="allow") == codes() == {"ok": 2, "sequence_held": 1, "approval_required": 1}
        assert codes(rule="none") == codes(rule="small", amount_above=Decimal(2)) == {}
        (bucket,) = summarise(queries, Filters(rule="large"), period)["buckets"]
        assert (bucket["allowed"], bucket["waiting"]) == (1, 1)
