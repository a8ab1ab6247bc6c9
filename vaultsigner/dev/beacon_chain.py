"""The chain behind the node stand-in: accounts in memory, and every transaction that was ever sent to it."""

import hashlib
import json
import time
from dataclasses import dataclass, field

from vaultsigner.dev.beacon_rules import UNKNOWN_ADDRESS, UNKNOWN_REQUEST, check
from vaultsigner.dev.beacon_transactions import DecodedTransaction, decode
from vaultsigner.dev.beacon_wire import TX_DECODE, Refused

ROOT_CODESPACE = 1


@dataclass(slots=True)
class Account:
    """An address on the chain; `sequence` is what its next transaction must carry."""

    account_number: int
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Received:
    """One broadcast as it came in and what became of it; `transaction` is None where nobody could read it."""

    hex: str
    transaction_hash: str
    transaction: DecodedTransaction | None
    refusal: str | None
    at: float = field(default_factory=time.monotonic)

    @property
    def executed(self) -> bool:
        """Whether the chain took it."""
        return self.refusal is None


class BeaconChain:
    """Judges and executes transactions.

    Args:
        chain_id: what signatures must cover; may be changed at any time.
        address_prefix: how this chain writes addresses.
        block_seconds: how long a transaction that was taken stays unseen by queries; 0 shows it at once.
    """

    def __init__(self, chain_id: str, address_prefix: str, block_seconds: float) -> None:
        self.chain_id = chain_id
        self.address_prefix = address_prefix
        self.block_seconds = block_seconds
        self.accounts: dict[str, Account] = {}
        self.received: list[Received] = []

    @property
    def executed(self) -> list[Received]:
        """The transactions that count, in order."""
        return [received for received in self.received if received.executed]

    def add_account(self, address: str, account_number: int, sequence: int = 0) -> Account:
        """Opens an account, or resets one."""
        account = self.accounts[address] = Account(account_number, sequence)
        return account

    def visible_sequence(self, address: str) -> int:
        """The account's sequence as of the last block."""
        pending = (received.transaction for received in self.executed if not self.in_block(received))
        unseen = sum(transaction is not None and transaction.sender == address for transaction in pending)
        return self.accounts[address].sequence - unseen

    def in_block(self, received: Received) -> bool:
        """Whether queries see it already."""
        return time.monotonic() - received.at >= self.block_seconds

    def find(self, transaction_hash: str) -> Received | None:
        """A transaction that is in a block."""
        for received in self.executed:
            if received.transaction_hash == transaction_hash and self.in_block(received):
                return received
        return None

    def take(self, text: str) -> Received:
        """Judge a broadcast in hexadecimal and, when it is good, execute it."""
        transaction, refusal, data = None, None, b""
        try:
            data = _from_hex(text)
            self._refuse_pending(data)
            transaction = decode(data, self.address_prefix)
            self._execute(transaction)
        except Refused as refused:
            refusal = _message_of(refused)
        received = Received(text, _hash_of(data), transaction, refusal)
        self.received.append(received)
        return received

    def lose(self, text: str) -> None:
        """Note a broadcast that gets lost on the way: nothing is judged or executed."""
        self.received.append(Received(text, "", None, "lost on the way"))

    def _execute(self, transaction: DecodedTransaction) -> None:
        account = self.accounts.get(transaction.sender)
        if account is None:
            raise Refused(UNKNOWN_ADDRESS, f"account {transaction.sender} does not exist")
        check(transaction, self.chain_id, account.account_number, account.sequence)
        account.sequence += 1

    def _refuse_pending(self, data: bytes) -> None:
        """Bytes that a node holds and that are in no block yet are not judged a second time."""
        if any(
            received.transaction_hash == _hash_of(data) and not self.in_block(received)
            for received in self.executed
        ):
            raise Refused(UNKNOWN_REQUEST, "Tx already exists in cache")


def _hash_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest().upper()


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Refused(TX_DECODE, "the body is not hexadecimal") from None


def _message_of(refused: Refused) -> str:
    """JSON as text, which the real node puts inside its JSON answer."""
    document = {
        "codespace": ROOT_CODESPACE,
        "code": refused.code,
        "abci_code": (ROOT_CODESPACE << 16) + refused.code,
        "message": str(refused),
    }
    return json.dumps(document, separators=(",", ":"))
