"""The wire between server and custody: frames, which carry the questions and answers of `protocol`. Pure.

A frame is its length (4 bytes, big-endian, of what follows), the version (1 byte), the code of the question (1 byte, with the
high bit set in an answer), an id that the answer repeats (8 bytes), and the payload: JSON, or for a log-in the raw HTTP body, and
behind it the SHA-256 (32 bytes) of the client certificate where one was shown.
"""

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from vaultsigner.domain.names import JsonValue
from vaultsigner.errors import VaultsignerError

VERSION = 4
MAX_FRAME_BYTES = 256 * 1024
ANSWER_BIT = 0x80

_LENGTH = struct.Struct(">I")
_HEADER = struct.Struct(">IBBQ")
_HEADER_AFTER_LENGTH = _HEADER.size - _LENGTH.size
_ZEROS = bytes(_LENGTH.size + MAX_FRAME_BYTES)


class QuestionCode(IntEnum):
    """Every question there is. HELLO is never asked: custody sends its answer when it begins to serve a connection."""

    HELLO = 0
    PUBLIC_KEY = 1
    SIGN_BEACON = 2
    LOG_IN = 3
    ACCESS_TOKEN_KEYS = 4
    HEALTH = 5
    AUTHENTICATE = 6
    CHECK_CLIENT = 7
    LOAD_POLICIES = 8
    SIGN_EXCHANGE = 9
    OPEN_API_TOKEN = 10
    OPEN_API_DECRYPT = 11
    CHECK_EXCHANGE = 12
    CHECK_OPEN_API = 13
    SIGN_CHECKPOINT = 14
    CHECKPOINT_KEYS = 15
    METRICS = 16
    LOG_IN_WITH_CERTIFICATE = 17
    FIND_KEYS = 18


class FrameError(VaultsignerError):
    """What arrives is not a frame of this version. The connection cannot be used any further."""

    code = "bad_question"


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. `payload` belongs to whoever holds the frame; one that holds a log-in is theirs to wipe."""

    code: int
    id: int
    payload: bytearray


def encode_frame(code: int, id_: int, payload: bytes | bytearray) -> bytearray:
    """The bytes of a frame.

    Raises:
        FrameError: the payload is too large for one.
    """
    length = _HEADER_AFTER_LENGTH + len(payload)
    if length > MAX_FRAME_BYTES:
        raise FrameError(f"a frame has at most {MAX_FRAME_BYTES} bytes")
    return bytearray().join((_HEADER.pack(length, VERSION, code, id_), payload))


def encode_answer(code: int, id_: int, answer: Mapping[str, JsonValue]) -> bytearray:
    """The frame of a good answer to the question with this code and id."""
    return encode_frame(code | ANSWER_BIT, id_, json_bytes({"ok": dict(answer)}))


def encode_error(code: int, id_: int, error_code: str, message: str) -> bytearray:
    """The frame that says why the question with this code and id has no answer."""
    return encode_frame(
        code | ANSWER_BIT, id_, json_bytes({"error": {"code": error_code, "message": message}})
    )


def json_bytes(document: JsonValue) -> bytes:
    """A payload."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


class FrameBuffer:
    """Turns a stream of bytes into frames. What has been taken out of it is wiped, for it may have been a log-in."""

    __slots__ = ("_buffer", "_filled", "_view")

    def __init__(self) -> None:
        self._buffer = bytearray(_LENGTH.size + MAX_FRAME_BYTES)
        self._view = memoryview(self._buffer)
        self._filled = 0

    def room(self) -> memoryview:
        """Where the next bytes go; never empty."""
        return self._view[self._filled :]

    def received(self, count: int) -> Iterator[Frame]:
        """The frames that `count` more bytes completed. Take them all before more bytes arrive.

        Raises:
            FrameError: an impossible length, or another version.
        """
        self._filled += count
        start = 0
        while self._filled - start >= _HEADER.size:
            length, version, code, id_ = _HEADER.unpack_from(self._buffer, start)
            if version != VERSION:
                raise FrameError(f"version {version} is not spoken here, only {VERSION}")
            if not _HEADER_AFTER_LENGTH <= length <= MAX_FRAME_BYTES:
                raise FrameError(f"a frame has at most {MAX_FRAME_BYTES} bytes")
            end = start + _LENGTH.size + length
            if end > self._filled:
                break
            yield Frame(code, id_, self._buffer[start + _HEADER.size : end])
            start = end
        self._drop(start)

    def wipe(self) -> None:
        """Forget what is left; the connection is gone."""
        self._drop(self._filled)

    def _drop(self, count: int) -> None:
        if count:
            rest = self._filled - count
            self._view[:rest] = self._view[count : self._filled]
            self._view[rest : self._filled] = _ZEROS[:count]
            self._filled = rest
