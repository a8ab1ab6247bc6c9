"""What is signed: the canonical JSON text of a transaction, and the account that it is bound to.

Canonical: members sorted by name, no blanks, UTF-8 without escapes where JSON allows it, a plain slash, and `<`, `>`, `&`,
U+2028 and U+2029 as they are (as both client libraries of the chain write it).
"""

import json
import re
from dataclasses import dataclass

from vaultsigner.domain.names import JsonValue
from vaultsigner.formats.bnb_beacon.address import ADDRESS_LENGTH, encode_address
from vaultsigner.formats.bnb_beacon.amino import MAX_INT64, encode_text
from vaultsigner.formats.bnb_beacon.errors import FormatError
from vaultsigner.formats.bnb_beacon.message_bytes import order_id
from vaultsigner.formats.bnb_beacon.message_types import (
    VOTE_OPTIONS,
    CancelOrder,
    Coin,
    Message,
    NewOrder,
    Transfer,
    Vote,
)

MAX_MEMO_BYTES = 128

_CHAIN_ID = re.compile(r"[A-Za-z0-9._\-]{1,64}")
_PREFIX = re.compile(r"[a-z][a-z0-9]{0,19}")

_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


@dataclass(frozen=True, slots=True)
class Account:
    """What a signature is bound to: it is good for this account of this chain at this sequence, and nowhere else.

    Args:
        address: 20 bytes.
        prefix: of addresses as text on this chain, `bnb` or `tbnb`.
        chain_id: e.g. `Binance-Chain-Tigris`; never empty, since a signature without one would be good on any chain.
        account_number, sequence: as the node gives them.
    """

    address: bytes
    prefix: str
    chain_id: str
    account_number: int
    sequence: int

    def __post_init__(self) -> None:
        if len(self.address) != ADDRESS_LENGTH:
            raise FormatError(f"an address is {ADDRESS_LENGTH} bytes")
        if not _PREFIX.fullmatch(self.prefix) or not _CHAIN_ID.fullmatch(self.chain_id):
            raise FormatError("the address prefix or the chain id is missing or malformed")
        check_number(self.account_number, "an account number")
        check_number(self.sequence, "a sequence")


def check_number(value: int, name: str) -> None:
    """Refuse what is no whole number from 0 to 2^63-1.

    Raises:
        FormatError: it is not.
    """
    if type(value) is not int or not 0 <= value <= MAX_INT64:
        raise FormatError(f"{name} is a whole number from 0 to 2^63-1")


def check_memo(memo: str) -> None:
    """Refuse a memo that a node refuses.

    Raises:
        FormatError: more than 128 bytes in UTF-8, or half of a surrogate pair in it.
    """
    length = len(encode_text(memo))
    if length > MAX_MEMO_BYTES:
        raise FormatError(f"the memo has {length} bytes in UTF-8: write at most {MAX_MEMO_BYTES}")


def sign_document(message: Message, account: Account, memo: str, source: int = 0) -> bytes:
    """The text whose SHA-256 is signed.

    Args:
        memo: of any length; `check_memo` holds what a node takes.
        source: the number by which a tool names itself on the chain; 0 for none.

    Raises:
        FormatError: the memo or the source cannot be encoded.
    """
    check_number(source, "a source")
    text = _encode(
        {
            "account_number": str(account.account_number),
            "chain_id": account.chain_id,
            "data": None,
            "memo": memo,
            "msgs": [_signed_members(message, account)],
            "sequence": str(account.sequence),
            "source": str(source),
        }
    )
    return encode_text(text)


def _signed_members(message: Message, account: Account) -> dict[str, JsonValue]:
    sender = encode_address(account.address, account.prefix)
    match message:
        case NewOrder():
            return {
                "id": order_id(account.address, account.sequence),
                "ordertype": message.order_type,
                "price": message.price,
                "quantity": message.quantity,
                "sender": sender,
                "side": message.side,
                "symbol": message.symbol,
                "timeinforce": message.time_in_force,
            }
        case CancelOrder():
            return {"refid": message.order_id, "sender": sender, "symbol": message.symbol}
        case Transfer():
            outputs = [
                _party(encode_address(output.address, account.prefix), output.coins)
                for output in message.outputs
            ]
            return {"inputs": [_party(sender, message.inputs)], "outputs": [*outputs]}
        case Vote():
            # As the JavaScript library does: a node writes 64-bit numbers as text when it rebuilds this. The Python library's
            # number, multiplied by 10^8, cannot verify.
            return {
                "option": VOTE_OPTIONS[message.option],
                "proposal_id": str(message.proposal_id),
                "voter": sender,
            }
        case _:
            return {"amount": message.amount, "from": sender, "symbol": message.symbol}


def _party(address: str, coins: tuple[Coin, ...]) -> JsonValue:
    return {"address": address, "coins": [{"amount": coin.amount, "denom": coin.denom} for coin in coins]}
