"""Times in buckets, as Prometheus counts them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultsigner.telemetry.measures import SECONDS, Histogram, Times

DURATIONS = st.floats(min_value=0, max_value=100)


@given(st.lists(DURATIONS))
def test_a_bucket_counts_all_that_took_at_most_as_long_as_its_bound(durations: list[float]) -> None:
    histogram = Histogram()
    for seconds in durations:
        histogram.observe(seconds)
    times = histogram.times()
    for bound, count in times.up_to():
        assert count == sum(seconds <= bound for seconds in durations)
    assert times.count == len(durations)
    assert times.total_seconds == pytest.approx(math.fsum(durations))


def test_a_bound_belongs_to_its_own_bucket() -> None:
    histogram = Histogram()
    histogram.observe(SECONDS[3])
    assert [count for _, count in histogram.times().up_to()] == [0, 0, 0] + [1] * (len(SECONDS) - 2)


@given(st.lists(DURATIONS))
def test_what_custody_sends_is_what_it_measured(durations: list[float]) -> None:
    histogram = Histogram()
    for seconds in durations:
        histogram.observe(seconds)
    assert Times.from_document(histogram.times().document()) == histogram.times()


@pytest.mark.parametrize(
    "document", [{}, {"counts": [1, 2], "total_seconds": 1}, {"counts": "x", "total_seconds": 0}]
)
def test_what_is_no_histogram_is_refused(document: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        Times.from_document(document)
