"""Requests signed with HMAC as Binance's clients sign them, whole and ready to be sent."""

import base64
import hashlib
import hmac
import itertools
import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import quote

from benchmarks.load import get, post

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Signer:
    """A client with a shared secret."""

    api_key: str
    secret: str = field(repr=False)

    def query(self, body: bytes = b"", *, age_ms: int = 0) -> str:
        """A query of this moment, or of some time ago, that was never signed before."""
        return self._signed(_unsigned(age_ms), body)

    def post(self, path: str, host: str, body: bytes) -> bytes:
        """A POST request."""
        headers = [f"X-MBX-APIKEY: {self.api_key}", "Content-Type: application/json"]
        return post(f"{path}?{self.query(body)}", host, body, headers)

    def post_order(self, path: str, host: str, parameters: str) -> bytes:
        """A POST request for an exchange: all in the query, and what makes it one of its kind is the order's own id."""
        query = self._signed(f"{parameters}&newClientOrderId=b{next(_numbers)}&timestamp={_now_ms()}")
        return post(f"{path}?{query}", host, b"", [f"X-MBX-APIKEY: {self.api_key}"])

    def get(self, path: str, host: str, *, age_ms: int = 0) -> bytes:
        """A GET request."""
        return get(f"{path}?{self.query(age_ms=age_ms)}", host, [f"X-MBX-APIKEY: {self.api_key}"])

    def _signed(self, query: str, body: bytes = b"") -> str:
        signature = hmac.new(self.secret.encode(), query.encode() + body, hashlib.sha256).hexdigest()
        return f"{query}&signature={signature}"


@dataclass(frozen=True, slots=True)
class RsaForger:
    """Somebody who knows the API key of a client with 2048 bits of RSA, and nothing else."""

    api_key: str

    def get(self, path: str, host: str) -> bytes:
        """A GET request with a signature of the right length."""
        signature = quote(base64.b64encode(b"\0" + secrets.token_bytes(255)), safe="")
        query = f"{_unsigned(0)}&signature={signature}"
        return get(f"{path}?{query}", host, [f"X-MBX-APIKEY: {self.api_key}"])


def _unsigned(age_ms: int) -> str:
    return f"number={next(_numbers)}&timestamp={_now_ms() - age_ms}"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
