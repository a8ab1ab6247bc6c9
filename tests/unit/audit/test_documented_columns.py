"""The table for Athena in docs/audit.md has a column for each member that a record can have, and no others."""

import json
import re
from pathlib import Path

from tests.unit.audit.signed_log import signed_log
from tests.unit.cli.policy_records import SAM
from vaultsigner.audit.entries import Dispatch, Entry
from vaultsigner.audit.exchange_entries import ExchangeDispatch
from vaultsigner.domain.names import Operation, RequestId
from vaultsigner.domain.targets import Target

DOCUMENT = Path(__file__).parents[3] / "docs" / "audit.md"


def dispatches() -> list[Entry]:
    """What no other log of the tests has; one for each kind of target."""
    wallet = Dispatch(
        request_id=RequestId("r1"),
        principal=SAM,
        ip="10.0.0.7",
        client_certificate="sha256:0",
        operation=Operation("transfer.broadcast"),
        target=Target("wallet", "hot"),
        node="node.example",
        result="accepted",
        policy="sha256:0",
    )
    others = [
        ExchangeDispatch(
            request_id=RequestId("r2"),
            principal=SAM,
            ip="10.0.0.7",
            operation=Operation("order.forward"),
            target=target,
            host="api.example",
            endpoint="POST /api/v3/order",
            result="accepted",
            answered=200,
            policy="sha256:0",
        )
        for target in (Target("exchange", "binance-main"), Target("open_api", "mini-app"))
    ]
    return [wallet, *others]


def test_a_column_for_each_member() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    table = text[text.index("CREATE EXTERNAL TABLE") : text.index("PARTITIONED BY")]
    flat = re.sub(r"<[^>]*>", "", table[table.index("(") + 1 :])
    columns = re.findall(r"`?([a-z0-9_]+)`? (?:string|int|bigint|struct|array)\b", flat)
    members = {name for line in signed_log().lines for name in json.loads(line)}
    members |= {name for entry in dispatches() for name in entry.members()}
    assert sorted(columns) == sorted(members)


def test_the_members_of_nested_ones() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for name in ("principal", "decision"):
        match = re.search(rf"\b{name} struct<([^>]*)>", text)
        assert match is not None
        named = [each.split(":")[0].strip() for each in match[1].split(",")]
        record = next(
            json.loads(line)[name] for line in signed_log().lines if f'"{name}":{{'.encode() in line
        )
        assert sorted(named) == sorted(record)
