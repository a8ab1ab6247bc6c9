"""What a request counts as: its family of routes, what was asked for, how it ended. Every word is one of ours."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Protocol

from aiohttp import web

from vaultsigner.domain.names import RequestId
from vaultsigner.domain.refusals import Refusal
from vaultsigner.policy.operations import OPERATIONS
from vaultsigner.server import statuses
from vaultsigner.signing.calls import Answer, Streamed
from vaultsigner.telemetry.metrics import NONE
from vaultsigner.telemetry.passages import Passage, Trace
from vaultsigner.telemetry.requests import UNKNOWN_OUTCOME, RequestMeter

UNROUTED_OPERATION = "http.request"
PUBLIC_OPERATION = "exchange.public"
DOCUMENTS = "documents"
"""The family of pages and files for people."""
ABANDONED = "abandoned"
"""How a request ended that nobody waits for any more."""
UPSTREAM_REFUSED, UPSTREAM_FAILED = "upstream_refused", "upstream_failed"
"""How an exchange's own answer counts: 4xx, and 5xx."""

_FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        **{kind: kind for kind in ("exchange", "open_api", "partner")},
        **dict.fromkeys(("approval", "suspension", "policy", "audit", "limit"), "control"),
        "root": DOCUMENTS,
        "http": NONE,
    }
)
_SIGNING = "signing"


class Tracing(Protocol):
    """Follows requests, for whoever is to see where their time goes."""

    def begin(self, request_id: str) -> Trace | None:
        """A request has come in. None: this one is not followed."""


METER: web.AppKey[RequestMeter] = web.AppKey("meter", RequestMeter)
TRACING: web.AppKey[Tracing] = web.AppKey("tracing", Tracing)
PASSAGE: web.RequestKey[Passage] = web.RequestKey("passage", Passage)


def request_meter(operations: Collection[str]) -> RequestMeter:
    """Counts requests for these operations of routes, and what policies decide on."""
    known = {*operations, *OPERATIONS, UNROUTED_OPERATION, PUBLIC_OPERATION}
    return RequestMeter(
        operations=known,
        outcomes={*statuses.STATUS_FOR_CODE, ABANDONED, UPSTREAM_REFUSED, UPSTREAM_FAILED, UNKNOWN_OUTCOME},
        families={*map(family_of, known), DOCUMENTS},
    )


def family_of(operation: str) -> str:
    """The family of routes that an operation belongs to."""
    kind = operation.partition(".")[0]
    return _FAMILIES.get(kind, _SIGNING)


def outcome_of(answer: Answer | Streamed | Refusal) -> str:
    """In one word how a request ended."""
    if not isinstance(answer, Streamed):
        return answer.code
    if not answer.outcome_known:
        return UNKNOWN_OUTCOME
    if answer.status < 400:
        return "ok"
    return UPSTREAM_FAILED if statuses.is_our_fault(answer.status) else UPSTREAM_REFUSED


def begin(app: web.Application, request: web.BaseRequest, request_id: RequestId) -> None:
    """A request has come in; `finish` is called in the same task."""
    tracing = app.get(TRACING)
    trace = None if tracing is None else tracing.begin(request_id)
    request[PASSAGE] = app[METER].begin(trace)


def note_outcome(app: web.Application, request: web.BaseRequest, operation: str, outcome: str) -> None:
    """How it ended is known. What follows, such as a stream's pieces, counts for nothing."""
    family = family_of(operation)
    if operation == UNROUTED_OPERATION and outcome == "ok":
        family = DOCUMENTS
    failed = outcome in (UPSTREAM_FAILED, ABANDONED) or statuses.is_our_fault(
        statuses.status_of(outcome, operation)
    )
    app[METER].end(request[PASSAGE], family, operation, outcome, failed=failed)


def note_response(app: web.Application, request: web.BaseRequest, response: web.StreamResponse) -> None:
    """The same for what has none of our outcomes: a page, a file."""
    outcome = "ok" if response.status < 400 else statuses.code_of(response.status)
    note_outcome(app, request, UNROUTED_OPERATION, outcome)


def finish(app: web.Application, request: web.BaseRequest) -> None:
    """The request is over, whatever came of it."""
    note_outcome(app, request, UNROUTED_OPERATION, ABANDONED)
    request[PASSAGE].leave()
