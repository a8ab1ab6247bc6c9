"""What custody remembers between finding out who signed a request and signing for it: the ticket binds the one to the other."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from vaultsigner.config.settings import Client
from vaultsigner.custody.vault.reader import ReadAhead
from vaultsigner.errors import CustodyError

MOST_TICKETS = 4096
TICKET_SECONDS = 60.0
LONGEST_AFTER_EXPIRY_MS = 35_000
"""A broadcast may wait half a minute for its turn; after that nobody waits for what the client signed."""


@dataclass(frozen=True, slots=True)
class SignedBefore:
    """When an exchange takes the request that was signed: its time, by the exchange's clock, and its window."""

    timestamp_ms: int
    recv_window_ms: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """A client's signature over one request, verified.

    Args:
        asked: digest of what the client's own request asks for, as `asked_for.Asked` has it.
        nonce, expires_at_ms: as in `Proof`.
        good_from_ms: as in `claims.Claim`.
        ip: where the request came from, as the server said then.
        ahead: the key, which Vault has been asked for; None where it has not.
        counted: whether that signature is used up already: this ticket belongs to what it was used for.
        before: what was signed for it then; None where that is of no concern.
    """

    client: Client
    asked: bytes
    nonce: bytes
    expires_at_ms: int
    good_from_ms: int
    ip: str
    ahead: ReadAhead | None
    counted: bool = False
    before: SignedBefore | None = None

    def drop(self) -> None:
        """It is used, or of no use: an answer that still waits unread will not be needed."""
        if self.ahead is not None:
            self.ahead.drop()


class Tickets:
    """The tickets that are about. The oldest gives way where there are too many: it has lain unused the longest.

    Args:
        clock_ms: milliseconds since 1970.
        clock: monotonic seconds.
    """

    def __init__(self, clock_ms: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._clock_ms = clock_ms
        self._clock = clock
        self._tickets: dict[str, tuple[float, Ticket]] = {}

    def __len__(self) -> int:
        return len(self._tickets)

    def issue(self, ticket: Ticket) -> str:
        """What to ask for it by, once, within a minute, and not long after its window."""
        now = self._clock()
        while self._tickets and (len(self._tickets) >= MOST_TICKETS or self._oldest_ends_at() <= now):
            self._tickets.pop(next(iter(self._tickets)))[1].drop()
        name = secrets.token_urlsafe(32)
        self._tickets[name] = (now + TICKET_SECONDS, ticket)
        return name

    def take(self, name: str) -> Ticket:
        """The ticket of this name, which is used up by asking.

        Raises:
            CustodyError: there is none: it is used, too old, forged, or of a custody process that has ended.
        """
        ends_at, ticket = self._tickets.pop(name, (0.0, None))
        if ticket is not None and self._clock() < ends_at and not self._long_expired(ticket):
            return ticket
        if ticket is not None:
            ticket.drop()
        raise CustodyError(
            "custody_unavailable",
            "custody no longer knows who signed this request: sign it anew, with a new timestamp",
        )

    def _long_expired(self, ticket: Ticket) -> bool:
        return self._clock_ms() > ticket.expires_at_ms + LONGEST_AFTER_EXPIRY_MS

    def _oldest_ends_at(self) -> float:
        return next(iter(self._tickets.values()))[0]
