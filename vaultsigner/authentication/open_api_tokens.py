"""Open API tokens: a JWT, HMAC-SHA256 over issuer, digest of the request and time (header X-Mp-Open-Api-Token). Pure.

Source: the signing script of Binance's Mini Program Open API. What it leaves open is refused: other algorithms, other members,
other spellings.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field

from vaultsigner.authentication.request_signatures import Secret, hmac_digest_fits
from vaultsigner.authentication.strict_jwt import read_strict_jwt, seconds_claim, text_claim

OLDEST_MS = 60_000
AHEAD_MS = 5_000
_HEADER = {"alg": "HS256", "typ": "JWT"}
_REQUIRED = {"iss", "dig", "ts"}
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class OpenApiToken:
    """A token whose signature nobody has looked at yet.

    Args:
        iss: the client's key id.
        dig: what it says of the request: 64 lower-case hex digits.
        ts: when it was made, seconds since 1970.
        exp: from when on it is not to be accepted, seconds since 1970; None where it does not say.
        signing_input: the bytes that the signature must cover.
        signature: decoded.
    """

    iss: str
    dig: str
    ts: int
    exp: int | None
    signing_input: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    @property
    def expires_at_ms(self) -> int:
        """The last millisecond at which it can be accepted; its nonce may be forgotten after it."""
        return self.ts * 1000 + OLDEST_MS

    def nonce(self, client: str) -> bytes:
        """What may count once: the same request at the same second is the same, whatever the order of the members."""
        return hashlib.sha256(f"{client}\0{self.dig}\0{self.ts}".encode()).digest()

    def covers(self, method: str, path: str, query: bytes, body: bytes) -> bool:
        """Whether it was made for this request."""
        return any(
            hmac.compare_digest(digest.encode(), self.dig.encode())
            for digest in request_digests(method, path, query, body)
        )

    def is_timely(self, now_ms: int) -> bool:
        """Whether it is good at this time: within the window, and before `exp` where it has one."""
        return in_open_api_window(self.ts, now_ms) and (self.exp is None or now_ms < self.exp * 1000)


def read_open_api_token(token: str) -> OpenApiToken | str:
    """The token's parts, or the reason why it is none (for the record; callers are told nothing).

    Args:
        token: as it stood in its header.
    """
    read = read_strict_jwt(token)
    if isinstance(read, str):
        return read
    # Compared as text: no member of a header that matches can be a number or an object.
    if read.header != _HEADER:
        return "another algorithm or type of token"
    if not read.claims.keys() >= _REQUIRED or read.claims.keys() - _REQUIRED - {"exp"}:
        return "the token has other claims than iss, dig, ts and exp"
    iss, dig, ts = (
        text_claim(read.claims["iss"]),
        text_claim(read.claims["dig"]),
        seconds_claim(read.claims["ts"]),
    )
    exp = seconds_claim(read.claims["exp"]) if "exp" in read.claims else None
    if not iss or not dig or not _DIGEST.fullmatch(dig):
        return "the token has no sane issuer or digest"
    if ts is None or ("exp" in read.claims and exp is None):
        return "the token has no sane time"
    return OpenApiToken(iss, dig, ts, exp, read.signing_input, read.signature)


def open_api_token_fits(secret: Secret, token: OpenApiToken) -> bool:
    """Whether the token was signed with this secret, which is not copied."""
    return hmac_digest_fits(secret, token.signing_input, token.signature)


def request_digests(method: str, path: str, query: bytes, body: bytes) -> tuple[str, ...]:
    """What a token for this request may have as `dig`: for the path as sent, and with a closing slash.

    The published script signs the path with a slash that it then does not send. A line end, which HTTP has in none of the
    three, would let one text stand for two requests: no digest fits then.

    Args:
        method, path, query: as sent, the path and query still percent-encoded.
        body: as sent.
    """
    if _has_line_end(method, path, query):
        return ()
    body_digest = hashlib.sha256(body).hexdigest()
    paths = (path,) if path.endswith("/") else (path, f"{path}/")
    return tuple(_digest(method, one, query, body_digest) for one in paths)


def canonical_digest(method: str, path: str, query: bytes, body: bytes) -> str:
    """The `dig` of a request with exactly this path.

    Args:
        method, path, query, body: as for `request_digests`.

    Raises:
        ValueError: one of the first three has a line end.
    """
    if _has_line_end(method, path, query):
        raise ValueError("a line end in a request line")
    return _digest(method, path, query, hashlib.sha256(body).hexdigest())


def in_open_api_window(ts_seconds: int, now_ms: int) -> bool:
    """Not older than a minute, not more than five seconds ahead."""
    return -AHEAD_MS <= now_ms - ts_seconds * 1000 <= OLDEST_MS


def _has_line_end(method: str, path: str, query: bytes) -> bool:
    return "\n" in method or "\n" in path or b"\n" in query


def _digest(method: str, path: str, query: bytes, body_digest: str) -> str:
    head = f"{method}\n{path}\n".encode("utf-8", "surrogatepass")
    return hashlib.sha256(head + query + f"\n{body_digest}".encode()).hexdigest()
