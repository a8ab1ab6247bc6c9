"""Callers of the API: a person who logs in, a bot that signs each request. Both measure how long an answer takes."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp
from yarl import URL

from vaultsigner.client import HmacKey
from vaultsigner.client.asks import Ask
from vaultsigner.client.reply import Reply
from vaultsigner.client.session import machine_ms
from vaultsigner.client.signed_requests import Signer


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """What came back. `body` is the JSON document."""

    status: int
    body: Any
    headers: Mapping[str, str]
    seconds: float

    @property
    def request_id(self) -> str:
        """What the records call this request."""
        return self.headers.get("X-Request-Id", "")

    @property
    def decision(self) -> str:
        """Which rule allowed it, under which policy, and where the record is."""
        return self.headers.get("X-Vaultsigner-Decision", "")


class Caller(Protocol):
    """Whoever may ask for a signature."""

    async def post(self, path: str, body: object) -> ApiAnswer:
        """POST a JSON document."""


@dataclass(slots=True)
class ApiClient:
    """One user of one service."""

    session: aiohttp.ClientSession
    url: str
    token: str = field(default="", repr=False)

    async def log_in(self, username: str, password: str) -> ApiAnswer:
        """Exchange the password for a token, kept for what follows."""
        answer = await self.post("/api/auth/login", {"username": username, "password": password})
        if answer.status == 200:
            self.token = answer.body["access_token"]
        return answer

    async def post(self, path: str, body: object) -> ApiAnswer:
        """POST a JSON document."""
        return await self._ask("POST", path, json=body)

    async def get(self, path: str) -> ApiAnswer:
        """GET a JSON document."""
        return await self._ask("GET", path)

    async def _ask(self, method: str, path: str, **request: Any) -> ApiAnswer:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return await _timed(self.session, method, f"{self.url}{path}", headers=headers, **request)


@dataclass(slots=True)
class SigningBot:
    """A client that signs each request with HMAC, as Binance's own clients do."""

    session: aiohttp.ClientSession
    url: str
    api_key: str
    secret: str = field(repr=False)
    _signer: Signer = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._signer = Signer(HmacKey(self.api_key, self.secret), machine_ms)

    async def post(self, path: str, body: object) -> ApiAnswer:
        """POST a JSON document; the signature covers the query and the body's very bytes, and no other operation."""
        operation = path.removeprefix("/api/").replace("/", ".")
        data = json.dumps(body).encode()
        return await self._send(Ask("POST", path, lambda reply: reply, body=data, operation=operation))

    async def forward(self, exchange: str, path: str, parameters: Mapping[str, str]) -> ApiAnswer:
        """POST to an exchange through the service, as libraries do it: parameters, time and signature in the query."""
        route = f"/exchange/{exchange}{path}"
        return await self._send(Ask("POST", route, lambda reply: reply, tuple(parameters.items())))

    async def _send(self, ask: Ask[Reply]) -> ApiAnswer:
        request = self._signer.request(ask, None)
        target = URL(f"{self.url}{request.target}", encoded=True)
        return await _timed(self.session, request.method, target, headers=request.headers, data=request.body)


async def _timed(session: aiohttp.ClientSession, method: str, url: str | URL, **request: Any) -> ApiAnswer:
    started = time.perf_counter()
    async with session.request(method, url, **request) as response:
        body = await response.json()
        return ApiAnswer(response.status, body, response.headers, time.perf_counter() - started)
