"""The codec against transactions that two independent libraries made, byte for byte.

bnb_beacon.json beside this file: made by @bnb-chain/javascript-sdk 4.4.5 and python-binance-chain 0.1.20, which agree on
each transaction; a copy of the project's shared vectors. javascript_sdk.json: what those leave out. Each file's `about`
says how it was made.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import coincurve
import pytest

from vaultsigner.domain.amounts import parse_units
from vaultsigner.formats.bnb_beacon.address import address_of, decode_address, encode_address
from vaultsigner.formats.bnb_beacon.messages import (
    Message,
    message_from_document,
    message_kind,
    message_to_document,
)
from vaultsigner.formats.bnb_beacon.request_body import RequestBody, read_request
from vaultsigner.formats.bnb_beacon.transaction import (
    Account,
    decode_transaction,
    encode_transaction,
    sign_document,
    transaction_hash,
)
from vaultsigner.strict_json import parse

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[2] / "shared" / "vectors" / "bnb_beacon.json"
PREFIXES = {"TESTNET": "tbnb", "PROD": "bnb"}
KINDS = {"new_order": "order", "multi_transfer": "transfer"}
HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0

Vector = dict[str, Any]


def load(path: Path) -> dict[str, list[Vector]]:
    """Read a vector file. A missing one fails the run: a codec that is compared with nothing has not been tested."""
    if not path.is_file():
        raise FileNotFoundError(f"the vectors are expected at {path}")
    loaded: dict[str, list[Vector]] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def named(vectors: list[Vector], name: str) -> list[Any]:
    return [pytest.param(vector, id=vector[name]) for vector in vectors]


shared = load(HERE / "bnb_beacon.json")
javascript = load(HERE / "javascript_sdk.json")
every_vector = pytest.mark.parametrize("vector", named(shared["vectors"] + javascript["vectors"], "id"))
every_key = pytest.mark.parametrize("key", named(shared["derivation"], "name"))


def request_document(vector: Vector) -> dict[str, Any]:
    """The body that a client would send for this vector."""
    members = dict(vector.get("msg") or vector["message"])
    if "outputs" in members:
        members = {
            "transfers": [
                {"to_address": output["to_address"], **coin}
                for output in members["outputs"]
                for coin in output["coins"]
            ]
        }
    return {"wallet_name": "wallet_1", "msg": members, "memo": vector["memo"]}


def read(vector: Vector, **changes: Any) -> object:
    body = json.dumps(request_document(vector) | changes).encode()
    kind: str = vector.get("kind") or vector["msg_type"]
    return read_request(KINDS.get(kind, kind), parse(body), PREFIXES[vector["env_name"]])


def message_of(vector: Vector) -> Message:
    body = read(vector, memo="")
    assert isinstance(body, RequestBody), body
    return body.message


def account_of(vector: Vector) -> Account:
    prefix = PREFIXES[vector["env_name"]]
    return Account(
        address=decode_address(vector["address"], prefix),
        prefix=prefix,
        chain_id=vector["chain_id"],
        account_number=vector["account_number"],
        sequence=vector["sequence"],
    )


@pytest.mark.skipif(
    not SHARED.is_file(), reason="only this copy of the vectors is here, so there is no other to compare"
)
def test_copy_is_the_shared_file() -> None:
    assert (HERE / "bnb_beacon.json").read_bytes() == SHARED.read_bytes()


def test_all_vectors_are_here() -> None:
    assert len(shared["vectors"]) == 29
    kinds = {message_kind(message_of(vector)) for vector in shared["vectors"] + javascript["vectors"]}
    assert kinds == {"order", "cancel_order", "transfer", "freeze", "unfreeze", "vote"}


@every_vector
def test_sign_document(vector: Vector) -> None:
    document = sign_document(message_of(vector), account_of(vector), vector["memo"], vector["source"])
    assert document == vector["sign_bytes"].encode()


@every_vector
def test_signature_is_over_the_sign_document(vector: Vector) -> None:
    document = sign_document(message_of(vector), account_of(vector), vector["memo"], vector["source"])
    key = coincurve.PrivateKey(bytes.fromhex(vector["private_key"]))
    signature = key.sign_recoverable(document)[:64]
    assert signature.hex() == vector["signature"]
    assert int.from_bytes(signature[32:], "big") <= HALF_ORDER
    assert hashlib.sha256(document).hexdigest() == hashlib.sha256(vector["sign_bytes"].encode()).hexdigest()


@every_vector
def test_encoded_transaction(vector: Vector) -> None:
    encoded = encode_transaction(
        message_of(vector),
        account_of(vector),
        vector["memo"],
        bytes.fromhex(vector["public_key"]),
        bytes.fromhex(vector["signature"]),
        source=vector["source"],
    )
    assert encoded.hex() == vector["signed_tx"]
    assert transaction_hash(encoded) == vector["tx_hash"]


@every_vector
def test_decoded_transaction(vector: Vector) -> None:
    decoded = decode_transaction(bytes.fromhex(vector["signed_tx"]))
    assert decoded.message == message_of(vector)
    assert encode_address(decoded.sender, PREFIXES[vector["env_name"]]) == vector["address"]
    assert decoded.public_key.hex() == vector["public_key"]
    assert decoded.signature.hex() == vector["signature"]
    numbers = (decoded.account_number, decoded.sequence, decoded.source)
    assert numbers == (vector["account_number"], vector["sequence"], vector["source"])
    assert decoded.memo == vector["memo"]


@every_vector
def test_typed_document_reads_back(vector: Vector) -> None:
    prefix = PREFIXES[vector["env_name"]]
    document = message_to_document(message_of(vector), prefix)
    frame = json.dumps(document).encode()
    assert message_from_document(parse(frame), prefix) == message_of(vector)
    assert message_from_document(json.loads(frame), prefix) == message_of(vector)


@every_vector
def test_memo_of_a_request(vector: Vector) -> None:
    body = read(vector)
    if len(vector["memo"].encode()) > 128:
        assert isinstance(body, list)
        assert [(error.loc, error.type) for error in body] == [
            (("body", "transfer", "memo"), "value_error.memo")
        ]
    else:
        assert isinstance(body, RequestBody)
        assert (body.memo, body.unknown_members) == (vector["memo"], ())


@pytest.mark.parametrize("vector", named([v for v in shared["vectors"] if v["api"]], "id"))
def test_body_of_the_old_api_means_the_same(vector: Vector) -> None:
    members = vector["api"]["msg"] | ({"memo": ""} if "memo" in vector["api"]["msg"] else {})
    body = read(vector, msg=members, memo="")
    assert isinstance(body, RequestBody)
    assert body.message == message_of(vector)


@pytest.mark.parametrize("vector", named(shared["vectors"], "id"))
def test_units(vector: Vector) -> None:
    assert {text: parse_units(text) for text in vector["units"]} == vector["units"]


@every_key
def test_address_of_a_public_key(key: Vector) -> None:
    address = address_of(bytes.fromhex(key["public_key"]))
    assert encode_address(address, "tbnb") == key["address_testnet"]
    assert encode_address(address, "bnb") == key["address_mainnet"]
    assert decode_address(key["address_testnet"], "tbnb") == address
    assert decode_address(key["address_mainnet"], "bnb") == address


def test_missing_vectors_fail_in_plain_words(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="the vectors are expected at"):
        load(tmp_path / "bnb_beacon.json")
