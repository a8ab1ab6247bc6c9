"""Strangers wait while an exchange is near its limits, so that the desk need not."""

import pytest

from vaultsigner.signing.public_calls import LONGEST_SECONDS, PublicCalls

GOOD = (("Content-Type", "application/json"),)


class Clock:
    """Goes when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, (("Retry-After", "7"),), 7),
        (418, (("retry-after", "120"),), 120),
        (429, (), 60),
        (418, (("Retry-After", "99999999"),), LONGEST_SECONDS),
        (429, (("Retry-After", "Fri, 31 Dec 1999 23:59:59 GMT"),), 60),
    ],
)
def test_they_wait_for_as_long_as_the_exchange_says(
    clock: Clock, status: int, headers: tuple[tuple[str, str], ...], seconds: int
) -> None:
    calls = PublicCalls(clock)
    assert calls.held("main") is None
    calls.after("main", status, headers)
    held = calls.held("main")
    assert held is not None
    assert (held.code, held.retry_after_seconds) == ("rate_limited", seconds)
    assert calls.held("other") is None
    clock.now = seconds
    assert calls.held("main") is None


@pytest.mark.parametrize("status", [200, 400, 403, 500, 503])
def test_other_answers_hold_nobody(clock: Clock, status: int) -> None:
    calls = PublicCalls(clock)
    calls.after("main", status, (*GOOD, ("Retry-After", "7")))
    assert calls.held("main") is None


@pytest.mark.parametrize("told", ["", "-5", "many", "9" * 5000, "１２"])
def test_a_wait_that_makes_no_sense_is_a_minute(clock: Clock, told: str) -> None:
    calls = PublicCalls(clock)
    calls.after("main", 429, (("Retry-After", told),))
    held = calls.held("main")
    assert held is not None
    assert held.retry_after_seconds == 60


def test_the_longer_wait_counts(clock: Clock) -> None:
    calls = PublicCalls(clock)
    calls.after("main", 418, (("Retry-After", "300"),))
    calls.after("main", 429, (("Retry-After", "1"),))
    clock.now = 299
    assert calls.held("main") is not None
