"""The outermost layer: every request gets its id here, and every refusal of the HTTP layer its record and its shape.

It stands around the whole aiohttp application rather than in its middlewares, so that what the router and the library refuse
by themselves passes through it too.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType

import structlog
from aiohttp import web

from vaultsigner.domain.names import Operation, RequestId
from vaultsigner.domain.refusals import Refusal
from vaultsigner.server import statuses
from vaultsigner.server.bodies import discard_body
from vaultsigner.server.client_address import ClientAddresses
from vaultsigner.server.families import Families, Family
from vaultsigner.server.measuring import begin, finish, note_outcome, note_response, outcome_of
from vaultsigner.server.pipeline import Pipeline
from vaultsigner.server.received import Received, forwarded_for, peer_host, receive
from vaultsigner.server.request_ids import fresh_request_id
from vaultsigner.server.streaming import streamed_response
from vaultsigner.server.wiping import wipe_unread
from vaultsigner.signing.calls import Answer, Call, Streamed

log = structlog.get_logger(__name__)

Endpoint = Callable[[Pipeline, Received], Awaitable[Answer | Streamed | Refusal]]
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

PIPELINE: web.AppKey[Pipeline] = web.AppKey("pipeline", Pipeline)
ADDRESSES: web.AppKey[ClientAddresses] = web.AppKey("addresses", ClientAddresses)
FAMILIES: web.AppKey[Families] = web.AppKey("families", Families)
REQUEST_ID: web.RequestKey[RequestId] = web.RequestKey("request_id")
OPERATION: web.RequestKey[Operation] = web.RequestKey("operation")

NO_HEADERS: Mapping[str, str] = MappingProxyType({})
UNROUTED = Operation("http.request")
"""The operation of a request that matches no route."""
NOT_FOUND = Refusal("not_found", "Not Found")
NOT_HTTP = Refusal(
    "malformed_request", "The request is not well-formed HTTP/1.1", reason="not well-formed HTTP/1.1"
)
INTERNAL_ERROR = Refusal("internal_error", "Internal Server Error")
LIBRARY_REFUSALS: Mapping[str, Refusal] = MappingProxyType(
    {
        "not_found": NOT_FOUND,
        "method_not_allowed": Refusal("method_not_allowed", "Method Not Allowed"),
        "expectation_failed": Refusal(
            "expectation_failed", "The only Expect that is understood is 100-continue"
        ),
    }
)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
OTHER_METHOD = "other"
"""What the record has for a method that HTTP does not define: whoever asks may write what they want there, a secret too."""
_RESPELT = re.compile(r"%(?:2[DE]|5F|7E|3[0-9]|4[1-9A-F]|5[0-9A]|6[1-9A-F]|7[0-9A]|(?![0-9A-F]{2}))")
"""An encoded character that needs no encoding, or no encoding in upper case: another spelling (RFC 3986, sections 2.1, 2.3)."""


def endpoint_handler(
    path: str, operation: Operation, endpoint: Endpoint, family: Family
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Make an aiohttp handler for one path of one of our endpoints, whose literal parts are in small letters."""
    literal, variable, _ = path.partition("{")

    async def handle(request: web.Request) -> web.StreamResponse:
        # aiohttp matches /api/order/%73ign, too. A proxy's path rule would not: one name, one spelling.
        start, rest = request.rel_url.raw_path[: len(literal)], request.rel_url.raw_path[len(literal) :]
        if start != literal or (_RESPELT.search(rest) if variable else rest):
            raise web.HTTPNotFound
        request[OPERATION] = operation
        app = request.app
        received = receive(
            request, request[REQUEST_ID], operation, app[ADDRESSES], partner=family.signature_header
        )
        if isinstance(received, Refusal):
            return await refuse(app, request, received, forwarded_for=forwarded_for(request))
        outcome = await endpoint(app[PIPELINE], received)
        note_outcome(app, request, operation, outcome_of(outcome))
        if isinstance(outcome, Streamed):
            return await streamed_response(request, outcome, received.request_id)
        if isinstance(outcome, Answer):
            return family.answer(outcome, received.request_id)
        return family.refusal(outcome, received.request_id, NO_HEADERS)

    return handle


async def refuse(
    app: web.Application,
    request: web.BaseRequest,
    refusal: Refusal,
    *,
    forwarded_for: Sequence[str] = (),
    headers: Mapping[str, str] = NO_HEADERS,
) -> web.Response:
    """Record a refusal of the HTTP layer, then answer it; what could not be recorded is answered as that."""
    await discard_body(request)
    addresses, host = app[ADDRESSES], peer_host(request)
    ip = addresses.of(host, forwarded_for)
    call = Call(
        request_id=request[REQUEST_ID],
        ip=addresses.peer(host) if isinstance(ip, Refusal) else ip,
        operation=request.get(OPERATION, UNROUTED),
        method=request.method if request.method in _METHODS else OTHER_METHOD,
    )
    recorded = await app[PIPELINE].refused(call, refusal)
    note_outcome(app, request, call.operation, recorded.code)
    return app[FAMILIES].at(request.path).refusal(recorded, call.request_id, headers)


class Edge:
    """Wraps an application's own handler.

    Args:
        app: the application, whose pipeline records the refusals.
        handle: the application's handler.
    """

    def __init__(self, app: web.Application, handle: Handler) -> None:
        self._app = app
        self._handle = handle

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, whatever happens."""
        self._begin(request)
        try:
            response = await self._handle(request)
        except web.HTTPException as error:
            return await self._answer_library(request, error)
        except Exception as error:  # noqa: BLE001 - the process's edge: a defect becomes a record and a 500 without detail
            return await self._answer_defect(request, error)
        else:
            note_response(self._app, request, response)
            return response
        finally:
            wipe_unread(request.content)
            finish(self._app, request)

    async def answer_broken(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer what the parser could not read: there are no headers. The library's message would quote it, and is dropped."""
        self._begin(request)
        try:
            return await refuse(self._app, request, NOT_HTTP)
        finally:
            finish(self._app, request)

    def last_resort(self, request: web.BaseRequest) -> web.Response:
        """The answer when even answering failed; its log line is all that is left of it."""
        family = self._app[FAMILIES].at(request.path)
        response = family.refusal(INTERNAL_ERROR, fresh_request_id(), NO_HEADERS)
        response.force_close()
        return response

    def _begin(self, request: web.BaseRequest) -> None:
        request_id = request[REQUEST_ID] = fresh_request_id()
        begin(self._app, request, request_id)

    async def _answer_library(self, request: web.BaseRequest, error: web.HTTPException) -> web.Response:
        refusal = LIBRARY_REFUSALS.get(statuses.code_of(error.status), NOT_HTTP)
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        families = self._app[FAMILIES]
        if families.on_record(request.path):
            return await refuse(
                self._app, request, refusal, forwarded_for=forwarded_for(request), headers=headers
            )
        await discard_body(request)
        note_outcome(self._app, request, UNROUTED, refusal.code)
        return families.at(request.path).refusal(refusal, request[REQUEST_ID], headers)

    async def _answer_defect(self, request: web.BaseRequest, error: Exception) -> web.Response:
        log.error("unexpected exception", request_id=request[REQUEST_ID], exc_info=error)
        return await refuse(self._app, request, INTERNAL_ERROR, forwarded_for=forwarded_for(request))
