"""Amounts are exact or refused: nothing is rounded, nothing cut off, nothing passes through a double."""

import time
from decimal import MAX_EMAX, MIN_EMIN, Decimal, InvalidOperation, localcontext

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.work import slowness
from vaultsigner.domain.amounts import AmountError, format_units, parse_units


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("1", 100000000),
        ("0.000396", 39600),
        ("0.00000001", 1),
        ("0.29", 29000000),
        ("4.35", 435000000),
        ("90071992.54740993", 9007199254740993),
        ("92233720368.54775807", 2**63 - 1),
        ("1e-3", 100000),
        ("1e-08", 1),
        ("1E-8", 1),
        ("1e+2", 10000000000),
        ("9e10", 9000000000000000000),
        ("0.00000000000001e6", 1),
        ("100000000000e-19", 1),
        (" 1.5 ", 150000000),
        ("\t2\n", 200000000),
        ("+1.5", 150000000),
        ("1.", 100000000),
        (".5", 50000000),
        ("007", 700000000),
        ("1.000000000", 100000000),
        ("1e00000000000000000000000000", 100000000),
        ("0.1000000000000000000000000000", 10000000),
    ],
)
def test_amount(text: str, units: int) -> None:
    assert parse_units(text) == units


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (
            "not_a_decimal",
            ["", " ", "a", "1,5", "1 5", "1_0", "٠", "١", "1٢", "0x10", "1e", "e5", ".", "+", "--1"],
        ),
        (
            "not_a_decimal",
            ["1.5.2", "1e5.0", "1e5e5", "½", "²", "1\x00", "\u00a01", "in", "nanx", "1\u0660e1"],
        ),
        ("not_finite", ["NaN", "nan", "sNaN", "-sNaN12", "Infinity", "-inf", "+INF", " nan "]),
        ("not_positive", ["0", "0.0", "-0", "-1", "-1e400", "0e400", "0e-400", "-0.000000001", ".0"]),
        ("too_precise", ["0.000000001", "0.29000000001", "1e-9", "1e-400", "1e-999999999", "1.123456789"]),
        ("too_large", ["92233720368.54775808", "1e11", "1e400", "1e999999999", "99999999999999999999999"]),
        ("too_large", ["1e99999999999999999999999999", "92233720368547758080000000e-15"]),
        ("too_long", ["1" * 31, "0." + "0" * 29, " " * 30 + "1", "1e" + "0" * 29, "1" * 100_000]),
    ],
)
def test_refused_amounts(kind: str, texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(AmountError) as caught:
            parse_units(text)
        assert caught.value.kind == kind, text


def test_huge_exponents_cost_nothing() -> None:
    started = time.thread_time()
    for text in (
        "1e999999999",
        "1e-999999999",
        "-1e999999999",
        "0e999999999",
        "1" + "0" * 18 + "e9999999999",
    ):
        with pytest.raises(AmountError):
            parse_units(text)
    assert time.thread_time() - started < 0.1 * slowness()


def test_message_says_what_to_write() -> None:
    with pytest.raises(AmountError, match="at most 8, nothing is rounded"):
        parse_units("0.123456789")
    with pytest.raises(AmountError, match=r"larger than 92233720368\.54775807"):
        parse_units("1e12")


@pytest.mark.parametrize(
    ("units", "text"),
    [(1, "0.00000001"), (150000000, "1.50000000"), (2**63 - 1, "92233720368.54775807"), (0, "0.00000000")],
)
def test_format(units: int, text: str) -> None:
    assert format_units(units) == text


def test_negative_units_have_no_text() -> None:
    with pytest.raises(ValueError, match="never negative"):
        format_units(-1)


@given(st.integers(1, 2**63 - 1))
def test_round_trip(units: int) -> None:
    assert parse_units(format_units(units)) == units


def expected_units(text: str) -> int | None:
    """What the decimal module makes of it, as exact arithmetic; None where it must be refused."""
    if len(text) > 30 or not text.isascii() or "_" in text:
        return None
    with localcontext(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN):
        try:
            value = Decimal(text)
            if not value.is_finite() or value <= 0 or value > 10**11 or value < Decimal("1e-8"):
                return None
            units = value.scaleb(8)
        except InvalidOperation:
            return None
        return int(units) if units == int(units) and units <= 2**63 - 1 else None


@given(st.text(alphabet="0123456789.eE+-_ \n١naif", max_size=32) | st.decimals().map(str))
@example("1e-08")
@example("92233720368.54775807")
@example("0.000000010")
@example("1_0")
def test_agrees_with_exact_decimal_arithmetic(text: str) -> None:
    try:
        units: int | None = parse_units(text)
    except AmountError:
        units = None
    assert units == expected_units(text)
