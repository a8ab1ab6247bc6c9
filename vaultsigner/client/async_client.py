"""The client for programs with an event loop."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from vaultsigner.client.addresses import ClientCertificate, read_address
from vaultsigner.client.answers.audit import Record
from vaultsigner.client.asks import Ask
from vaultsigner.client.awaiting import AsyncConnections
from vaultsigner.client.calls import audit
from vaultsigner.client.credentials import Credentials
from vaultsigner.client.errors import SigningClientError
from vaultsigner.client.operations import Operations
from vaultsigner.client.plans import LogIn, Pause, Plan, Send, Step
from vaultsigner.client.reply import Reply
from vaultsigner.client.session import Session, machine_ms

T = TypeVar("T")


class AsyncSigningClient(Operations):
    """`SigningClient` for one event loop: the same names, parameters, answers and errors, each to be awaited.

    Close it with `await client.close()`, or use it with `async with`. Any number of tasks may share it.

    Args:
        all: see `SigningClient`.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials | None = None,
        *,
        recv_window_ms: int | None = None,
        timeout_seconds: float = 30.0,
        retry_seconds: float = 10.0,
        ca_file: str | Path | None = None,
        client_certificate: ClientCertificate | None = None,
        tls: ssl.SSLContext | None = None,
        allow_http: bool = False,
        partner_prefix: str = "/web3",
        clock_ms: Callable[[], int] = machine_ms,
    ) -> None:
        address = read_address(
            url, ca_file=ca_file, client_certificate=client_certificate, tls=tls, allow_http=allow_http
        )
        self._origin = address.origin
        self._session = Session(credentials, recv_window_ms, retry_seconds, clock_ms, partner_prefix)
        self._connections = AsyncConnections(address, timeout_seconds)
        self._logging_in = asyncio.Lock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._origin!r}, {self._session.credentials!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections. The client may be used again: it opens others."""
        await self._connections.close()

    @property
    def clock_offset_ms(self) -> int:
        """How much later it is at the service, as far as that was noticed; see `sync_time`."""
        return self._session.offset_ms

    async def audit_live(self) -> AsyncGenerator[Record, None]:
        """See `SigningClient.audit_live`; `async for record in client.audit_live()`."""
        async for line in self._lines(audit.live()):
            record = json.loads(line).get("record")
            if record is not None:
                yield record

    def audit_csv(self, **filters: audit.Filter) -> AsyncGenerator[str, None]:
        """See `SigningClient.audit_csv`; `async for line in client.audit_csv()`."""
        return self._lines(audit.csv(**filters))

    async def _lines(self, ask: Ask[None]) -> AsyncGenerator[str, None]:
        # A stream cannot be tried again in its middle: what could go wrong before it goes wrong here, where it can.
        await self.check()
        request = await self._run_async(self._session.dressed(ask))
        async with self._connections.lines(request) as found:
            if isinstance(found, Reply):
                raise self._session.refusal(ask, found)
            async for line in found:
                yield line

    async def _run_async(self, plan: Plan[T]) -> T:
        """Carry a plan out."""
        answer: Any = None
        failure: SigningClientError | None = None
        while True:
            try:
                step = plan.send(answer) if failure is None else plan.throw(failure)
            except StopIteration as done:
                found: T = done.value
                return found
            answer, failure = None, None
            try:
                answer = await self._take(step)
            except SigningClientError as error:
                failure = error

    async def _take(self, step: Step) -> Reply | None:
        match step:
            case Send(request):
                return await self._connections.send(request)
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case LogIn(is_needed, plan):
                async with self._logging_in:
                    if is_needed():
                        await self._run_async(plan())
        return None
