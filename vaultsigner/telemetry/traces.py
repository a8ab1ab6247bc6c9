"""Traces of requests for an OpenTelemetry collector, over OTLP/HTTP. Needs the extra `otel`.

A request's id and its trace's id are the same 128 bits, so that each is found by the other: a request id is a ULID (26 characters
of Crockford's base 32), a trace id is written in hexadecimal. Spans have names and attributes of ours alone; no exception gets
into one, for its text may quote what a caller sent. What callers say of traces of their own is not looked at.
"""

import threading
from collections.abc import Mapping
from contextvars import ContextVar, Token
from pathlib import Path

import requests
from opentelemetry import trace as otel
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

MOST_WAITING = 2048
"""Spans that wait to be sent; more are dropped: a collector that is away holds nobody up, and fills no memory."""
MOST_AT_ONCE = 512
EVERY_MILLISECONDS = 1000.0
SEND_SECONDS = 5.0
END_SECONDS = 3.0
"""How long the end of the service waits for the last spans to be sent."""
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES: Mapping[str, int] = {character: value for value, character in enumerate(_CROCKFORD)}


def trace_id_of(request_id: str) -> int:
    """The number that a request id spells."""
    value = 0
    for character in request_id:
        value = value << 5 | _VALUES[character]
    return value


class RequestTracing:
    """Sends spans from a thread of its own; nobody ever waits for it.

    Args:
        endpoint: where the collector takes traces, the path included.
        sample_ratio: how large a part of all requests is followed, from 0 to 1.
        version: of the program.
        ca_cert: PEM file of a private authority; None: those of the system.
    """

    def __init__(
        self, endpoint: str, *, sample_ratio: float = 1.0, version: str = "", ca_cert: Path | None = None
    ) -> None:
        self._ids = _RequestIds()
        self._provider = TracerProvider(
            sampler=TraceIdRatioBased(sample_ratio),
            resource=Resource({"service.name": "vaultsigner", "service.version": version}),
            id_generator=self._ids,
            span_limits=SpanLimits(max_span_attributes=16, max_events=0, max_links=0),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                _exporter(endpoint, ca_cert),
                max_queue_size=MOST_WAITING,
                schedule_delay_millis=EVERY_MILLISECONDS,
                max_export_batch_size=MOST_AT_ONCE,
                export_timeout_millis=SEND_SECONDS * 1000,
            )
        )
        self._tracer = self._provider.get_tracer("vaultsigner", version)

    def begin(self, request_id: str) -> "RequestTrace | None":
        """See `Tracing`."""
        with self._ids.next_is(trace_id_of(request_id)):
            span = self._tracer.start_span(
                "request", Context(), otel.SpanKind.SERVER, {"vaultsigner.request_id": request_id}
            )
        return RequestTrace(self._tracer, span) if span.is_recording() else None

    def close(self) -> None:
        """Send what waits, for some seconds at most. Blocks."""
        # The library's own end waits for a collector that does not answer.
        ending = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        ending.start()
        ending.join(END_SECONDS)


class RequestTrace:
    """One request's spans; see `Trace`."""

    __slots__ = ("_root", "_tracer")

    def __init__(self, tracer: otel.Tracer, root: otel.Span) -> None:
        self._tracer = tracer
        self._root = root

    def begin(self, name: str) -> "_Step":
        """See `Trace`."""
        known = _INNER.get()
        inner = self._root if known is None or known[0] is not self else known[1]
        span = self._tracer.start_span(name, otel.set_span_in_context(inner, Context()))
        return _Step(span, _INNER.set((self, span)))

    def end(self, name: str, facts: Mapping[str, str], *, failed: bool) -> None:
        """See `Trace`."""
        self._root.update_name(name)
        self._root.set_attributes({f"vaultsigner.{fact}": value for fact, value in facts.items()})
        if failed:
            self._root.set_status(otel.StatusCode.ERROR)
        self._root.end()


_Inner = tuple[RequestTrace, otel.Span] | None
_INNER: ContextVar[_Inner] = ContextVar("span", default=None)
"""The step that this task has begun last, and whose: several tasks may take steps of one request at once."""


class _Step:
    __slots__ = ("_span", "_token")

    def __init__(self, span: otel.Span, token: Token[_Inner]) -> None:
        self._span = span
        self._token = token

    def end(self, *, failed: bool) -> None:
        """See `Span`."""
        _INNER.reset(self._token)
        if failed:
            self._span.set_status(otel.StatusCode.ERROR)
        self._span.end()


class _RequestIds(RandomIdGenerator):
    """Trace ids that were told beforehand. On one thread, between telling and making nothing else happens."""

    def __init__(self) -> None:
        self._next: int | None = None

    def next_is(self, trace_id: int) -> "_RequestIds":
        """For `with`: a trace that begins there has this id."""
        self._next = trace_id
        return self

    def __enter__(self) -> None:
        """See `next_is`."""

    def __exit__(self, *_: object) -> None:
        """See `next_is`."""
        self._next = None

    def generate_trace_id(self) -> int:
        """See the base class."""
        return super().generate_trace_id() if self._next is None else self._next


def _exporter(endpoint: str, ca_cert: Path | None) -> OTLPSpanExporter:
    session = requests.Session()
    # Neither a proxy nor another authority from the environment, and no going where the collector sends us.
    session.trust_env = False
    session.max_redirects = 0
    return OTLPSpanExporter(
        endpoint,
        certificate_file=None if ca_cert is None else str(ca_cert),
        timeout=SEND_SECONDS,
        compression=Compression.Gzip,
        session=session,
    )
