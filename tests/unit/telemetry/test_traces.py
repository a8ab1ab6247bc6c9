"""Traces have the ids of their requests."""

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from vaultsigner.server.request_ids import fresh_request_id, request_id
from vaultsigner.telemetry.traces import Ended, RequestTracing, trace_id_of

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


def test_those_are_followed_that_the_library_would_follow() -> None:
    tracing, sampler = RequestTracing(NOBODY, sample_ratio=0.3), TraceIdRatioBased(0.3)
    ids = [fresh_request_id() for _ in range(500)]
    followed = [each for each in ids if tracing.begin(each) is not None]
    sampled = [
        each
        for each in ids
        if sampler.should_sample(None, trace_id_of(each), "x").decision is Decision.RECORD_AND_SAMPLE
    ]
    assert followed == sampled
    assert 0 < len(followed) < len(ids)
    tracing.close()


@pytest.mark.parametrize("parent", [None, SpanContext(7, 8, is_remote=False)])
@pytest.mark.parametrize("failed", [False, True])
def test_a_span_is_sent_as_the_library_sends_its_own(parent: SpanContext | None, failed: bool) -> None:
    context = SpanContext(7, 9, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    resource, scope = Resource({"service.name": "x"}), InstrumentationScope("x", "1")
    attributes, status = {"a": "b"}, Status(StatusCode.ERROR if failed else StatusCode.UNSET)
    ours = Ended(
        "custody sign_beacon", context, parent, kind=SpanKind.SERVER, attributes=attributes, failed=failed
    )
    ours.start_time, ours.end_time, ours.resource, ours.instrumentation_scope = 5, 6, resource, scope
    theirs = ReadableSpan(
        "custody sign_beacon",
        context,
        parent,
        resource,
        attributes,
        kind=SpanKind.SERVER,
        status=status,
        start_time=5,
        end_time=6,
        instrumentation_scope=scope,
    )
    assert encode_spans([ours]) == encode_spans([theirs])
