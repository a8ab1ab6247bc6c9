"""The one small interface behind which the engines stand."""

from typing import Protocol

from vaultsigner.state.accounts import Account, AccountKey, HeldByOther, Reserved, Resynchronised


class State(Protocol):
    """Durable facts about accounts. Every method is one transaction, on disk when it returns.

    Time comes in as `now_ms` (milliseconds since 1970). Every method raises StateError when the database cannot be read or
    written; what was asked for may then have happened or not, which leases and owners are there to survive.
    """

    async def account(self, key: AccountKey) -> Account | None:
        """What is known of an account; None before `remember_account`."""

    async def remember_account(self, key: AccountKey, account_number: int, sequence: int) -> Account:
        """Note an account that is new; one that is known stays as it is. Returns what is known now."""

    async def reserve(
        self, key: AccountKey, fingerprint: str, owner: str, *, now_ms: int, lease_ms: int
    ) -> Reserved | HeldByOther:
        """Take the account's next number for one broadcast.

        A number whose owner is gone (its lease is over) and that was never sent passes to the caller. One with stored bytes
        passes only to a request with the same fingerprint, to send those bytes again, once nobody else is sending them.

        Args:
            owner: unique for this attempt; every later call is refused to whoever is not the owner any more.

        Raises:
            StateError: also when the account is not known.
        """

    async def mark_sent(
        self,
        key: AccountKey,
        owner: str,
        sequence: int,
        transaction: bytes,
        transaction_hash: str,
        *,
        now_ms: int,
        lease_ms: int,
    ) -> bool:
        """Store the exact bytes, before they go out.

        Returns:
            False: the number is not the caller's any more, or other bytes are on it: do not send.
        """

    async def mark_unknown(self, key: AccountKey, owner: str, sequence: int) -> bool:
        """Nobody knows what became of what was sent. Returns False where the number was not the caller's to say so."""

    async def release(self, key: AccountKey, owner: str, sequence: int) -> bool:
        """Give up a reservation. A number whose bytes are stored is not freed by this: its outcome counts as unknown.

        Returns:
            False where the number was not the caller's.
        """

    async def settle(self, key: AccountKey, owner: str, sequence: int, next_sequence: int) -> bool:
        """The node's answer is final: the number is not held any more, and the account goes on at `next_sequence`.

        Returns:
            False, and nothing changes, where the number was not the caller's or nothing had been marked sent.
        """

    async def resynchronise(
        self,
        key: AccountKey,
        account_number: int,
        sequence: int,
        *,
        settled: bool,
        now_ms: int,
        seen: Account | None,
    ) -> Resynchronised:
        """Take over the node's view of an account.

        Args:
            settled: the caller has established, by asking the node, what became of the held transaction.
            seen: what `account` returned before the node was asked. Anything that happened since makes the node's view
                worthless: without this, an answer from before a broadcast would bring its number back.
        """
