"""A request as the handlers get it: its headers looked at, its body not yet."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import HttpVersion10, HttpVersion11, hdrs, web

from vaultsigner.domain.names import Operation, RequestId
from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.client_address import ClientAddresses
from vaultsigner.signing.calls import Call, Credentials, IpAddress

TWO_AUTHORIZATIONS = Refusal("malformed_request", "The Authorization header is there more than once")
OTHER_VERSION = Refusal("malformed_request", "Speak HTTP/1.1")
FRAGMENT = Refusal("malformed_request", "A path with a fragment (#) is never sent")
ODD_TRANSFER = Refusal("malformed_request", "The only Transfer-Encoding that is understood is chunked")
TRAILER = Refusal("malformed_request", "Trailer fields are not read: send them as headers")
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
        return Call(
            self.request_id, self.ip, self.operation, Credentials(self.authorization), body=body, sync=sync
        )


def receive(
    request: web.Request, request_id: RequestId, operation: Operation, addresses: ClientAddresses
) -> Received | Refusal:
    """Look at the headers that every request is judged by."""
    headers = request.headers
    ip = addresses.of(peer_host(request), forwarded_for(request))
    if isinstance(ip, Refusal):
        return ip
    authorizations = headers.getall(hdrs.AUTHORIZATION, ())
    if len(authorizations) > 1:
        return TWO_AUTHORIZATIONS
    ambiguous = _ambiguous(request)
    if ambiguous is not None:
        return ambiguous
    if headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower() != "identity":
        return ENCODED_BODY
    return Received(request, request_id, ip, operation, authorizations[0] if authorizations else None)


def _ambiguous(request: web.Request) -> Refusal | None:
    """What a proxy and we could cut or route differently.

    HTTP/1.0 knows no chunks (RFC 9112, section 6.1), and a coding below `chunked` is one more way to see two different bodies.
    """
    if request.version not in (HttpVersion11, HttpVersion10):
        return OTHER_VERSION
    if request.rel_url.raw_fragment:
        return FRAGMENT
    if hdrs.TRAILER in request.headers:
        return TRAILER
    coding = request.headers.get(hdrs.TRANSFER_ENCODING)
    if coding is None:
        return None
    chunked = coding.strip().lower() == "chunked" and request.version == HttpVersion11
    return None if chunked else ODD_TRANSFER


def forwarded_for(request: web.BaseRequest) -> Sequence[str]:
    """The values of the X-Forwarded-For headers, in order."""
    return request.headers.getall("X-Forwarded-For", ())


def peer_host(request: web.BaseRequest) -> str:
    """The connection's other end. A client that is gone already has none: the unspecified address stands for it."""
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    return peer[0] if isinstance(peer, tuple) else "0.0.0.0"  # noqa: S104 - a placeholder in a record, nothing binds to it
