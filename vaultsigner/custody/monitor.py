"""Serves the socket: takes frames, has the table's answers made, sends them back. Many questions may be under way at once.

In the manner of OpenSSH's privilege separation: the server asks, custody answers, and a table says which questions exist.
"""

import asyncio
import os
import socket
import struct
from typing import cast

import structlog

from vaultsigner.custody.frames import (
    VERSION,
    Frame,
    FrameBuffer,
    FrameError,
    QuestionCode,
    encode_answer,
    encode_error,
)
from vaultsigner.custody.process_edge import where_from
from vaultsigner.custody.questions import QUESTIONS, Custody
from vaultsigner.custody.wiping import wipe
from vaultsigner.errors import CustodyError

MOST_UNDER_WAY = 1024
MOST_CONNECTIONS = 8
"""The server has one, and whoever looks into things by hand another; each costs a buffer of 256 KiB."""
_UCRED = struct.Struct("3i")
_log = structlog.get_logger()


class Monitor(asyncio.BufferedProtocol):
    """One connection from the server.

    Args:
        connections: those that are served, shared by all.
    """

    def __init__(self, custody: Custody, connections: "set[Monitor]") -> None:
        self._custody = custody
        self._connections = connections
        self._frames = FrameBuffer()
        self._transport: asyncio.Transport | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's signal. Only this user's own processes are served, whatever the socket's permissions say."""
        refused = None
        if _peer_user(transport.get_extra_info("socket")) != os.geteuid():
            refused = "the peer runs as another user"
        elif len(self._connections) >= MOST_CONNECTIONS:
            refused = f"{MOST_CONNECTIONS} connections are open already"
        if refused is not None:
            _log.warning("connection_refused", reason=refused)
            cast(asyncio.Transport, transport).abort()
            return
        self._connections.add(self)
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(encode_answer(QuestionCode.HELLO, 0, {"version": VERSION}))

    def get_buffer(self, sizehint: int) -> memoryview:
        """asyncio asks where to put bytes."""
        return self._frames.room()

    def buffer_updated(self, nbytes: int) -> None:
        """asyncio has put bytes there."""
        try:
            for frame in self._frames.received(nbytes):
                self._take(frame)
        except FrameError as error:
            self._give_up(QuestionCode.HELLO, 0, str(error))

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio's signal. What is under way is abandoned: nobody is left to take the answers."""
        self._transport = None
        self._connections.discard(self)
        self._frames.wipe()
        for task in self._under_way:
            task.cancel()

    def _take(self, frame: Frame) -> None:
        if self._transport is None or self._transport.is_closing():
            wipe(frame.payload)
        elif frame.code not in QUESTIONS:
            self._give_up(frame.code, frame.id, "there is no such question")
        elif len(self._under_way) >= MOST_UNDER_WAY:
            wipe(frame.payload)
            self._send(
                encode_error(
                    frame.code, frame.id, "custody_unavailable", "custody has too much to do: try again"
                )
            )
        else:
            task = asyncio.get_running_loop().create_task(self._answer(frame))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _answer(self, frame: Frame) -> None:
        try:
            answer = encode_answer(
                frame.code, frame.id, await QUESTIONS[frame.code](self._custody, frame.payload)
            )
        except CustodyError as error:
            answer = encode_error(frame.code, frame.id, error.code, str(error))
        except Exception as error:  # noqa: BLE001 - the process's edge: a bug must not end custody or show what it held
            _log.error("question_failed", code=frame.code, error=type(error).__name__, at=where_from(error))
            answer = encode_error(
                frame.code, frame.id, "internal_error", "custody failed; its log says where"
            )
        finally:
            wipe(frame.payload)
        self._send(answer)

    def _send(self, frame: bytearray) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(frame)

    def _give_up(self, code: int, id_: int, why: str) -> None:
        """Say why, where that is still possible, and close: a peer that speaks otherwise is not our server."""
        _log.warning("connection_closed", reason=why)
        self._frames.wipe()
        if self._transport is not None:
            self._send(encode_error(code & 0x7F, id_, "bad_question", why))
            self._transport.close()


def _peer_user(peer: socket.socket) -> int:
    credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    return int(_UCRED.unpack(credentials)[1])
