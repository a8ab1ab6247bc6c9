"""HTTP as bytes on a socket: requests that no library would send, and what comes back."""

import json
import re
import socket
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.patience import PATIENCE_SECONDS

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)\r\n")


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `headers` has small names; `raw` is everything that came."""

    status: int
    headers: dict[str, str]
    body: bytes
    raw: bytes

    @property
    def document(self) -> Any:
        """The body, as JSON."""
        return json.loads(self.body)

    @property
    def closes(self) -> bool:
        """Whether it is the connection's last answer; in HTTP/1.0 that goes without saying."""
        said = self.headers.get("connection", "close" if self.raw.startswith(b"HTTP/1.0 ") else "keep-alive")
        return said == "close"


def exchange(url: str, *pieces: bytes) -> Reply:
    """Send the pieces, each in a segment of its own, and read one answer.

    Raises:
        EOFError: the connection was closed without a whole answer.
    """
    with closing(connect(url)) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return read_reply(connection)


def connect(url: str) -> socket.socket:
    """A connection to a server, without delay between segments."""
    where = urlsplit(url)
    connection = socket.create_connection((where.hostname, where.port), PATIENCE_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def read_reply(connection: socket.socket) -> Reply:
    """The next answer on a connection.

    Raises:
        EOFError: the connection was closed without a whole answer.
    """
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += _more(connection)
    head, _, body = raw.partition(b"\r\n\r\n")
    length = _LENGTH.search(head + b"\r\n")
    while len(body) < (int(length[1]) if length else 0):
        more = _more(connection)
        body, raw = body + more, raw + more
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Reply(int(first.split(" ")[1]), headers, body, raw)


def request(method: str, path: str, body: bytes = b"", *headers: str) -> bytes:
    """A well-formed request around whatever is given."""
    lines = [f"{method} {path} HTTP/1.1", "Host: desk", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise EOFError("the connection was closed before the answer was complete")
    return data
