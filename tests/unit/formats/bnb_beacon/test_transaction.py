"""Transactions: what encodes decodes to the same, and what decodes has no other encoding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.formats.bnb_beacon.strategies import account_of, transactions
from vaultsigner.formats.bnb_beacon.address import address_of
from vaultsigner.formats.bnb_beacon.amino import bytes_member, encode_varint, varint_member
from vaultsigner.formats.bnb_beacon.message_bytes import decode_message
from vaultsigner.formats.bnb_beacon.messages import (
    CancelOrder,
    Coin,
    FormatError,
    Freeze,
    Message,
    NewOrder,
    Output,
    Transfer,
    Unfreeze,
    Vote,
)
from vaultsigner.formats.bnb_beacon.transaction import (
    Account,
    Transaction,
    decode_transaction,
    encode_transaction,
    transaction_hash,
)

KEY = b"\x02" + bytes(range(32))
SIGNATURE = bytes(range(64))
ACCOUNT = Account(address_of(KEY), "tbnb", "chain-of-tests", 23452, 2)
ONE_OF_EACH: list[Message] = [
    NewOrder(symbol="ANN-457_BNB", side=1, time_in_force=3, price=39600, quantity=300),
    CancelOrder("ANN-457_BNB", "7F-3"),
    Transfer((Output(b"\x01" * 20, (Coin("BNB", 1), Coin("X", 2))), Output(b"\x02" * 20, (Coin("X", 200),)))),
    Freeze("BNB", 5),
    Unfreeze("BNB", 5),
    Vote(300, 2),
]
each_message = pytest.mark.parametrize("message", ONE_OF_EACH, ids=lambda message: type(message).__name__)


def encoded(transaction: Transaction) -> bytes:
    return encode_transaction(
        transaction.message,
        account_of(transaction),
        transaction.memo,
        transaction.public_key,
        transaction.signature,
        source=transaction.source,
    )


def sample(message: Message, memo: str = "memo") -> bytes:
    return encode_transaction(message, ACCOUNT, memo, KEY, SIGNATURE, source=1)


def refused(data: bytes) -> str:
    with pytest.raises(FormatError) as caught:
        decode_transaction(data)
    return str(caught.value)


def framed(body: bytes) -> bytes:
    return encode_varint(len(body)) + body


def rebuilt(
    *, message: bytes | None = None, signature: bytes | None = None, before: bytes = b"", after: bytes = b""
) -> bytes:
    """A transaction put together by hand around Freeze("BNB", 5), so that single parts of it can be wrong."""
    if message is None:
        message = (
            bytes.fromhex("E774B32D") + bytes_member(1, ACCOUNT.address) + bytes.fromhex("1203424e421805")
        )
    if signature is None:
        signature = by_hand(KEY)
    body = bytes.fromhex("F0625DEE") + bytes_member(1, message) + before + bytes_member(2, signature) + after
    return framed(body)


def by_hand(key: bytes, prefix: str = "EB5AE98721", signature: bytes = SIGNATURE, numbers: str = "") -> bytes:
    return bytes_member(1, bytes.fromhex(prefix) + key) + bytes_member(2, signature) + bytes.fromhex(numbers)


@given(transactions())
def test_round_trip(transaction: Transaction) -> None:
    assert decode_transaction(encoded(transaction)) == transaction


def same_bytes_or_refused(data: bytes) -> Transaction | None:
    """The malleability property: whatever is read has exactly these bytes as its encoding."""
    try:
        transaction = decode_transaction(data)
    except FormatError:
        return None
    assert encoded(transaction) == data
    return transaction


@given(transactions(), st.data())
def test_changed_bytes_are_refused_or_say_something_else(
    transaction: Transaction, data: st.DataObject
) -> None:
    original = encoded(transaction)
    at = data.draw(st.integers(0, len(original) - 1))
    until = data.draw(st.integers(at, min(at + 3, len(original))))
    replacement = data.draw(st.binary(max_size=3))
    changed = original[:at] + replacement + original[until:]
    if changed != original:
        assert same_bytes_or_refused(changed) != transaction


@each_message
def test_every_flipped_bit_is_refused_or_says_something_else(message: Message) -> None:
    original = sample(message)
    decoded = decode_transaction(original)
    for position in range(len(original)):
        for bit in range(8):
            changed = bytearray(original)
            changed[position] ^= 1 << bit
            assert same_bytes_or_refused(bytes(changed)) != decoded


@each_message
def test_every_missing_doubled_or_inserted_byte_is_refused(message: Message) -> None:
    original = sample(message)
    for position in range(len(original)):
        before, after = original[:position], original[position:]
        for changed in (before + after[1:], before + after[:1] + after, before + b"\x00" + after, before):
            assert same_bytes_or_refused(changed) is None


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    assert same_bytes_or_refused(data) is None


def test_by_hand_is_what_the_codec_makes() -> None:
    account = Account(ACCOUNT.address, "tbnb", "chain-of-tests", 0, 0)
    assert rebuilt() == encode_transaction(Freeze("BNB", 5), account, "", KEY, SIGNATURE)


@pytest.mark.parametrize(
    "data",
    [
        rebuilt() + b"\x00",
        rebuilt()[:-1],
        b"\x80" + rebuilt(),
        encode_varint(300)[:1] + rebuilt(),
        rebuilt(after=bytes_member(5, b"data")),
        rebuilt(after=varint_member(4, 1) + bytes_member(3, b"memo")),
        rebuilt(after=bytes_member(3, b"memo") * 2),
        rebuilt(after=b"\x1a\x00"),
        rebuilt(after=b"\x20\x00"),
        rebuilt(after=bytes_member(3, b"\xff")),
        rebuilt(after=b"\x20" + b"\xff" * 9 + b"\x01"),
        rebuilt(before=bytes_member(1, bytes.fromhex("E774B32D"))),
        rebuilt(after=bytes_member(2, by_hand(KEY))),
        rebuilt(message=b"\x00" * 30),
        rebuilt(signature=by_hand(KEY[:-1])),
        rebuilt(signature=by_hand(KEY + b"\x00")),
        rebuilt(signature=by_hand(KEY, prefix="EB5AE98720")),
        rebuilt(signature=by_hand(KEY, prefix="1624DE6420")),
        rebuilt(signature=by_hand(b"\x04" + KEY[1:])),
        rebuilt(signature=by_hand(b"\x03" + KEY[1:])),
        rebuilt(signature=by_hand(KEY, signature=SIGNATURE[:-1])),
        rebuilt(signature=by_hand(KEY, signature=SIGNATURE + b"\x00")),
        rebuilt(signature=by_hand(KEY, numbers="1800")),
        rebuilt(signature=by_hand(KEY, numbers="2001 1801")),
        rebuilt(signature=by_hand(KEY, numbers="188100")),
        rebuilt(signature=by_hand(KEY, numbers="2801")),
        framed(bytes.fromhex("F0625DEE")),
        framed(bytes.fromhex("F0625DEF")),
        b"",
        b"\x00",
    ],
)
def test_transaction_in_another_spelling_is_refused(data: bytes) -> None:
    refused(data)


@pytest.mark.parametrize(
    "data",
    [
        rebuilt() + b"\x00",
        rebuilt(after=bytes_member(5, b"data")),
        rebuilt(signature=by_hand(KEY + b"\x00")),
        rebuilt(signature=by_hand(KEY, numbers="2801")),
    ],
    ids=["transaction", "members", "public key", "signature"],
)
def test_reason_names_bytes_that_are_left(data: bytes) -> None:
    assert refused(data) == "bytes are left that belong to no member in its place"


def test_message_alone_is_read_as_strictly() -> None:
    good = bytes.fromhex("E774B32D") + bytes_member(1, ACCOUNT.address) + bytes.fromhex("1203424e421805")
    assert decode_message(good) == (Freeze("BNB", 5), ACCOUNT.address)
    for wrong in (
        good + b"\x20\x01",
        good.replace(b"\x0a\x14" + ACCOUNT.address[:1], b"\x0a\x13"),
        good[4:],
        b"",
    ):
        with pytest.raises(FormatError):
            decode_message(wrong)


def freeze(members: str, sender: bytes = ACCOUNT.address, prefix: str = "E774B32D") -> bytes:
    return rebuilt(message=bytes.fromhex(prefix) + bytes_member(1, sender) + bytes.fromhex(members))


@pytest.mark.parametrize(
    "data",
    [
        freeze("1203424e42"),
        freeze("1203424e421800"),
        freeze("1203424e4218ffffffffffffffffff01"),
        freeze("1203424e4218808080808080808080 01"),
        freeze("18051203424e42"),
        freeze("1805"),
        freeze("1203425f421805"),
        freeze("1203424e4218052001"),
        freeze("1203424e421805", sender=ACCOUNT.address[1:]),
        freeze("1203424e421805", sender=b"\x01" * 20),
        freeze("1203424e421805", prefix="17EFAB80"),
    ],
    ids=[
        "no amount",
        "amount zero",
        "amount minus one",
        "amount 2^63",
        "out of order",
        "no token",
        "a token that is none",
        "unknown member",
        "short sender",
        "another sender than the key's",
        "a kind that is not ours",
    ],
)
def test_message_that_the_chain_has_no_form_for_is_refused(data: bytes) -> None:
    refused(data)


def test_order_with_an_id_of_another_account_or_sequence_is_refused() -> None:
    original = sample(ONE_OF_EACH[0])
    own_id = f"{ACCOUNT.address.hex().upper()}-3".encode()
    assert own_id in original
    for other in (own_id[:-1] + b"4", own_id.lower(), b"0" * 40 + b"-3"):
        assert (
            refused(original.replace(own_id, other)) == "the bytes are not the one encoding of what they say"
        )


def test_transfer_whose_inputs_are_not_the_sum_of_its_outputs_is_refused() -> None:
    """What the sender loses and what the receivers get must be one thing, or a shown transfer is not the signed one."""
    original = sample(Transfer((Output(b"\x01" * 20, (Coin("BNB", 5),)),)))
    five, six = bytes.fromhex("0a03424e421005"), bytes.fromhex("0a03424e421006")
    before, between, after = original.split(five)
    for changed in (before + six + between + five + after, before + five + between + six + after):
        assert "one encoding" in refused(changed)


def test_key_of_another_account_is_refused() -> None:
    with pytest.raises(FormatError, match="not the sender's"):
        encode_transaction(Freeze("BNB", 5), ACCOUNT, "", b"\x03" + KEY[1:], SIGNATURE)


def test_size_is_limited_in_both_directions() -> None:
    with pytest.raises(FormatError, match="at most 65536 bytes"):
        sample(Freeze("BNB", 5), "x" * 65536)
    assert (
        refused(framed(bytes.fromhex("F0625DEE") + b"\x00" * 10_000_000))
        == "a transaction has at most 65536 bytes"
    )


def test_largest_transfer_fits() -> None:
    outputs = tuple(Output(i.to_bytes(20, "big"), (Coin(f"{i:032}", 2**63 - 1),)) for i in range(400))
    decoded = decode_transaction(sample(Transfer(outputs), "x" * 128))
    assert decoded.message == Transfer(outputs)


def test_hash_is_upper_case_sha_256_of_all_bytes() -> None:
    assert transaction_hash(b"") == "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"
