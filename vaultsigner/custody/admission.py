"""Who may have a key used, and what for: found out again for each use, whatever the server says.

The server may be in an attacker's hands. So its word on who asks is only compared with what they themselves have shown: their
access token, or their own signature over the request, for which there is a ticket.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from vaultsigner.authentication.bearer import TokenChecker
from vaultsigner.config.settings import KvReference
from vaultsigner.custody.asked_for import Asked
from vaultsigner.custody.circumstances import circumstances_of
from vaultsigner.custody.policy_sets import PolicySets
from vaultsigner.custody.secret_view import SecretView
from vaultsigner.custody.tickets import Ticket, Tickets
from vaultsigner.custody.used_signatures import UsedSignatures
from vaultsigner.custody.vault.reader import VaultReader
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import CustodyError
from vaultsigner.policy import PolicySet

A = TypeVar("A", bound=Asked)
T = TypeVar("T")


class Question(Protocol):
    """A question of the server's, on somebody's behalf; see `protocol.SignBeaconRequest`."""

    @property
    def principal(self) -> Principal:
        """Who is said to ask."""

    @property
    def access_token(self) -> str | None:
        """What a user asked with."""

    @property
    def ticket(self) -> str | None:
        """What stands for a client's signature."""

    @property
    def ip(self) -> str:
        """Where they are said to ask from."""

    @property
    def policy(self) -> str:
        """What the server decided under."""


@dataclass(frozen=True, slots=True)
class Admitted(Generic[A]):
    """A use of a key that may go on.

    Args:
        ticket: that of a client, used up; None for a user.
    """

    asked: A
    ticket: Ticket | None
    _reader: VaultReader

    async def with_secret(self, reference: KvReference, use: Callable[[SecretView], T]) -> T:
        """As `VaultReader.with_secret`: with the answer that waits already, where there is one."""
        if self.ticket is not None and self.ticket.ahead is not None:
            return await self.ticket.ahead.with_secret(use)
        return await self._reader.with_secret(reference, use)


class Admission:
    """The one way to a key, whatever it is to be used for.

    Args:
        tickets, used: shared with whoever verifies clients' signatures.
        clock_ms: milliseconds since 1970.
    """

    def __init__(
        self,
        policies: PolicySets,
        reader: VaultReader,
        tokens: TokenChecker,
        *,
        tickets: Tickets,
        used: UsedSignatures,
        clock_ms: Callable[[], int],
    ) -> None:
        self._policies = policies
        self._reader = reader
        self._tokens = tokens
        self._tickets = tickets
        self._used = used
        self._clock_ms = clock_ms

    @asynccontextmanager
    async def admitted(self, question: Question, read: Callable[[], A]) -> AsyncIterator[Admitted[A]]:
        """What may be done while the block lasts. A ticket is used up, whatever comes of it.

        Args:
            read: what the question asks for, or CustodyError.

        Raises:
            CustodyError: policy_mismatch, invalid_token, no_permission, policy_denied, replayed, custody_unavailable.
        """
        ticket = None if question.ticket is None else self._tickets.take(question.ticket)
        try:
            asked, policies = read(), self._policies.of(question.policy)
            if ticket is None:
                await self._check_user(question, asked, policies)
            else:
                self._check_client(question, asked, ticket, policies)
            yield Admitted(asked, ticket, self._reader)
        finally:
            if ticket is not None:
                ticket.drop()

    async def _check_user(self, question: Question, asked: Asked, policies: PolicySet) -> None:
        """Whose token the request came with. The server's word on who asks is only compared with that."""
        user = await self._tokens.user(question.access_token or "")
        if isinstance(user, Refusal):
            raise CustodyError(user.code, user.reason or user.message)
        principal = Principal("user", user.username)
        if question.principal != principal:
            raise CustodyError(
                "no_permission", "the access token is not the one of the user who is said to ask"
            )
        circumstances = circumstances_of(question.ip, self._clock_ms())
        asked.check_allowed(policies, user, principal, circumstances)

    def _check_client(self, question: Question, asked: Asked, ticket: Ticket, policies: PolicySet) -> None:
        """The client's own signature must be over what is now to be done, and is good for doing it once."""
        client = ticket.client
        same = (question.principal.kind, question.principal.name, question.ip) == (
            "client",
            client.name,
            ticket.ip,
        )
        if not same or asked.digest != ticket.asked:
            raise CustodyError("no_permission", "the client did not sign this")
        principal = Principal("client", client.name, client.scheme)
        circumstances = circumstances_of(question.ip, self._clock_ms())
        asked.check_allowed(policies, client, principal, circumstances)
        if not ticket.counted:
            self._used.mark(ticket.nonce, ticket.expires_at_ms, ticket.good_from_ms)
