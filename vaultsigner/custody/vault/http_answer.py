"""One HTTP/1.1 answer, read into one fixed buffer and put together in place.

Only what Vault and OpenBao send is understood (RFC 9112: a Content-Length or chunks without trailers); the rest is refused.
The body may be a secret, so nothing is ever copied out of it: chunks are moved together inside the buffer.
"""

import re

from vaultsigner.custody.wiping import wipe
from vaultsigner.errors import VaultsignerError

BUFFER_BYTES = 128 * 1024

_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2})(?: [^\r\n]*)?\r\n")
_HEADER_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\x00]*?)[ \t]*\r\n")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,6})\r\n")
_CHUNK_LINE_SO_FAR = re.compile(rb"[0-9A-Fa-f]{0,6}\r?")
_DIGITS = re.compile(rb"[0-9]{1,9}")
_END_OF_HEADERS = b"\r\n\r\n"
_CRLF = b"\r\n"
_NO_CONTENT = 204


class HttpAnswerError(VaultsignerError):
    """What came over the connection is not an answer that can be used; nothing of it is quoted."""


class HttpAnswer:
    """Takes bytes until the answer is complete. One object serves a connection for its whole life.

    `status`, `body` and `keep_alive` mean something once `received` has answered True, until `forget`.
    """

    __slots__ = (
        "_body_end", "_body_start", "_buffer", "_filled", "_left", "_raw", "_view", "keep_alive", "status",
    )  # fmt: skip

    def __init__(self) -> None:
        self._buffer = bytearray(BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._filled = 0
        self._start_anew()

    def _start_anew(self) -> None:
        self.status = 0
        self.keep_alive = True
        self._body_start = 0
        self._body_end = 0
        self._left = 0  # bytes of the body still missing where the length is known; -1: chunks
        self._raw = 0  # first byte that is not yet taken out of its chunk

    @property
    def begun(self) -> bool:
        """Whether a byte of an answer has arrived."""
        return self._filled > 0

    @property
    def body(self) -> memoryview:
        """The body, in the buffer itself: gone after `forget`."""
        return self._view[self._body_start : self._body_end]

    def room(self) -> memoryview:
        """Where the next bytes go; never empty."""
        return self._view[self._filled :]

    def received(self, count: int) -> bool:
        """Take note of `count` more bytes in the buffer; True once the answer is complete.

        Raises:
            HttpAnswerError: no answer that can be used, or one that is larger than the buffer.
        """
        looked_at = self._filled
        self._filled += count
        if not self.status and not self._read_head(max(0, looked_at - len(_END_OF_HEADERS) + 1)):
            return self._incomplete()
        complete = self._join_chunks() if self._left < 0 else self._count_body()
        return complete or self._incomplete()

    def forget(self) -> None:
        """Wipe everything that arrived, and be ready for the next answer."""
        wipe(self._view[: self._filled])
        self._filled = 0
        self._start_anew()

    def _incomplete(self) -> bool:
        if self._filled == BUFFER_BYTES:
            raise HttpAnswerError(f"the answer is larger than {BUFFER_BYTES} bytes")
        return False

    def _read_head(self, start: int) -> bool:
        end = self._buffer.find(_END_OF_HEADERS, start, self._filled)
        if end < 0:
            return False
        head = bytes(self._view[: end + len(_CRLF)])
        status_line = _STATUS_LINE.match(head)
        if status_line is None:
            raise HttpAnswerError("the answer does not begin with an HTTP/1.1 status line")
        self._read_framing(_headers(head, status_line.end()), int(status_line[1]))
        self.status = int(status_line[1])
        self._body_start = self._body_end = self._raw = end + len(_END_OF_HEADERS)
        return True

    def _read_framing(self, headers: dict[bytes, bytes], status: int) -> None:
        length, coding = headers.get(b"content-length"), headers.get(b"transfer-encoding")
        if b"content-encoding" in headers:
            raise HttpAnswerError("the answer is compressed")
        # A length beside chunks is how one answer is made to look like two (RFC 9112, section 6.1).
        if coding is not None and (length is not None or coding.lower() != b"chunked"):
            raise HttpAnswerError("the answer's framing is ambiguous")
        if coding is not None:
            self._left = -1
        elif length is not None and _DIGITS.fullmatch(length):
            self._left = int(length)
        elif length is not None or status != _NO_CONTENT:
            raise HttpAnswerError("the answer does not tell its length")
        self.keep_alive = b"close" not in headers.get(b"connection", b"").lower()

    def _count_body(self) -> bool:
        arrived = self._filled - self._body_start
        if arrived > self._left:
            raise HttpAnswerError("something follows the answer")
        self._body_end = self._filled
        return arrived == self._left

    def _join_chunks(self) -> bool:
        """Move every chunk that is complete to the end of the body so far (RFC 9112, section 7.1)."""
        while True:
            line = _CHUNK_LINE.match(self._buffer, self._raw, self._filled)
            if line is None:
                if not _CHUNK_LINE_SO_FAR.fullmatch(self._buffer, self._raw, self._filled):
                    raise HttpAnswerError("a chunk does not begin with its length")
                return False
            start, size = line.end(), int(line[1], 16)
            end = start + size
            if end + len(_CRLF) > self._filled:
                if end + len(_CRLF) > BUFFER_BYTES:
                    raise HttpAnswerError(f"the answer is larger than {BUFFER_BYTES} bytes")
                return False
            if self._view[end : end + len(_CRLF)] != _CRLF:
                raise HttpAnswerError("a chunk is longer than it says, or has a trailer")
            self._raw = end + len(_CRLF)
            if not size:
                return self._nothing_follows()
            # Assigning between views of one buffer is a memmove: no copy of the secret is made.
            self._view[self._body_end : self._body_end + size] = self._view[start:end]
            self._body_end += size

    def _nothing_follows(self) -> bool:
        if self._raw != self._filled:
            raise HttpAnswerError("something follows the answer")
        return True


def _headers(head: bytes, position: int) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    while position < len(head):
        line = _HEADER_LINE.match(head, position)
        if line is None:
            raise HttpAnswerError("the answer has a malformed header")
        name = line[1].lower()
        if name in headers and name in (b"content-length", b"transfer-encoding"):
            raise HttpAnswerError("the answer's framing is ambiguous")
        headers[name] = line[2]
        position = line.end()
    return headers
