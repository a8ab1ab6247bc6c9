"""Requests signed with HMAC as Binance's clients sign them, whole and ready to be sent."""

import hashlib
import hmac
import itertools
import time
from dataclasses import dataclass, field

from benchmarks.load import get, post

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Signer:
    """A client with a shared secret."""

    api_key: str
    secret: str = field(repr=False)

    def query(self, body: bytes = b"", *, age_ms: int = 0) -> str:
        """A query of this moment, or of some time ago, that was never signed before."""
        moment = time.time_ns() // 1_000_000 - age_ms
        text = f"number={next(_numbers)}&timestamp={moment}"
        signature = hmac.new(self.secret.encode(), text.encode() + body, hashlib.sha256).hexdigest()
        return f"{text}&signature={signature}"

    def post(self, path: str, host: str, body: bytes) -> bytes:
        """A POST request."""
        headers = [f"X-MBX-APIKEY: {self.api_key}", "Content-Type: application/json"]
        return post(f"{path}?{self.query(body)}", host, body, headers)

    def get(self, path: str, host: str, *, age_ms: int = 0) -> bytes:
        """A GET request."""
        return get(f"{path}?{self.query(age_ms=age_ms)}", host, [f"X-MBX-APIKEY: {self.api_key}"])
