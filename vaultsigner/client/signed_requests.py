"""From what is asked to the request that goes out: the bytes that are signed are the bytes that are sent.

Sources: Binance's "Request Security" (query as sent, then body as sent); the published Open API script; the Web3 API
Specification V0.0.6 (the parameters as they read decoded). docs/signed-requests.md has what vaultsigner asks beside them.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from vaultsigner.client.asks import Ask, Proof, Request, spelled
from vaultsigner.client.credentials import (
    AccessToken,
    Credentials,
    OpenApiKey,
    PartnerKey,
    Password,
    RequestKey,
)
from vaultsigner.client.errors import CredentialsError, SigningClientError
from vaultsigner.client.moments import Moments

API_KEY_HEADER = "X-MBX-APIKEY"
OPEN_API_HEADER = "X-Mp-Open-Api-Token"
PARTNER_HEADER = "signature"
APPROVAL_HEADER = "X-Vaultsigner-Approval"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
USUAL_WINDOW_MS, FARTHEST_BACK_SECONDS = 5000, 30
"""What a signature's window is where nobody says, and half of a token's."""
USER_AGENT = "vaultsigner-client"


class CrowdedMomentError(SigningClientError):
    """Equal requests have used up every moment that one more could be of: it has to wait. Never leaves this package."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes requests in one caller's name.

    Args:
        now_ms: the service's time, as far as it is known; milliseconds since 1970.
        recv_window_ms: for how long a signature shall be good; None: what the service has for usual.
        moments: which timestamps were used.
    """

    credentials: Credentials | None
    now_ms: Callable[[], int] = field(repr=False)
    recv_window_ms: int | None = None
    moments: Moments = field(default_factory=Moments, repr=False)

    def request(self, ask: Ask[Any], token: str | None) -> Request:
        """The request, whole.

        Args:
            token: the access token of a user; None for everybody else.

        Raises:
            CredentialsError: the credentials cannot show what the request needs.
            CrowdedMomentError: equal requests have used up every moment that it could be of.
        """
        who = self.credentials
        match ask.proof:
            case Proof.NONE:
                return _bare(ask, {})
            case Proof.PARTNER:
                return self._by_partner(ask)
            case Proof.API_KEY if isinstance(who, RequestKey):
                return _bare(ask, {API_KEY_HEADER: who.api_key})
        if token is not None:
            return _bare(ask, {"Authorization": f"Bearer {token}"})
        if isinstance(who, RequestKey):
            return self._signed(ask, who)
        if isinstance(who, OpenApiKey):
            return self._by_token(ask, who)
        raise CredentialsError(f"{ask.method} {ask.path} needs credentials; there are {_named(who)}")

    def _signed(self, ask: Ask[Any], key: RequestKey) -> Request:
        """The signature is the last parameter, wherever the parameters are."""
        bound = () if ask.operation is None else (("operation", ask.operation),)
        window = () if self.recv_window_ms is None else (("recvWindow", str(self.recv_window_ms)),)
        plain = spelled((*ask.parameters, *bound, *window))
        body = ask.body or b""
        moment = self._moment(key.api_key.encode(), plain.encode() + body)
        text = f"{plain}&timestamp={moment}" if plain else f"timestamp={moment}"
        signed = f"{text}&signature={quote(key.sign(text.encode() + body), safe='')}"
        return _made(ask, signed, {API_KEY_HEADER: key.api_key})

    def _moment(self, caller: bytes, text: bytes) -> int:
        window = USUAL_WINDOW_MS if self.recv_window_ms is None else self.recv_window_ms
        moment = self.moments.take(caller, text, self.now_ms(), window // 2)
        if moment is None:
            raise CrowdedMomentError
        return moment

    def _by_token(self, ask: Ask[Any], key: OpenApiKey) -> Request:
        bare = _bare(ask, {})
        path, _, query = bare.target.partition("?")
        digest = open_api_digest(bare.method, path, query, bare.body)
        caller, now = key.access_key_id.encode(), self.now_ms() // 1000
        moment = self.moments.take(caller, digest.encode(), now, FARTHEST_BACK_SECONDS)
        if moment is None:
            raise CrowdedMomentError
        return Request(
            bare.method, bare.target, {**bare.headers, OPEN_API_HEADER: key.token(digest, moment)}, bare.body
        )

    def _by_partner(self, ask: Ask[Any]) -> Request:
        """The signature covers what a reader of the parameters sees, and stands in a header."""
        if not isinstance(self.credentials, PartnerKey):
            raise CredentialsError(
                f"{ask.path} needs a PartnerKey for credentials; there are {_named(self.credentials)}"
            )
        window = () if self.recv_window_ms is None else (("recvWindow", str(self.recv_window_ms)),)
        given = (*ask.parameters, *window)
        read = "&".join(f"{name}={value}" for name, value in given)
        moment = self._moment(b"", read.encode())
        text = f"{read}&timestamp={moment}" if read else f"timestamp={moment}"
        headers = {PARTNER_HEADER: self.credentials.sign(text.encode())}
        return _made(ask, spelled((*given, ("timestamp", str(moment)))), headers)


def open_api_digest(method: str, path: str, query: str, body: bytes) -> str:
    """`dig` of an Open API token: SHA-256 of method, path, query and the body's SHA-256, a line each."""
    lines = (method, path, query, hashlib.sha256(body).hexdigest())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _bare(ask: Ask[Any], headers: dict[str, str]) -> Request:
    return _made(ask, spelled(ask.parameters), headers)


def _made(ask: Ask[Any], text: str, headers: dict[str, str]) -> Request:
    """The request with its parameters as they stand: in the query, or as a form."""
    headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
    if ask.approval is not None:
        headers[APPROVAL_HEADER] = ask.approval
    for name, value in headers.items():
        # What sends them would refuse it as well, and quote the token or key.
        if not (value.isascii() and value.isprintable()):
            raise CredentialsError(
                f"{name} would hold what no header can: is there a line end in its source, or a letter with an accent?"
            )
    if ask.form:
        return Request(ask.method, ask.path, {**headers, "Content-Type": FORM}, text.encode())
    if ask.body is not None:
        headers["Content-Type"] = JSON
    return Request(ask.method, f"{ask.path}?{text}" if text else ask.path, headers, ask.body or b"")


def _named(credentials: Credentials | None) -> str:
    if isinstance(credentials, Password | AccessToken):
        return f"those of a user ({type(credentials).__name__}), and no token yet"
    return "none" if credentials is None else f"those of a {type(credentials).__name__}"
