"""Values of fields have one spelling, or none."""

import pytest

from tests.unit.formats.exchange.asked import meaning
from vaultsigner.formats.exchange.field_values import LONGEST, one_spelling


@pytest.mark.parametrize(
    ("field", "value", "spelled"),
    [
        ("symbol", "BTCUSDT", "BTCUSDT"),
        ("symbol", "btcusdt", "btcusdt"),
        ("symbol", "币安人生USDT", "币安人生USDT"),
        ("symbol", "１２３４５６", "１２３４５６"),
        ("coin", "币安人生", "币安人生"),
        ("address", "bc1 q", "bc1 q"),
        ("address", "", ""),
        ("order_id", "1", "1"),
        ("position_side", "long", "LONG"),
        ("margin_type", "Isolated", "ISOLATED"),
        ("reduce_only", "TRUE", "true"),
        ("reduce_only", "False", "false"),
        ("symbol", "A" * LONGEST, "A" * LONGEST),
    ],
)
def test_spellings(field: str, value: str, spelled: str) -> None:
    assert one_spelling(field, value) == spelled


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("side", value) for value in (" BUY", "BUY ", "BUY\n", "\tBUY", "BUY\x00", "ＢＵＹ", "BÜY")),
        *(
            ("symbol", value)
            for value in ("BTCUSDT ", "BTC\u00a0USDT", "币\u3000安", "BTCUſDT", "BTCUSDT\u200b", "\u212aAVA")
        ),
        ("address", "币"),
        ("position_side", "LONGER"),
        ("position_side", ""),
        ("margin_type", "cross margin"),
        *(("reduce_only", value) for value in ("1", "yes", "on", "", "true ")),
        *((field, "A" * (LONGEST + 1)) for field in ("symbol", "side", "address")),
    ],
)
def test_what_may_be_read_as_something_else_has_none(field: str, value: str) -> None:
    assert one_spelling(field, value) is None


def test_a_field_that_is_too_long_makes_the_request_something_else() -> None:
    """Records have an end, and a rule cannot compare what is cut."""
    found = meaning("DELETE /api/v3/openOrders", symbol="A" * (LONGEST + 1))
    assert found.operation == "exchange.other"
    assert len(str(found.items)) < 300
