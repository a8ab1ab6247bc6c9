"""A request as the handlers get it: its headers looked at, its body not yet."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import HttpVersion10, HttpVersion11, hdrs, web

from vaultsigner.domain.names import CertificateDigest, Operation, RequestId
from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.client_address import ClientAddresses
from vaultsigner.server.client_certificates import CLIENT_CERTIFICATE, read_client_certificate
from vaultsigner.signing.calls import NO_CREDENTIALS, Call, Credentials, IpAddress

API_KEY = "X-MBX-APIKEY"
OPEN_API_TOKEN = "X-Mp-Open-Api-Token"  # noqa: S105 - a header's name
PARTNER_SIGNATURE = "signature"
APPROVAL = "X-Vaultsigner-Approval"
OTHER_VERSION = Refusal("malformed_request", "Speak HTTP/1.1")
FRAGMENT = Refusal(
    "malformed_request", "A fragment (#) is never sent: write it as %23 where it belongs to a value"
)
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
    credentials: Credentials = NO_CREDENTIALS
    approval: str | None = None
    client_certificate: CertificateDigest | None = None

    def call(self, body: bytes = b"", *, sync: bool = True) -> Call:
        """The request in the pipeline's words. Signatures cover its query as it came, never as a library reads and writes it."""
        return Call(
            request_id=self.request_id,
            ip=self.ip,
            operation=self.operation,
            credentials=self.credentials,
            method=self.request.method,
            path=self.request.rel_url.raw_path,
            query=raw_query(self.request),
            body=body,
            sync=sync,
            approval=self.approval,
            client_certificate=self.client_certificate,
        )


def receive(
    request: web.Request,
    request_id: RequestId,
    operation: Operation,
    addresses: ClientAddresses,
    *,
    partner: bool = False,
) -> Received | Refusal:
    """Look at the headers that every request is judged by.

    Args:
        partner: whether its family is the one whose signatures stand in a header.
    """
    host = peer_host(request)
    ip = addresses.of(host, forwarded_for(request))
    if isinstance(ip, Refusal):
        return ip
    shown = request.headers.getall(CLIENT_CERTIFICATE, ()) if addresses.trusts(host) else ()
    certificate = read_client_certificate(shown)
    if isinstance(certificate, Refusal):
        return certificate
    credentials = _credentials(request, partner=partner)
    if isinstance(credentials, Refusal):
        return credentials
    approvals = request.headers.getall(APPROVAL, ())
    unusable = twice(APPROVAL) if len(approvals) > 1 else _ambiguous(request)
    if unusable is not None:
        return unusable
    approval = _text(approvals[0]) if approvals else None
    return Received(request, request_id, ip, operation, credentials, approval, certificate)


def raw_query(request: web.BaseRequest) -> bytes:
    """What follows the first question mark of the request target, byte for byte; nothing where there is none."""
    return request.raw_path.partition("?")[2].encode("utf-8", "surrogateescape")


def twice(header: str) -> Refusal:
    """Two headers of one name are two answers to who asks: a proxy may look at the other one."""
    return Refusal("malformed_request", f"The {header} header is there more than once")


def _credentials(request: web.BaseRequest, *, partner: bool) -> Credentials | Refusal:
    headers = request.headers
    names = [hdrs.AUTHORIZATION, API_KEY, OPEN_API_TOKEN, *([PARTNER_SIGNATURE] if partner else [])]
    found: list[str | None] = []
    for name in names:
        values = headers.getall(name, ())
        if len(values) > 1:
            return twice(name)
        found.append(_text(values[0]) if values else None)
    return Credentials(*found)


def _text(value: str) -> str:
    """A header's value without the escapes of bytes that are no UTF-8: these cannot be written to a socket or a record."""
    return value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _ambiguous(request: web.Request) -> Refusal | None:
    """What a proxy and we could cut, route or read differently.

    HTTP/1.0 knows no chunks (RFC 9112, section 6.1), and a coding below `chunked` is one more way to see two different bodies.
    """
    if request.version not in (HttpVersion11, HttpVersion10):
        return OTHER_VERSION
    if "#" in request.raw_path:
        return FRAGMENT
    if hdrs.TRAILER in request.headers:
        return TRAILER
    coding = request.headers.get(hdrs.TRANSFER_ENCODING)
    chunked = coding is None or (coding.strip().lower() == "chunked" and request.version == HttpVersion11)
    if not chunked:
        return ODD_TRANSFER
    encoded = request.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower() != "identity"
    return ENCODED_BODY if encoded else None


def forwarded_for(request: web.BaseRequest) -> Sequence[str]:
    """The values of the X-Forwarded-For headers, in order."""
    return request.headers.getall("X-Forwarded-For", ())


def peer_host(request: web.BaseRequest) -> str:
    """The connection's other end. A client that is gone already has none: the unspecified address stands for it."""
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    return peer[0] if isinstance(peer, tuple) else "0.0.0.0"  # noqa: S104 - a placeholder in a record, nothing binds to it
