"""A record in columns: what each kind says, and nothing that a spreadsheet would run."""

import csv
import io
import json

import pytest

from tests.unit.audit.long_log import long_log
from tests.unit.audit.signed_log import signed_log
from vaultsigner.audit.searching.rows import COLUMNS, csv_lines, row_of


def test_each_kind_says_what_it_is_about() -> None:
    rows = [row_of(line) for line in long_log().lines[:5]]
    assert [row["kind"] for row in rows] == ["intent", "intent", "outcome", "request", "control"]
    assert (rows[0]["principal"], rows[0]["target"], rows[0]["amount"]) == (
        "user:sam",
        "wallet:hot",
        "0.5 BNB",
    )
    assert (rows[2]["code"], rows[2]["status"]) == ("ok", "200")
    assert rows[3]["what"] == "no such user"
    assert rows[4]["what"].startswith("reload ")
    log = signed_log()
    assert (
        row_of(log.lines[log.places[3]])["what"]
        == f"signed: records 1 to {log.anchored[3].signed.checkpoint.size}"
    )


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_what_would_be_a_formula_is_text(sign: str) -> None:
    line = json.dumps({"kind": "outcome", "reason": f"{sign}cmd|' /C calc'!A0"})
    head, row = csv.reader(io.StringIO("".join(csv_lines(iter([line])))))
    assert tuple(head) == COLUMNS
    assert row[COLUMNS.index("what")] == f"'{sign}cmd|' /C calc'!A0"


@pytest.mark.parametrize("line", ["what?", "[1]", "7", "", "[" * 100_000])
def test_what_is_no_record_says_so(line: str) -> None:
    row = row_of(line)
    assert row["what"] == f"no record: {line[:80]}"
    assert not any(value for name, value in row.items() if name != "what")
