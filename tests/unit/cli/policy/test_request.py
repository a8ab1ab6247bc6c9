"""What people type about a request: read exactly, or refused with what to write."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vaultsigner.cli.policy import request
from vaultsigner.config.problems import UnusableValueError
from vaultsigner.domain.principals import Principal

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20T10:00:00Z", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20 10:00Z", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20T11:00:00.5+01:00", datetime(2026, 11, 20, 10, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_a_moment_is_utc_whatever_its_zone(text: str, moment: datetime) -> None:
    assert request.read_moment(text) == moment
    assert request.read_moment(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("30d", NOW - timedelta(days=30)),
        ("12h", NOW - timedelta(hours=12)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T08:00:00Z", datetime(2026, 11, 1, 8, tzinfo=UTC)),
    ],
)
def test_since(text: str, since: datetime) -> None:
    assert request.read_since(text, NOW) == since


def test_the_fields_of_an_item_are_read_as_they_are() -> None:
    item = request.read_item('{"amount": "1.50", "proposal_id": 7, "reduce_only": true}')
    assert item == {"amount": "1.50", "proposal_id": 7, "reduce_only": True}
    assert type(item["amount"]) is str


def test_principals() -> None:
    assert request.read_principal("user:sam") == Principal("user", "sam")
    assert str(request.read_principal("client:bot-1")) == "client:bot-1"


REFUSED: list[tuple[Callable[[str], Any], str, str]] = [
    (request.read_moment, "2026-11-20T10:00:00", "with its zone"),
    (request.read_moment, "2026-02-30T10:00:00Z", "no moment"),
    (request.read_moment, "0001-01-01T00:00+23:00", "no moment"),
    (request.read_moment, "2026-11-20T10:00:00+99:00", "no moment"),
    (lambda text: request.read_since(text, NOW), "2026-13-01", "30d or 12h"),
    (lambda text: request.read_since(text, NOW), "0d", "30d or 12h"),
    (lambda text: request.read_since(text, NOW), "99999d9", "30d or 12h"),
    (lambda text: request.read_since(text, datetime(1, 1, 2, tzinfo=UTC)), "99999d", "30d or 12h"),
    (request.read_ip, "10.0.0", "10.0.0.7"),
    (request.read_ip, "10.0.0.0/8", "10.0.0.7"),
    (request.read_operation, "transfer.*", "transfer"),
    (request.read_operation, "transfer.sing", "did you mean transfer.sign?"),
    (request.read_principal, "usr:sam", "write user:sam"),
    (request.read_principal, "user:*", "write user:NAME"),
    (request.read_target, "wallet_1", "write wallet:wallet_1"),
    (request.read_target, "0123456789abcdef" * 4, "write wallet:NAME"),
    (request.read_principal, f"usr:s.{'0aF' * 8}", "write user:NAME"),
    (request.read_item, "amount=5", "not JSON"),
    (request.read_item, "[]", "an item is an object"),
    (request.read_item, '{"amount": "5", "amount": "6"}', "twice"),
    (request.read_item, '{"amont": "5"}', "did you mean amount?"),
    (request.read_item, '{"amount": 5.0}', 'decimals are text: "amount": "5.0"'),
    (request.read_item, '{"amount": 5e1}', "decimals are text"),
    (request.read_item, '{"amount": NaN}', "not a JSON number"),
    (request.read_item, '{"amount": null}', "no single value"),
    (request.read_item, '{"amount": ["5"]}', "no single value"),
    (request.read_item, "[" * 5000, "nested deeper"),
    (request.read_item, "\udcff", "not UTF-8"),
]


@pytest.mark.parametrize(("read", "text", "said"), REFUSED)
def test_what_is_refused_says_what_to_write(read: Callable[[str], Any], text: str, said: str) -> None:
    with pytest.raises(UnusableValueError) as caught:
        read(text)
    assert said in f"{caught.value.message}; {caught.value.hint}"
