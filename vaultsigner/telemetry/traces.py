"""Traces of requests for an OpenTelemetry collector, over OTLP/HTTP. Needs the extra `otel`.

A request's id and its trace's id are the same 128 bits, so that each is found by the other: a request id is a ULID (26 characters
of Crockford's base 32), a trace id is written in hexadecimal. Spans have names and attributes of ours alone; no exception gets
into one, for its text may quote what a caller sent. What callers say of traces of their own is not looked at.

The library sends spans; they are made here. Its own tracer asks samplers, limits, processors and contexts about each span, which
took longer than all that it measures.
"""

import threading
import time
from collections.abc import Mapping
from contextvars import ContextVar, Token
from pathlib import Path
from types import MappingProxyType

import requests
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

MOST_WAITING = 2048
"""Spans that wait to be sent; more are dropped: a collector that is away holds nobody up, and fills no memory."""
MOST_AT_ONCE = 512
EVERY_MILLISECONDS = 1000.0
SEND_SECONDS = 5.0
END_SECONDS = 3.0
"""How long the end of the service waits for the last spans to be sent."""
_DIGITS = str.maketrans("0123456789ABCDEFGHJKMNPQRSTVWXYZ", "0123456789ABCDEFGHIJKLMNOPQRSTUV")
"""Crockford's digits as those that Python reads numbers to the base of 32 from."""
_RANDOM_BITS = 64
"""Those of a trace's id that decide whether it is followed, as the library's own `TraceIdRatioBased` has it."""
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})
_WELL, _FAILED = Status(StatusCode.UNSET), Status(StatusCode.ERROR)


def trace_id_of(request_id: str) -> int:
    """The number that a request id spells."""
    return int(request_id.translate(_DIGITS), 32)


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
        self._bound = round(sample_ratio * 2**_RANDOM_BITS)
        self._outbox = _Outbox(
            BatchSpanProcessor(
                _exporter(endpoint, ca_cert),
                max_queue_size=MOST_WAITING,
                schedule_delay_millis=EVERY_MILLISECONDS,
                max_export_batch_size=MOST_AT_ONCE,
                export_timeout_millis=SEND_SECONDS * 1000,
            ),
            version,
        )

    def begin(self, request_id: str) -> "RequestTrace | None":
        """See `Tracing`."""
        trace_id = trace_id_of(request_id)
        followed = trace_id & 2**_RANDOM_BITS - 1 < self._bound
        return RequestTrace(self._outbox, trace_id, request_id) if followed else None

    def close(self) -> None:
        """Send what waits, for some seconds at most. Blocks."""
        # The library's own end waits for a collector that does not answer.
        ending = threading.Thread(target=self._outbox.processor.shutdown, name="traces", daemon=True)
        ending.start()
        ending.join(END_SECONDS)


class RequestTrace:
    """One request's spans; see `Trace`."""

    __slots__ = ("_began_ns", "_outbox", "_request_id", "_root")

    def __init__(self, outbox: "_Outbox", trace_id: int, request_id: str) -> None:
        self._outbox = outbox
        self._request_id = request_id
        self._root = outbox.span_context(trace_id)
        self._began_ns = time.time_ns()

    def begin(self, name: str) -> "_Step":
        """See `Trace`."""
        known = _INNER.get()
        parent = self._root if known is None or known[0] is not self else known[1]
        context = self._outbox.span_context(parent.trace_id)
        return _Step(self._outbox, name, context, parent, _INNER.set((self, context)))

    def end(self, name: str, facts: Mapping[str, str], *, failed: bool) -> None:
        """See `Trace`."""
        attributes = {f"vaultsigner.{fact}": value for fact, value in facts.items()}
        attributes["vaultsigner.request_id"] = self._request_id
        self._outbox.put(
            name, self._root, self._began_ns, failed=failed, attributes=attributes, kind=SpanKind.SERVER
        )


_Inner = tuple[RequestTrace, SpanContext] | None
_INNER: ContextVar[_Inner] = ContextVar("span", default=None)
"""The step that this task has begun last, and whose: several tasks may take steps of one request at once."""


class _Step:
    __slots__ = ("_began_ns", "_context", "_name", "_outbox", "_parent", "_token")

    def __init__(
        self, outbox: "_Outbox", name: str, context: SpanContext, parent: SpanContext, token: Token[_Inner]
    ) -> None:
        self._outbox = outbox
        self._name = name
        self._context = context
        self._parent = parent
        self._token = token
        self._began_ns = time.time_ns()

    def end(self, *, failed: bool) -> None:
        """See `Span`."""
        _INNER.reset(self._token)
        self._outbox.put(self._name, self._context, self._began_ns, failed=failed, parent=self._parent)


class _Outbox:
    """Makes spans of what has ended, and hands them to the library."""

    __slots__ = ("_new_span_id", "_resource", "_scope", "processor")

    def __init__(self, processor: BatchSpanProcessor, version: str) -> None:
        self.processor = processor
        self._resource = _OneResource({"service.name": "vaultsigner", "service.version": version})
        self._scope = InstrumentationScope("vaultsigner", version)
        self._new_span_id = RandomIdGenerator().generate_span_id

    def span_context(self, trace_id: int) -> SpanContext:
        """Of a new span."""
        return SpanContext(trace_id, self._new_span_id(), is_remote=False, trace_flags=_SAMPLED)

    def put(
        self,
        name: str,
        context: SpanContext,
        began_ns: int,
        *,
        failed: bool,
        parent: SpanContext | None = None,
        attributes: Mapping[str, str] = _NO_ATTRIBUTES,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> None:
        """It ends now."""
        span = Ended(name, context, parent, kind=kind, attributes=attributes, failed=failed)
        span.start_time, span.end_time = began_ns, time.time_ns()
        span.resource, span.instrumentation_scope = self._resource, self._scope
        self.processor.on_end(span)


class Ended(ReadableSpan):
    """All that the library asks of a span that it sends, as plain members; of its own it copies each anew, time and again."""

    # Slots, or the base class's properties of the same names would be found.
    __slots__ = (
        *("name", "context", "parent", "kind", "attributes", "status", "start_time", "end_time"),
        *("resource", "instrumentation_scope"),
    )
    name: str
    context: SpanContext
    parent: SpanContext | None
    kind: SpanKind
    attributes: Mapping[str, str]
    status: Status
    start_time: int
    end_time: int
    resource: Resource
    instrumentation_scope: InstrumentationScope
    events = ()
    links = ()
    dropped_attributes = dropped_events = dropped_links = 0

    def __init__(
        self,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        *,
        kind: SpanKind,
        attributes: Mapping[str, str],
        failed: bool,
    ) -> None:
        self.name = name
        self.context = context
        self.parent = parent
        self.kind = kind
        self.attributes = attributes
        self.status = _FAILED if failed else _WELL

    def get_span_context(self) -> SpanContext:
        """See the base class."""
        return self.context


class _OneResource(Resource):
    """What all spans have in common. The library asks for its hash once a span, and makes JSON of it each time."""

    __hash__ = object.__hash__


def _exporter(endpoint: str, ca_cert: Path | None) -> OTLPSpanExporter:
    session = requests.Session()
    # No proxy from the environment, and no going where the collector sends us. The library reads its own variables for headers
    # (a collector's key) and certificates: whoever starts the service sets those.
    session.trust_env = False
    session.max_redirects = 0
    return OTLPSpanExporter(
        endpoint,
        certificate_file=None if ca_cert is None else str(ca_cert),
        timeout=SEND_SECONDS,
        compression=Compression.Gzip,
        session=session,
    )
