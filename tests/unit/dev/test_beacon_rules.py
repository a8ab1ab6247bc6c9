"""The node stand-in's own reading of transactions, against vectors that two SDKs made."""

import json
from dataclasses import replace
from typing import Any

import coincurve
import pytest

from vaultsigner.dev.beacon_rules import (
    INVALID_COINS,
    INVALID_SEQUENCE,
    MEMO_TOO_LARGE,
    UNAUTHORIZED,
    check,
)
from vaultsigner.dev.beacon_transactions import DecodedTransaction, decode
from vaultsigner.dev.beacon_wire import TX_DECODE, Refused

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
PREFIXES = {"testnet": "tbnb", "mainnet": "bnb"}
OVERLONG_MEMO = "transfer-007"

Vector = dict[str, Any]


def read(vector: Vector) -> DecodedTransaction:
    return decode(bytes.fromhex(vector["signed_tx"]), PREFIXES[vector["network"]])


def judge(transaction: DecodedTransaction, vector: Vector) -> None:
    check(transaction, vector["chain_id"], vector["account_number"], vector["sequence"])


def signed_anew(transaction: DecodedTransaction, vector: Vector) -> DecodedTransaction:
    key = coincurve.PrivateKey.from_hex(vector["private_key"])
    text = transaction.sign_text(vector["chain_id"])
    return replace(transaction, signature=key.sign_recoverable(text)[:64])


@pytest.fixture
def transfer(vectors: list[Vector]) -> Vector:
    return next(vector for vector in vectors if vector["id"] == "transfer-005")


@pytest.fixture
def order(vectors: list[Vector]) -> Vector:
    return next(vector for vector in vectors if vector["id"] == "new_order-001")


def test_every_vector_is_read_to_the_text_that_was_signed(vectors: list[Vector]) -> None:
    for vector in vectors:
        assert read(vector).sign_text(vector["chain_id"]) == vector["sign_bytes"].encode(), vector["id"]


def test_every_vector_is_taken_but_the_one_with_the_overlong_memo(vectors: list[Vector]) -> None:
    for vector in vectors:
        if vector["id"] != OVERLONG_MEMO:
            judge(read(vector), vector)


def test_an_overlong_memo_is_refused(vectors: list[Vector]) -> None:
    vector = next(vector for vector in vectors if vector["id"] == OVERLONG_MEMO)
    with pytest.raises(Refused) as refused:
        judge(read(vector), vector)
    assert refused.value.code == MEMO_TOO_LARGE


def test_every_flipped_byte_is_refused(transfer: Vector) -> None:
    good = bytes.fromhex(transfer["signed_tx"])
    for index in range(len(good)):
        flipped = bytearray(good)
        flipped[index] ^= 1
        with pytest.raises(Refused):
            judge(decode(bytes(flipped), "bnb"), transfer)


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x80" * 12, b"\x00" * 8])
def test_bytes_that_are_no_transaction_are_refused(data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        decode(data, "tbnb")
    assert refused.value.code == TX_DECODE


def test_trailing_bytes_are_refused(transfer: Vector) -> None:
    with pytest.raises(Refused, match="follow"):
        decode(bytes.fromhex(transfer["signed_tx"]) + b"\0", "bnb")


def test_a_second_way_to_write_the_length_is_refused(transfer: Vector) -> None:
    data = bytes.fromhex(transfer["signed_tx"])
    overlong = bytes([data[0], data[1] | 0x80, 0]) + data[2:]
    with pytest.raises(Refused, match="malformed number"):
        decode(overlong, "bnb")


def test_another_chain_id_is_refused(transfer: Vector) -> None:
    with pytest.raises(Refused, match="signature verification failed"):
        judge(read(transfer), {**transfer, "chain_id": "Binance-Chain-Ganges"})


@pytest.mark.parametrize("sequence", [1, 3])
def test_a_used_or_skipped_sequence_is_refused(transfer: Vector, sequence: int) -> None:
    with pytest.raises(Refused) as refused:
        judge(read(transfer), {**transfer, "sequence": sequence})
    assert refused.value.code == INVALID_SEQUENCE


def test_another_account_number_is_refused(transfer: Vector) -> None:
    with pytest.raises(Refused, match="account number"):
        judge(read(transfer), {**transfer, "account_number": 3})


def test_the_other_form_of_the_signature_is_refused(transfer: Vector) -> None:
    """Anybody can turn s into n - s; a chain that took both would know one transaction by two hashes."""
    transaction = read(transfer)
    r, s = transaction.signature[:32], int.from_bytes(transaction.signature[32:])
    high = replace(transaction, signature=r + (CURVE_ORDER - s).to_bytes(32))
    with pytest.raises(Refused) as refused:
        judge(high, transfer)
    assert refused.value.code == UNAUTHORIZED


def test_somebody_elses_key_is_refused(transfer: Vector, order: Vector) -> None:
    stranger = coincurve.PrivateKey.from_hex(order["private_key"])
    transaction = replace(read(transfer), public_key=stranger.public_key.format())
    with pytest.raises(Refused, match="does not match"):
        judge(signed_anew(transaction, order), transfer)


def test_an_order_id_of_another_sequence_is_refused(order: Vector) -> None:
    transaction = read(order)
    message = {**transaction.message, "id": str(transaction.message["id"]) + "4"}
    with pytest.raises(Refused, match="order ID"):
        judge(signed_anew(replace(transaction, message=message), order), order)


def test_coins_that_appear_from_nowhere_are_refused(transfer: Vector) -> None:
    transaction = read(transfer)
    message = json.loads(json.dumps(transaction.message))
    message["outputs"][0]["coins"][0]["amount"] += 1
    with pytest.raises(Refused) as refused:
        judge(signed_anew(replace(transaction, message=message), transfer), transfer)
    assert refused.value.code == INVALID_COINS


def test_coins_out_of_order_are_refused(vectors: list[Vector]) -> None:
    vector = next(vector for vector in vectors if vector["id"] == "multi_transfer-002")
    transaction = read(vector)
    message = json.loads(json.dumps(transaction.message))
    for side in ("inputs", "outputs"):
        message[side][0]["coins"].reverse()
    with pytest.raises(Refused, match="order of their names"):
        judge(signed_anew(replace(transaction, message=message), vector), vector)


def test_an_amount_of_zero_is_refused(order: Vector) -> None:
    transaction = read(order)
    nothing = replace(transaction, message={**transaction.message, "quantity": 0})
    with pytest.raises(Refused, match="quantity"):
        judge(signed_anew(nothing, order), order)
