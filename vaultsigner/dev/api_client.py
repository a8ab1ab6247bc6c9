"""A person at the API: logs in, asks, and measures how long an answer takes."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp


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
        started = time.perf_counter()
        async with self.session.request(method, f"{self.url}{path}", headers=headers, **request) as response:
            body = await response.json()
            return ApiAnswer(response.status, body, response.headers, time.perf_counter() - started)
