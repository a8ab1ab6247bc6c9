"""Connections to Vault: as many as there are questions in flight, kept alive, dialled again when Vault has closed them.

Fewer connections than questions wreck the tail of the latencies, so the pool grows with the load.
"""

import asyncio
from collections import deque
from typing import Protocol

from vaultsigner.custody.vault.answers import error_of, no_token, unavailable
from vaultsigner.custody.vault.connection import VaultConnection
from vaultsigner.custody.vault.dial_trouble import why_no_vault
from vaultsigner.custody.vault.endpoint import VaultEndpoint
from vaultsigner.custody.vault.held_token import HeldToken
from vaultsigner.errors import CustodyError

MOST_CONNECTIONS = 128
CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 5.0
AHEAD_SECONDS = 1.0
"""How long an answer that was asked for ahead may lie unread."""
_OK, _NO_CONTENT, _FORBIDDEN = 200, 204, 403


class VaultQuestion(Protocol):
    """One request to Vault and what becomes of it. Exactly one of `answered` and `failed` is called, once."""

    method: str
    path: str
    body: bytes
    with_token: bool
    what: str
    """The reference, for messages."""

    def answered(self, body: memoryview) -> None:
        """Vault said 200. Use the body now: it is wiped when this returns. Must not raise."""

    def failed(self, error: CustodyError) -> None:
        """There will be no answer. Must not raise."""


class AskedAhead(Protocol):
    """A question whose answer is not read yet. It is given up one second after it was asked, unless it is let in."""

    def let_in(self) -> None:
        """Read the answer now; from here on it is a question like any other."""

    def drop(self) -> None:
        """Give it up: the connection ends with the answer unread."""


class VaultPool:
    """Asks Vault. Everything happens on one event loop; nothing here blocks or awaits."""

    def __init__(self, endpoint: VaultEndpoint, token: HeldToken) -> None:
        self.endpoint = endpoint
        self.token = token
        token.decided = self._token_decided
        self._held_up: list[_Attempt] = []
        """Those that wait for a token."""
        self._waiting: deque[_Attempt] = deque()
        self._idle: list[VaultConnection] = []
        self._connections: set[VaultConnection] = set()
        self._dials: set[asyncio.Task[None]] = set()

    def ask(self, question: VaultQuestion) -> None:
        """Ask Vault; the question is told what came of it within 5 seconds."""
        self._begin(_Attempt(self, question), question)

    def ask_ahead(self, question: VaultQuestion) -> AskedAhead:
        """Send the question off, but leave its answer unread for now: what is not needed yet shall not lie in memory."""
        attempt = _Attempt(self, question, ahead=True)
        self._begin(attempt, question)
        return attempt

    def _begin(self, attempt: "_Attempt", question: VaultQuestion) -> None:
        token = self.token
        if question.with_token and token.value is None and not token.refused(token.generation):
            if token.pending:
                self.hold_up(attempt)
            else:
                attempt.fail(no_token(question.what, token.remedy))
        elif self._idle:
            attempt.start_on(self._idle.pop())
        else:
            self._waiting.append(attempt)
            self._dial_for_waiting()

    def hold_up(self, attempt: "_Attempt") -> None:
        """Keep an attempt until it is clear whether there is a token for it."""
        self._held_up.append(attempt)

    def _token_decided(self) -> None:
        held_up, self._held_up = self._held_up, []
        for attempt in held_up:
            if attempt.may_go_on():
                self._waiting.append(attempt)
        while self._waiting and self._idle:
            self._waiting.popleft().start_on(self._idle.pop())
        self._dial_for_waiting()

    def close(self) -> None:
        """Drop every connection; what is in flight fails."""
        for dial in self._dials:
            dial.cancel()
        held_up, self._held_up = self._held_up, []
        for attempt in held_up:
            attempt.fail(unavailable("custody is stopping"))
        while self._waiting:
            self._waiting.popleft().fail(unavailable("custody is stopping"))
        for connection in tuple(self._connections):
            connection.abandon("custody is stopping")

    def again(self, attempt: "_Attempt", *, on_fresh_connection: bool) -> None:
        """Put an attempt back at the head of the queue; without `on_fresh_connection` its own connection takes it next."""
        self._waiting.appendleft(attempt)
        if on_fresh_connection:
            # One kept-alive connection found closed means that Vault has restarted: its sisters are as dead.
            idle, self._idle = self._idle, []
            for connection in idle:
                connection.abandon("Vault closed its connections")
            self._dial_for_waiting()

    def forget(self, attempt: "_Attempt") -> None:
        """The attempt has run out of time while it waited for a connection, or for a token."""
        for waiting in (self._waiting, self._held_up):
            if attempt in waiting:
                waiting.remove(attempt)

    def idle(self, connection: VaultConnection) -> None:
        """Called by a connection that can take another question."""
        if self._waiting:
            self._waiting.popleft().start_on(connection)
        else:
            self._idle.append(connection)

    def lost(self, connection: VaultConnection) -> None:
        """Called by a connection that is gone."""
        self._connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._dial_for_waiting()

    def _dial_for_waiting(self) -> None:
        while (
            len(self._dials) < len(self._waiting)
            and len(self._dials) + len(self._connections) < MOST_CONNECTIONS
        ):
            dial = asyncio.get_running_loop().create_task(self._dial())
            self._dials.add(dial)
            dial.add_done_callback(self._dials.discard)

    async def _dial(self) -> None:
        endpoint = self.endpoint
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: VaultConnection(self),
                    endpoint.host,
                    endpoint.port,
                    ssl=endpoint.tls,
                    server_hostname=endpoint.host if endpoint.tls else None,
                )
        except (OSError, TimeoutError) as error:
            self._dial_failed(why_no_vault(error, CONNECT_SECONDS))
            return
        self._connections.add(connection)
        self.idle(connection)

    def _dial_failed(self, reason: str) -> None:
        if self._waiting:
            self._waiting.popleft().fail(unavailable(reason))


class _Attempt:
    """A question under way: its deadline, and the one time that it may be repeated for each reason.

    One that was asked `ahead` has two deadlines, one after the other: until it is let in, and from then on.
    """

    def __init__(self, pool: VaultPool, question: VaultQuestion, *, ahead: bool = False) -> None:
        self._pool = pool
        self._question: VaultQuestion | None = question
        self._connection: VaultConnection | None = None
        self._token_generation = 0
        self._may_redial = True
        self._may_change_token = True
        self._ahead = ahead
        self._deadline = self._ends_in(AHEAD_SECONDS if ahead else ANSWER_SECONDS)

    def let_in(self) -> None:
        """See `AskedAhead`."""
        if self._ahead and self._question is not None:
            self._ahead = False
            self._deadline.cancel()
            self._deadline = self._ends_in(ANSWER_SECONDS)
            if self._connection is not None:
                self._connection.let_in()

    def drop(self) -> None:
        """See `AskedAhead`."""
        if self._ahead:
            self._end("not needed after all")

    def start_on(self, connection: VaultConnection) -> None:
        """Ask over this connection, which is idle."""
        self._connection = connection
        connection.start(self, unread=self._ahead)

    def request(self) -> bytearray:
        """The connection asks for the bytes to send."""
        question, token = self._question, self._pool.token
        if question is None:
            return bytearray()
        self._token_generation = token.generation
        value = token.value if question.with_token else None
        return self._pool.endpoint.request(question.method, question.path, question.body, value)

    def answered(self, status: int, body: memoryview) -> None:
        """The connection has an answer."""
        question, token = self._question, self._pool.token
        if question is None:
            return
        if status in (_OK, _NO_CONTENT):
            self._settle()
            question.answered(body)
        elif status == _FORBIDDEN and self._may_change_token and token.refused(self._token_generation):
            self._may_change_token = False
            self._pool.again(self, on_fresh_connection=False)
        elif status == _FORBIDDEN and self._may_change_token and token.pending:
            self._may_change_token = False
            self._connection = None
            self._pool.hold_up(self)
        else:
            self.fail(error_of(status, body, question.what, token.remedy))

    def may_go_on(self) -> bool:
        """It is clear what token there is: whether it helps this attempt, which has failed where it does not."""
        question, token = self._question, self._pool.token
        if question is None:
            return False
        if token.value is None:
            self.fail(no_token(question.what, token.remedy))
        elif token.generation == self._token_generation:
            self.fail(error_of(_FORBIDDEN, memoryview(b""), question.what, token.remedy))
        else:
            return True
        return False

    def broken(self, reason: str, *, unanswered: bool) -> None:
        """The connection failed."""
        self._connection = None
        # Vault closes connections that were idle: what crossed that on the way is asked again, once. Asking twice does no harm,
        # for nothing that custody asks changes anything in Vault.
        if self._question is not None and unanswered and self._may_redial:
            self._may_redial = False
            self._pool.again(self, on_fresh_connection=True)
        else:
            self.fail(unavailable(reason))

    def fail(self, error: CustodyError) -> None:
        """End with an error."""
        question = self._question
        self._settle()
        if question is not None:
            question.failed(error)

    def _settle(self) -> None:
        self._question = None
        self._connection = None
        self._deadline.cancel()

    def _ends_in(self, seconds: float) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(
            seconds, self._end, f"no answer within {seconds:.0f} seconds"
        )

    def _end(self, reason: str) -> None:
        connection = self._connection
        self._pool.forget(self)
        self.fail(unavailable(reason))
        if connection is not None:
            connection.abandon(reason)
