"""One kept-alive connection to Vault: one question at a time, its answer handed over where it lies and wiped at once."""

import asyncio
from typing import Protocol, cast

from vaultsigner.custody.vault.http_answer import HttpAnswer, HttpAnswerError
from vaultsigner.custody.wiping import wipe


class Exchange(Protocol):
    """One question to Vault and what becomes of it. Exactly one of `answered` and `broken` is called for each `request`."""

    def request(self) -> bytearray:
        """The whole request as sent, Vault token included; the connection wipes it."""

    def answered(self, status: int, body: memoryview) -> None:
        """Use the answer, now: the body is wiped when this returns."""

    def broken(self, reason: str, *, unanswered: bool) -> None:
        """The connection failed. `unanswered`: not one byte of an answer had arrived."""


class ConnectionOwner(Protocol):
    """Whoever keeps the connections."""

    def idle(self, connection: "VaultConnection") -> None:
        """The connection is ready for another exchange."""

    def lost(self, connection: "VaultConnection") -> None:
        """The connection is gone."""


class VaultConnection(asyncio.BufferedProtocol):
    """Bytes from the socket (or from TLS) go straight into the one buffer; see `http_answer`."""

    def __init__(self, owner: ConnectionOwner) -> None:
        self._owner = owner
        self._answer = HttpAnswer()
        self._exchange: Exchange | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's signal."""
        self._transport = cast(asyncio.Transport, transport)

    def start(self, exchange: Exchange, *, unread: bool = False) -> None:
        """Send the exchange's request. The connection must be idle.

        Args:
            unread: leave the answer in the socket (under TLS: in its records, encrypted) until `let_in`.
        """
        if self._transport is None or self._exchange is not None:
            raise RuntimeError("the connection is not idle")
        self._exchange = exchange
        if self._transport.is_closing():
            self._break("the connection is closing")
            return
        request = exchange.request()
        try:
            self._transport.write(request)
            sent = self._transport.get_write_buffer_size() == 0
        finally:
            wipe(request)
        if not sent:
            # The transport may still refer to what was just wiped; a request this small never waits on a healthy connection.
            self.abandon("the connection does not take requests")
        elif unread:
            self._transport.pause_reading()

    def let_in(self) -> None:
        """Read the answer that was left unread."""
        if self._transport is not None:
            self._transport.resume_reading()

    def abandon(self, reason: str) -> None:
        """Close at once; an exchange under way is told the reason."""
        if self._transport is not None:
            self._transport.abort()
        self._break(reason)

    def get_buffer(self, sizehint: int) -> memoryview:
        """asyncio asks where to put bytes."""
        return self._answer.room()

    def buffer_updated(self, nbytes: int) -> None:
        """asyncio has put bytes there."""
        if self._exchange is None:
            wipe(self._answer.room()[:nbytes])
            self.abandon("Vault spoke without being asked")
            return
        try:
            complete = self._answer.received(nbytes)
        except HttpAnswerError as error:
            self.abandon(str(error))
            return
        if complete:
            self._hand_over(self._exchange)

    def _hand_over(self, exchange: Exchange) -> None:
        keep_alive = self._answer.keep_alive
        self._exchange = None
        try:
            with self._answer.body as body:
                exchange.answered(self._answer.status, body)
        finally:
            self._answer.forget()
        if not keep_alive and self._transport is not None:
            self._transport.abort()
        elif self._transport is not None and not self._transport.is_closing():
            self._owner.idle(self)

    def eof_received(self) -> None:
        """asyncio's signal: the other side closed. The transport closes too."""

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio's signal."""
        self._transport = None
        self._break("the connection was closed")
        self._owner.lost(self)

    def _break(self, reason: str) -> None:
        exchange, self._exchange = self._exchange, None
        unanswered = not self._answer.begun
        self._answer.forget()
        if exchange is not None:
            exchange.broken(reason, unanswered=unanswered)
