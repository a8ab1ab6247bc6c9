"""Custody's own memory of what it has signed for."""

import pytest

from vaultsigner.custody.used_signatures import KEPT_AFTER_MS, UsedSignatures
from vaultsigner.errors import CustodyError

NOW = 1_795_000_000_000


class Clock:
    """Milliseconds, moved by hand."""

    def __init__(self) -> None:
        self.now_ms = NOW

    def __call__(self) -> int:
        return self.now_ms


def code_of(
    used: UsedSignatures, nonce: bytes, expires_at_ms: int, good_from_ms: int | None = None
) -> str | None:
    try:
        used.mark(nonce, expires_at_ms, expires_at_ms - 6000 if good_from_ms is None else good_from_ms)
    except CustodyError as error:
        return error.code
    return None


def test_each_counts_once() -> None:
    used = UsedSignatures(Clock())
    assert b"a" not in used
    assert [code_of(used, nonce, NOW + 5000) for nonce in (b"a", b"b", b"a")] == [None, None, "replayed"]
    assert b"a" in used


def test_it_is_remembered_as_long_as_a_ticket_for_it_may_be_about() -> None:
    clock = Clock()
    used = UsedSignatures(clock)
    assert code_of(used, b"a", NOW + 5000) is None
    clock.now_ms = NOW + 5000 + KEPT_AFTER_MS
    assert code_of(used, b"b", clock.now_ms) is None
    assert b"a" in used
    clock.now_ms += 1
    assert code_of(used, b"c", clock.now_ms) is None
    assert b"a" not in used


def test_a_clock_that_steps_back_makes_nothing_good_again() -> None:
    clock = Clock()
    used = UsedSignatures(clock)
    assert code_of(used, b"a", NOW + 5000) is None
    clock.now_ms += 3_600_000
    assert code_of(used, b"b", clock.now_ms + 5000) is None
    assert b"a" not in used
    clock.now_ms = NOW
    assert code_of(used, b"a", NOW + 5000) == "replayed"
    assert code_of(used, b"c", NOW + 5000) == "replayed", "may have been used and forgotten too"
    assert code_of(used, b"d", NOW + 5001) is None


def test_a_full_memory_refuses_and_forgets_nothing() -> None:
    clock = Clock()
    used = UsedSignatures(clock, most=3)
    assert [code_of(used, bytes([n]), NOW + 5000) for n in range(4)] == [
        None,
        None,
        None,
        "custody_unavailable",
    ]
    assert code_of(used, b"\0", NOW + 5000) == "replayed"
    clock.now_ms += 5001 + KEPT_AFTER_MS
    assert code_of(used, b"\4", clock.now_ms + 5000) is None


@pytest.mark.parametrize("expires_at_ms", [0, NOW - 1, NOW + 60_000])
def test_any_time_is_taken(expires_at_ms: int) -> None:
    used = UsedSignatures(Clock())
    assert code_of(used, b"a", expires_at_ms) is None
    assert code_of(used, b"a", expires_at_ms) == "replayed"


@pytest.mark.parametrize(
    ("good_from_ms", "code"),
    [
        (NOW - 6000, "custody_unavailable"),
        (NOW - 1, "custody_unavailable"),
        (NOW, "custody_unavailable"),
        (NOW + 1, None),
        (NOW + 999, None),
    ],
)
def test_after_a_crash_what_was_good_before_is_not_signed_for(good_from_ms: int, code: str | None) -> None:
    clock = Clock()
    used = UsedSignatures(clock, after_crash=True)
    clock.now_ms += 3000
    assert code_of(used, b"a", NOW + 60_000, good_from_ms) == code
    assert (b"a" in used) is (code is None)
    assert code_of(UsedSignatures(Clock()), b"a", NOW + 60_000, good_from_ms) is None, "the first start"
