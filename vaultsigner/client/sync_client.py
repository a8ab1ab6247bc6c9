"""The client for programs that wait."""

import json
import ssl
import time
from collections.abc import Callable, Generator
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self, TypeVar

from vaultsigner.client.addresses import ClientCertificate, read_address
from vaultsigner.client.answers.audit import Record
from vaultsigner.client.asks import Ask
from vaultsigner.client.blocking import Connections
from vaultsigner.client.calls import audit
from vaultsigner.client.credentials import Credentials
from vaultsigner.client.errors import SigningClientError
from vaultsigner.client.operations import Operations
from vaultsigner.client.plans import LogIn, Pause, Plan, Send, Step
from vaultsigner.client.reply import Reply
from vaultsigner.client.session import Session, machine_ms

T = TypeVar("T")


class SigningClient(Operations):
    """One caller of one service. Threads may share it. Close it, or use it as a context manager.

    Args:
        url: https://host, with a port if need be; plain http to this machine alone, see `allow_http`.
        credentials: who asks; None for what is public.
        recv_window_ms: for how long a signature shall be good, at most 60000 (a partner's 10000); None: 5000, as is usual.
        timeout_seconds: to connect, and then for each wait for bytes.
        retry_seconds: for how long what may be tried again is tried again, see `vaultsigner.client.session`; 0: never.
        ca_file: certificates (PEM) to trust instead of the system's.
        client_certificate: where the proxy in front of the service asks for one.
        tls: instead of these two, all of it.
        allow_http: plain HTTP to other machines, too: inside a network that nobody else hears.
        partner_prefix: `partner.url_prefix` of config.yml.
        clock_ms: the time, in milliseconds since 1970.
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
        self._connections = Connections(address, timeout_seconds)
        self._logging_in = Lock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._origin!r}, {self._session.credentials!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. The client may be used again: it opens others."""
        self._connections.close()

    @property
    def clock_offset_ms(self) -> int:
        """How much later it is at the service, as far as that was noticed; see `sync_time`."""
        return self._session.offset_ms

    def audit_live(self) -> Generator[Record, None, None]:
        """Each record that is written from now on, by whatever server, until the service ends the stream (10 minutes): ask anew.

        Raises:
            ConnectionLostError: while iterating; the stream ended too early.
        """
        for line in self._lines(audit.live()):
            record = json.loads(line).get("record")
            if record is not None:
                yield record

    def audit_csv(self, **filters: audit.Filter) -> Generator[str, None, None]:
        """All records that fit, oldest first, as lines of CSV, the head first; see `audit_summary` for the filters.

        Raises:
            ConnectionLostError: while iterating; the export was cut off.
        """
        return self._lines(audit.csv(**filters))

    def _lines(self, ask: Ask[None]) -> Generator[str, None, None]:
        # A stream cannot be tried again in its middle: what could go wrong before it goes wrong here, where it can.
        self.check()
        request = self._run(self._session.dressed(ask))
        with self._connections.lines(request) as found:
            if isinstance(found, Reply):
                raise self._session.refusal(ask, found)
            yield from found

    def _run(self, plan: Plan[T]) -> T:
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
                answer = self._take(step)
            except SigningClientError as error:
                failure = error

    def _take(self, step: Step) -> Reply | None:
        match step:
            case Send(request):
                return self._connections.send(request)
            case Pause(seconds):
                time.sleep(seconds)
            case LogIn(is_needed, plan):
                with self._logging_in:
                    if is_needed():
                        self._run(plan())
        return None
