"""A service that does exactly what a test says with each connection: answers, drops it, or is not there."""

import json
import socket
import ssl
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from tests.patience import PATIENCE_SECONDS


@dataclass(frozen=True, slots=True)
class Said:
    """One answer.

    Args:
        cut: so many bytes of its end are missing.
        kept: whether the connection stays open afterwards.
    """

    status: int
    document: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0
    kept: bool = True

    def as_bytes(self) -> bytes:
        """As it goes out."""
        body = self.document if isinstance(self.document, bytes) else json.dumps(self.document).encode()
        request_id = self.document.get("request_id", "id") if isinstance(self.document, dict) else "id"
        headers = {
            "Content-Length": str(len(body)),
            "X-Request-Id": request_id,
            "Date": formatdate(usegmt=True),
            **self.headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        whole = f"HTTP/1.1 {self.status} X\r\n{head}\r\n".encode() + body
        return whole[: len(whole) - self.cut]


@dataclass(frozen=True, slots=True)
class Rubbish(Said):
    """What is no HTTP, and the end of the connection. The document is all that goes out."""

    def as_bytes(self) -> bytes:
        """As it goes out."""
        return bytes(self.document)


DROPPED = Said(0, b"")
"""The connection ends once the request has come."""


def error(status: int, code: str, **headers: str) -> Said:
    """An error document."""
    document = {"code": code, "message": "words", "detail": "words", "request_id": "id"}
    return Said(status, document, {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass(slots=True)
class RawService:
    """What was asked, and what is to be said; the last word is said for ever. `ended` grows with each connection that it ends."""

    port: int
    tls: ssl.SSLContext | None = None
    words: deque[Said] = field(default_factory=deque)
    asked: list[bytes] = field(default_factory=list)
    ended: list[bool] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://localhost:{self.port}" if self.tls else f"http://127.0.0.1:{self.port}"

    def says(self, *words: Said) -> None:
        """From now on."""
        self.words = deque(words)

    def next(self) -> Said:
        """What is to be said now."""
        return self.words.popleft() if len(self.words) > 1 else self.words[0]


@contextmanager
def running_raw_service(tls: ssl.SSLContext | None = None) -> Iterator[RawService]:
    """One that listens until the context ends, over TLS if there is a context for it."""
    stop = threading.Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        service = RawService(listener.getsockname()[1], tls)
        listener.settimeout(0.05)
        accepting = threading.Thread(target=_accept, args=(service, listener, stop))
        accepting.start()
        try:
            yield service
        finally:
            stop.set()
            accepting.join()


def _accept(service: RawService, listener: socket.socket, stop: threading.Event) -> None:
    threads = []
    while not stop.is_set():
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        threads.append(threading.Thread(target=_serve, args=(service, connection, stop)))
        threads[-1].start()
    for thread in threads:
        thread.join()


def _serve(service: RawService, connection: socket.socket, stop: threading.Event) -> None:
    if service.tls is not None:
        connection.settimeout(PATIENCE_SECONDS)
        try:
            connection = service.tls.wrap_socket(connection, server_side=True)
        except OSError:  # the client, or the server, did not like the other's certificate
            connection.close()
            return
    connection.settimeout(0.05)
    with closing(connection):
        _converse(service, connection, stop)
    service.ended.append(True)


def _converse(service: RawService, connection: socket.socket, stop: threading.Event) -> None:
    while (request := _read(connection, stop)) is not None:
        service.asked.append(request)
        said = service.next()
        if said is DROPPED:
            return
        connection.settimeout(PATIENCE_SECONDS)
        connection.sendall(said.as_bytes())
        connection.settimeout(0.05)
        if said.cut or not said.kept:
            return


def _read(connection: socket.socket, stop: threading.Event) -> bytes | None:
    read = b""
    while not stop.is_set():
        try:
            piece = connection.recv(65536)
        except TimeoutError:
            continue
        except OSError:
            return None
        if not piece:
            return None
        read += piece
        head, end, body = read.partition(b"\r\n\r\n")
        if end and len(body) >= _length(head):
            return read
    return None


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
