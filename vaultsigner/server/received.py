"""A request as the handlers get it: its headers looked at, its body not yet."""

from dataclasses import dataclass

from aiohttp import hdrs, web

from vaultsigner.domain.names import Operation, RequestId
from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.client_address import ClientAddresses
from vaultsigner.signing.calls import Call, IpAddress

TWO_AUTHORIZATIONS = Refusal("malformed_request", "The Authorization header is there more than once")
ENCODED_BODY = Refusal("unsupported_encoding", "Send the body as it is: no Content-Encoding is accepted")


@dataclass(frozen=True, slots=True)
class Received:
    """A request, who sent it, and what its route means."""

    request: web.Request
    request_id: RequestId
    ip: IpAddress
    operation: Operation
    authorization: str | None = None

    def call(self, body: bytes = b"", *, sync: bool = True) -> Call:
        """The request in the pipeline's words."""
        return Call(self.request_id, self.ip, self.operation, self.authorization, body, sync)


def receive(
    request: web.Request, request_id: RequestId, operation: Operation, addresses: ClientAddresses
) -> Received | Refusal:
    """Look at the headers that every request is judged by."""
    headers = request.headers
    forwarded_for = headers.getall("X-Forwarded-For", ())
    ip = addresses.of(peer_host(request), forwarded_for)
    if isinstance(ip, Refusal):
        return ip
    authorizations = headers.getall(hdrs.AUTHORIZATION, ())
    if len(authorizations) > 1:
        return TWO_AUTHORIZATIONS
    if headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower() != "identity":
        return ENCODED_BODY
    return Received(request, request_id, ip, operation, authorizations[0] if authorizations else None)


def peer_host(request: web.BaseRequest) -> str:
    """The connection's other end. A client that is gone already has none: the unspecified address stands for it."""
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    return peer[0] if isinstance(peer, tuple) else "0.0.0.0"  # noqa: S104 - a placeholder in a record, nothing binds to it
