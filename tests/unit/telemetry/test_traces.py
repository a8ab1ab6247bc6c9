"""Traces have the ids of their requests."""

import pytest

from vaultsigner.server.request_ids import fresh_request_id, request_id
from vaultsigner.telemetry.traces import RequestTracing, trace_id_of

NOBODY = "http://127.0.0.1:9/v1/traces"


def test_a_trace_s_id_is_the_request_s_in_another_spelling() -> None:
    randomness = bytes(range(10))
    expected = (1_790_000_000_000 << 80) | int.from_bytes(randomness, "big")
    assert trace_id_of(request_id(1_790_000_000_000, randomness)) == expected
    assert trace_id_of("7ZZZZZZZZZZZZZZZZZZZZZZZZZ") == 2**128 - 1


@pytest.mark.parametrize(("ratio", "followed"), [(1.0, 200), (0.0, 0)])
def test_as_many_are_followed_as_are_wanted(ratio: float, followed: int) -> None:
    tracing = RequestTracing(NOBODY, sample_ratio=ratio)
    traces = [tracing.begin(fresh_request_id()) for _ in range(200)]
    assert sum(trace is not None for trace in traces) == followed
    tracing.close()
