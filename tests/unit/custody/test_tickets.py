"""Tickets: good once, for a minute, and not without bound."""

import pytest

from vaultsigner.config.settings import Client, KvReference
from vaultsigner.custody.tickets import (
    LONGEST_AFTER_EXPIRY_MS,
    MOST_TICKETS,
    TICKET_SECONDS,
    Ticket,
    Tickets,
)
from vaultsigner.domain.names import ApiKey, ClientName
from vaultsigner.errors import CustodyError

NOW_MS = 1_795_000_000_000
CLIENT = Client(
    ClientName("bot-1"), ApiKey("vs_test"), "hmac", {}, KvReference("secret", "clients/bot-1", "secret")
)


class Ahead:
    """Stands in for a read that waits."""

    dropped = 0

    def drop(self) -> None:
        """Count."""
        self.dropped += 1


class Clock:
    """Seconds and milliseconds, moved by hand."""

    now = 1000.0
    now_ms = NOW_MS

    def __call__(self) -> float:
        return self.now

    def milliseconds(self) -> int:
        return self.now_ms


def ticket(ahead: Ahead | None = None) -> Ticket:
    return Ticket(CLIENT, b"asked", b"nonce", NOW_MS, NOW_MS - 6000, "192.0.2.7", ahead)  # type: ignore[arg-type]  # all that a ticket does with it is to drop it


def test_a_ticket_is_good_once() -> None:
    tickets = Tickets(Clock().milliseconds)
    mine = ticket()
    name = tickets.issue(mine)
    assert tickets.take(name) is mine
    for taken in (name, "", "forged", name.upper()):
        with pytest.raises(CustodyError, match="sign it anew") as caught:
            tickets.take(taken)
        assert caught.value.code == "custody_unavailable"
        assert not taken or taken not in str(caught.value)


def test_a_ticket_is_good_for_a_minute() -> None:
    clock, ahead = Clock(), Ahead()
    tickets = Tickets(clock.milliseconds, clock)
    early, late = tickets.issue(ticket()), tickets.issue(ticket(ahead))
    clock.now += TICKET_SECONDS - 0.001
    tickets.take(early)
    clock.now += 0.001
    with pytest.raises(CustodyError):
        tickets.take(late)
    assert ahead.dropped == 1


def test_a_ticket_does_not_outlive_its_window_by_long() -> None:
    """A server that has been taken over could keep what a client signed for a moment, and use it when prices have changed."""
    clock, ahead = Clock(), Ahead()
    tickets = Tickets(clock.milliseconds, clock)
    early, late = tickets.issue(ticket()), tickets.issue(ticket(ahead))
    clock.now_ms += LONGEST_AFTER_EXPIRY_MS
    tickets.take(early)
    clock.now_ms += 1
    with pytest.raises(CustodyError, match="sign it anew"):
        tickets.take(late)
    assert ahead.dropped == 1


def test_five_thousand_tickets_are_not_kept() -> None:
    tickets, first = Tickets(Clock().milliseconds), Ahead()
    names = [tickets.issue(ticket(first))] + [tickets.issue(ticket()) for _ in range(4999)]
    assert len(tickets) == MOST_TICKETS
    assert len(set(names)) == 5000
    assert first.dropped == 1
    with pytest.raises(CustodyError):
        tickets.take(names[5000 - MOST_TICKETS - 1])
    tickets.take(names[5000 - MOST_TICKETS])
    tickets.take(names[-1])


def test_old_tickets_go_when_new_ones_come() -> None:
    clock = Clock()
    tickets = Tickets(clock.milliseconds, clock)
    for _ in range(10):
        tickets.issue(ticket())
    clock.now += TICKET_SECONDS
    tickets.issue(ticket())
    assert len(tickets) == 1
