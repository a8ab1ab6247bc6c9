"""One caller's standing with one service: its token, the difference of the clocks, and what is tried again.

What is tried again, for at most `retry_seconds`, always signed anew:

- nothing was sent (no connection), or 429: everything, for neither uses anything up;
- the connection was lost, a proxy's 5xx, 503, an upstream that was not reached, 409 `replayed`: what reads, or signs unsent;
- 401 where the service's clock shows that ours is off, 403 `invalid_token` of a user who can log in: everything, once.

A broadcast, or a request that may change something at an exchange, is never sent again where it may have been done.
"""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from vaultsigner.client.answers.signing import Token
from vaultsigner.client.answers.validation import reading
from vaultsigner.client.answers.waiting import read_pending
from vaultsigner.client.approvals import ApprovalRequiredError
from vaultsigner.client.asks import Ask, Proof, Request
from vaultsigner.client.credentials import AccessToken, Credentials, OpenApiKey, Password, RequestKey
from vaultsigner.client.errors import (
    ConnectionLostError,
    NotSentError,
    ReplayedError,
    ServiceError,
    SigningClientError,
    error_of,
    is_error_document,
    no_answer,
)
from vaultsigner.client.moments import Moments
from vaultsigner.client.plans import LogIn, Pause, Plan, Send
from vaultsigner.client.reply import Reply
from vaultsigner.client.secret_sources import read_secret_text
from vaultsigner.client.signed_requests import CrowdedMomentError, Signer

T = TypeVar("T")

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.1, 2.0
CROWDED_SECONDS = 0.25
FARTHEST_CORRECTION_MS = 600_000
"""Nobody's clock is corrected by more than ten minutes by itself: whoever can answer in the service's name could have
signatures made for next year."""
PASSING = frozenset({"exchange_unavailable", "open_api_unavailable", "node_unavailable"})


def machine_ms() -> int:
    """This machine's time, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Session:
    """What is known and remembered of one caller.

    Args:
        recv_window_ms: see `Signer`.
        retry_seconds: for how long what may be tried again is tried again; 0: never.
        clock_ms: this machine's time.
        partner_prefix: `partner.url_prefix` of config.yml.
        offset_ms: how much later it is at the service.
    """

    credentials: Credentials | None
    recv_window_ms: int | None = None
    retry_seconds: float = 10.0
    clock_ms: Callable[[], int] = machine_ms
    partner_prefix: str = "/web3"
    offset_ms: int = 0
    token: str | None = field(default=None, repr=False)
    moments: Moments = field(default_factory=Moments, repr=False)

    def perform(self, ask: Ask[T]) -> Plan[T]:
        """Have it done, or say why not.

        Raises:
            ApprovalRequiredError: others have to agree first.
            SigningClientError: see `vaultsigner.client.errors`.
        """
        attempt = _Attempts(self, ask)
        while True:
            request = yield from self.dressed(ask)
            made_with = (self.token, self.offset_ms)
            trouble: SigningClientError
            try:
                reply: Reply = yield Send(request)
            except (NotSentError, ConnectionLostError) as error:
                trouble = error
            else:
                found = trouble_of(ask, reply)
                if found is None:
                    return ask.read(reply)
                if attempt.mended(found, reply, *made_with):
                    continue
                trouble = found
            wait = attempt.wait_seconds(trouble)
            if wait is None:
                raise _told(ask, trouble)
            yield Pause(wait)

    def dressed(self, ask: Ask[Any]) -> Plan[Request]:
        """The request as it goes out now, or as soon as it can be told from equal ones before it."""
        token = yield from self._token_for(ask)
        while True:
            try:
                return self.signer().request(ask, token)
            except CrowdedMomentError:
                yield Pause(CROWDED_SECONDS)

    @staticmethod
    def refusal(ask: Ask[Any], reply: Reply) -> SigningClientError:
        """The error that a reply to it is."""
        return trouble_of(ask, reply) or error_of(reply)

    def signer(self) -> Signer:
        """Makes requests, by the service's time."""
        return Signer(
            self.credentials, lambda: self.clock_ms() + self.offset_ms, self.recv_window_ms, self.moments
        )

    def log_in(self) -> Plan[Token]:
        """Exchange the password for a token, which serves from now on.

        Raises:
            AuthenticationError: the name or the password is wrong.
        """
        who = self.credentials
        if not isinstance(who, Password):
            raise TypeError("only a Password logs in")
        document = {"username": who.username, "password": read_secret_text(who.password, "password")}
        token = yield from self.perform(
            Ask(
                "POST",
                "/api/auth/login",
                reading(Token),
                body=json.dumps(document).encode(),
                proof=Proof.NONE,
            )
        )
        self.token = token.access_token
        return token

    def _token_for(self, ask: Ask[Any]) -> Plan[str | None]:
        """The token that a user's request goes with; None for everybody else's."""
        if ask.proof is not Proof.FULL and not (ask.proof is Proof.API_KEY and self._is_user):
            return None
        if isinstance(self.credentials, AccessToken):
            return read_secret_text(self.credentials.token, "access token")
        if not isinstance(self.credentials, Password):
            return None
        while (token := self.token) is None:  # another thread may find a new one refused at once
            yield LogIn(lambda: self.token is None, self._log_in_quietly)
        return token

    @property
    def _is_user(self) -> bool:
        return isinstance(self.credentials, Password | AccessToken)

    def _log_in_quietly(self) -> Plan[None]:
        yield from self.log_in()

    def correct_clock(self, date_ms: int, farthest_ms: int | None = None) -> bool:
        """Take the service's time, which is known to the second, for ours where the two cannot be the same.

        Returns:
            Whether anything was changed.
        """
        ahead = date_ms + 500 - (self.clock_ms() + self.offset_ms)
        if abs(ahead) <= 1500 or (farthest_ms is not None and abs(self.offset_ms + ahead) > farthest_ms):
            return False
        self.offset_ms += ahead
        return True


@dataclass(slots=True)
class _Attempts:
    """How often, and for how long, one thing was tried."""

    session: Session
    ask: Ask[Any]
    until: float = field(init=False)
    count: int = 0
    mendings: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.until = time.monotonic() + self.session.retry_seconds

    def mended(self, trouble: SigningClientError, reply: Reply, token: str | None, offset_ms: int) -> bool:
        """Whether the cause was found and removed, so that it may be tried once more at once: it was refused unseen.

        Args:
            token, offset_ms: what the request was made with; others may have mended it meanwhile.
        """
        if trouble.code in self.mendings:
            return False
        self.mendings.add(trouble.code)
        session = self.session
        if trouble.code == "invalid_token" and isinstance(session.credentials, Password):
            if session.token == token:
                session.token = None
            return True
        if trouble.code == "authentication_failed" and isinstance(
            session.credentials, RequestKey | OpenApiKey
        ):
            date = reply.date_ms
            return session.offset_ms != offset_ms or (
                date is not None and session.correct_clock(date, FARTHEST_CORRECTION_MS)
            )
        return False

    def wait_seconds(self, trouble: SigningClientError) -> float | None:
        """After what time to try again; None: not at all."""
        if not self._may_repeat(trouble):
            return None
        usual = min(FIRST_WAIT_SECONDS * 2**self.count, LONGEST_WAIT_SECONDS)
        wait = usual * random.uniform(0.5, 1.0)  # noqa: S311 - spreads callers, keeps nothing secret
        told = trouble.retry_after_seconds if isinstance(trouble, ServiceError) else None
        wait = max(wait, told or 0.0)
        self.count += 1
        return wait if time.monotonic() + wait <= self.until else None

    def _may_repeat(self, trouble: SigningClientError) -> bool:
        if isinstance(trouble, NotSentError):
            return True
        if isinstance(trouble, ServiceError) and trouble.status == 429:
            return True
        if not self.ask.repeatable:
            return False
        if isinstance(trouble, ConnectionLostError | ReplayedError):
            return True
        return isinstance(trouble, ServiceError) and (trouble.status == 503 or trouble.code in PASSING)


def trouble_of(ask: Ask[Any], reply: Reply) -> SigningClientError | None:
    """The error that a reply is; None where it is an answer, or an exchange's or partner's own words."""
    # Every answer of the service's has an id: without one, neither it nor an exchange refused this.
    if not (reply.request_id or 200 <= reply.status < 300):
        return error_of(reply)
    if ask.enveloped:
        return None
    if reply.status == 202 and _is_ours(reply):
        return ApprovalRequiredError(read_pending(ask, reply))
    if ask.foreign and not _is_ours(reply):
        return None
    return None if reply.status == 200 else error_of(reply)


def _is_ours(reply: Reply) -> bool:
    if reply.status == 200:
        return False
    found = reply.json_or_none()
    return is_error_document(found) and found["request_id"] == reply.request_id


def _told(ask: Ask[Any], trouble: SigningClientError) -> SigningClientError:
    """What the caller is told: whatever may have been done is nobody's to repeat blindly."""
    if isinstance(trouble, ConnectionLostError) and not ask.repeatable:
        unknown = no_answer(trouble)
        unknown.__cause__ = trouble
        return unknown
    return trouble
