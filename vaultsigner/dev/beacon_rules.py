"""What the chain wants of a transaction before it takes it: the ante handler of cosmos-sdk 0.25, for the messages we know."""

import coincurve

from vaultsigner.dev.beacon_transactions import DecodedTransaction, address_of, hash160
from vaultsigner.dev.beacon_wire import Refused

MEMO_LIMIT_BYTES = 128
POSITIVE = {"price", "quantity", "amount", "side", "ordertype", "timeinforce", "option", "proposal_id"}

INVALID_SEQUENCE, UNAUTHORIZED, UNKNOWN_REQUEST, UNKNOWN_ADDRESS, INVALID_COINS, MEMO_TOO_LARGE = (
    3,
    4,
    6,
    9,
    11,
    13,
)
"""The SDK's codes."""


def check(transaction: DecodedTransaction, chain_id: str, account_number: int, sequence: int) -> None:
    """Everything the chain wants of a transaction before it takes it.

    Args:
        transaction: from `decode`.
        chain_id: what its signature must cover.
        account_number: the sender's.
        sequence: the sender's next.

    Raises:
        Refused: with the reason.
    """
    if len(transaction.memo.encode()) > MEMO_LIMIT_BYTES:
        raise Refused(MEMO_TOO_LARGE, f"maximum number of bytes is {MEMO_LIMIT_BYTES}")
    if transaction.sequence != sequence:
        raise Refused(INVALID_SEQUENCE, f"Invalid sequence. Got {transaction.sequence}, expected {sequence}")
    if transaction.account_number != account_number:
        raise Refused(UNAUTHORIZED, f"Invalid account number. Got {transaction.account_number}")
    _check_message(transaction)
    prefix = transaction.sender.rpartition("1")[0]
    if transaction.sender != address_of(transaction.public_key, prefix):
        raise Refused(UNAUTHORIZED, "PubKey does not match Signer address")
    if not _verifies(transaction.public_key, transaction.signature, transaction.sign_text(chain_id)):
        raise Refused(UNAUTHORIZED, "signature verification failed")


def _verifies(public_key: bytes, signature: bytes, text: bytes) -> bool:
    """64 bytes r and s, s in the lower half (the chain refuses the other one, which anybody could make from it)."""
    if len(signature) != 64:
        return False
    r, s = signature[:32], signature[32:]
    try:
        return coincurve.PublicKey(public_key).verify(_der(r, s), text)
    except ValueError:
        return False


def _der(r: bytes, s: bytes) -> bytes:
    """libsecp256k1 verifies only low s, so what it accepts is what the chain accepts."""

    def integer(value: bytes) -> bytes:
        digits = value.lstrip(b"\0") or b"\0"
        digits = b"\0" + digits if digits[0] & 0x80 else digits
        return bytes([2, len(digits)]) + digits

    body = integer(r) + integer(s)
    return bytes([0x30, len(body)]) + body


def _check_message(transaction: DecodedTransaction) -> None:
    message = transaction.message
    if transaction.kind == "transfer":
        _check_coins(message)
    expected = f"{hash160(transaction.public_key).hex().upper()}-{transaction.sequence + 1}"
    if transaction.kind == "order" and message["id"] != expected:
        raise Refused(UNAUTHORIZED, f"the order ID is not as expected: {expected}")
    for member in POSITIVE & message.keys():
        if message[member] in (0, "0", ""):
            raise Refused(INVALID_COINS, f"{member} should be larger than 0")


def _check_coins(message: dict[str, object]) -> None:
    inputs = message["inputs"]
    if isinstance(inputs, list) and len(inputs) != 1:
        raise Refused(UNAUTHORIZED, "one signature, so one sender")
    sums: list[dict[str, int]] = []
    for side in ("inputs", "outputs"):
        total: dict[str, int] = {}
        entries = message[side]
        assert isinstance(entries, list)  # noqa: S101 (built so by _message)
        for entry in entries:
            denoms = [coin["denom"] for coin in entry["coins"]]
            if not denoms or denoms != sorted(set(denoms)) or any(c["amount"] < 1 for c in entry["coins"]):
                raise Refused(
                    INVALID_COINS, f"{side}: coins must be positive and in the order of their names"
                )
            for coin in entry["coins"]:
                total[coin["denom"]] = total.get(coin["denom"], 0) + coin["amount"]
        sums.append(total)
    if not sums[0] or sums[0] != sums[1]:
        raise Refused(INVALID_COINS, "sum(inputs) != sum(outputs)")
