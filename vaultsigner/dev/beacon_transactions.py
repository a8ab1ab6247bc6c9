"""Reads and judges Beacon Chain transactions from their bytes alone, as a node does.

Written apart from `vaultsigner.formats` and importing nothing of it: two readings that agree are worth more than one.
Sources: dex.proto of the chain's SDKs, Amino's registered prefixes.
"""

import hashlib
import json
from dataclasses import dataclass

import bech32

from vaultsigner.dev.beacon_wire import (
    TX_DECODE,
    Fields,
    Refused,
    byte_member,
    count_member,
    in_order,
    once_each,
    read_fields,
    read_varint,
    utf8,
)

TRANSACTION, PUBLIC_KEY = bytes.fromhex("f0625dee"), bytes.fromhex("eb5ae98721")
KINDS = {
    bytes.fromhex("ce6dc043"): "order",
    bytes.fromhex("166e681b"): "cancel_order",
    bytes.fromhex("2a2c87fa"): "transfer",
    bytes.fromhex("e774b32d"): "freeze",
    bytes.fromhex("6515ff0d"): "unfreeze",
    bytes.fromhex("a1cadd36"): "vote",
}
SENDER, TEXT, COUNT = "address", "text", "count"
MEMBERS: dict[str, dict[int, tuple[str, str]]] = {
    "order": {
        1: ("sender", SENDER),
        2: ("id", TEXT),
        3: ("symbol", TEXT),
        4: ("ordertype", COUNT),
        5: ("side", COUNT),
        6: ("price", COUNT),
        7: ("quantity", COUNT),
        8: ("timeinforce", COUNT),
    },
    "cancel_order": {1: ("sender", SENDER), 2: ("symbol", TEXT), 3: ("refid", TEXT)},
    "freeze": {1: ("from", SENDER), 2: ("symbol", TEXT), 3: ("amount", COUNT)},
    "unfreeze": {1: ("from", SENDER), 2: ("symbol", TEXT), 3: ("amount", COUNT)},
    "vote": {1: ("proposal_id", COUNT), 2: ("voter", SENDER), 3: ("option", COUNT)},
}
VOTE_OPTIONS = {1: "Yes", 2: "Abstain", 3: "No", 4: "NoWithVeto"}
SENDER_MEMBERS = ("sender", "from", "voter")


@dataclass(frozen=True, slots=True)
class DecodedTransaction:
    """A transaction as the chain reads it. `message` is what stands under `msgs` in the text that was signed."""

    kind: str
    message: dict[str, object]
    sender: str
    public_key: bytes
    signature: bytes
    account_number: int
    sequence: int
    memo: str
    source: int

    def sign_text(self, chain_id: str) -> bytes:
        """What the signature must cover: members sorted, no blanks, UTF-8 as it is."""
        document = {
            "account_number": str(self.account_number),
            "chain_id": chain_id,
            "data": None,
            "memo": self.memo,
            "msgs": [self.message],
            "sequence": str(self.sequence),
            "source": str(self.source),
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def decode(data: bytes, prefix: str) -> DecodedTransaction:
    """Read a whole transaction; `prefix` is how this chain writes addresses.

    Raises:
        Refused: it is not exactly one transaction with one message and one signature in the chain's form.
    """
    length, start = read_varint(data, 0)
    if length != len(data) - start or data[start : start + 4] != TRANSACTION:
        raise Refused(TX_DECODE, "not a transaction, or bytes follow it")
    parts = once_each(read_fields(data[start + 4 :]), {1, 2, 3, 4})
    kind, message = _message(byte_member(parts, 1), prefix)
    signature = once_each(read_fields(byte_member(parts, 2)), {1, 2, 3, 4})
    key = byte_member(signature, 1)
    if key[:5] != PUBLIC_KEY or len(key) != 38:
        raise Refused(TX_DECODE, "no compressed secp256k1 public key")
    return DecodedTransaction(
        kind=kind,
        message=message,
        sender=_sender(message),
        public_key=key[5:],
        signature=byte_member(signature, 2),
        account_number=count_member(signature, 3),
        sequence=count_member(signature, 4),
        memo=utf8(parts.get(3, b"")),
        source=count_member(parts, 4),
    )


def address_of(public_key: bytes, prefix: str) -> str:
    """The address that belongs to a compressed key."""
    return _address(hash160(public_key), prefix)


def hash160(public_key: bytes) -> bytes:
    """RIPEMD-160 over SHA-256: the 20 bytes of an address."""
    return hashlib.new("ripemd160", hashlib.sha256(public_key).digest()).digest()


def _message(data: bytes, prefix: str) -> tuple[str, dict[str, object]]:
    kind = KINDS.get(data[:4])
    if kind is None:
        raise Refused(TX_DECODE, f"unknown message type {data[:4].hex()}")
    if kind == "transfer":
        return kind, _transfer(read_fields(data[4:]), prefix)
    members = MEMBERS[kind]
    values = once_each(read_fields(data[4:]), set(members))
    message: dict[str, object] = {}
    for number, (name, form) in members.items():
        if form == COUNT:
            message[name] = count_member(values, number)
        elif form == TEXT:
            message[name] = utf8(values.get(number, b""))
        else:
            message[name] = _address(byte_member(values, number), prefix)
    if kind == "vote":  # in the signed text a vote has its number as text and its option as a word
        option = message["option"]
        message["proposal_id"] = str(message["proposal_id"])
        message["option"] = VOTE_OPTIONS.get(option, "") if isinstance(option, int) else ""
    return kind, message


def _transfer(fields: Fields, prefix: str) -> dict[str, object]:
    sides: dict[str, list[dict[str, object]]] = {"inputs": [], "outputs": []}
    in_order(fields)
    for number, value in fields:
        if number not in (1, 2) or isinstance(value, int):
            raise Refused(TX_DECODE, f"unknown field {number}")
        sides["inputs" if number == 1 else "outputs"].append(_party(read_fields(value), prefix))
    if not sides["inputs"]:
        raise Refused(TX_DECODE, "a transfer without a sender")
    return dict(sides)


def _party(fields: Fields, prefix: str) -> dict[str, object]:
    in_order(fields)
    address = byte_member(once_each([field for field in fields if field[0] != 2], {1}), 1)
    coins = []
    for number, value in fields:
        if number == 2:
            coin = once_each(read_fields(value if isinstance(value, bytes) else b"\0"), {1, 2})
            coins.append({"amount": count_member(coin, 2), "denom": utf8(byte_member(coin, 1))})
    return {"address": _address(address, prefix), "coins": coins}


def _sender(message: dict[str, object]) -> str:
    inputs = message.get("inputs")
    if isinstance(inputs, list):
        return str(inputs[0]["address"])
    return next(str(message[name]) for name in SENDER_MEMBERS if name in message)


def _address(raw: bytes, prefix: str) -> str:
    five_bits = bech32.convertbits(raw, 8, 5)
    if len(raw) != 20 or five_bits is None:
        raise Refused(TX_DECODE, "an address has 20 bytes")
    return str(bech32.bech32_encode(prefix, five_bits))
