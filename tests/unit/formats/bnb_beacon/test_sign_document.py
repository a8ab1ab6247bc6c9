"""The signed text: canonical, and bound to one account of one chain."""

import json

import pytest
from hypothesis import given

from tests.unit.formats.bnb_beacon.strategies import account_of, transactions
from vaultsigner.formats.bnb_beacon.errors import FormatError
from vaultsigner.formats.bnb_beacon.messages import Coin, Freeze, NewOrder, Output, Transfer, Vote
from vaultsigner.formats.bnb_beacon.sign_document import Account, check_memo, sign_document
from vaultsigner.formats.bnb_beacon.transaction import Transaction

ADDRESS = bytes.fromhex("7f756b1be93aa2e2fdc3d7cb713abc206f877802")
ACCOUNT = Account(ADDRESS, "tbnb", "Binance-Chain-Ganges", 1, 2)
FREEZE = Freeze("BNB", 1)


def memo_in(memo: str) -> str:
    text = sign_document(FREEZE, ACCOUNT, memo).decode()
    before, after = '"data":null,"memo":', ',"msgs":['
    return text[text.index(before) + len(before) : text.index(after)]


@pytest.mark.parametrize(
    ("memo", "written"),
    [
        ("a/b", '"a/b"'),
        ("<>&", '"<>&"'),
        ("\u2028\u2029\x7f", '"\u2028\u2029\x7f"'),
        ("їжак🍺", '"їжак🍺"'),
        ('"\\', '"\\"\\\\"'),
        ("\n\r\t\b\f\x00\x1f", '"\\n\\r\\t\\b\\f\\u0000\\u001f"'),
    ],
)
def test_memo_is_escaped_only_where_json_asks_for_it(memo: str, written: str) -> None:
    assert memo_in(memo) == written


def test_memo_cannot_break_out_of_its_place() -> None:
    memo = '","msgs":[{"amount":2}],"x":"'
    assert json.loads(sign_document(FREEZE, ACCOUNT, memo))["memo"] == memo


def test_proposal_id_is_signed_as_the_text_of_the_number() -> None:
    """The Python library signs the number times 10^8, which no node can verify."""
    signed = json.loads(sign_document(Vote(7, 4), ACCOUNT, ""))["msgs"]
    assert signed == [
        {"option": "NoWithVeto", "proposal_id": "7", "voter": "tbnb10a6kkxlf823w9lwr6l9hzw4uyphcw7qzrud5rr"}
    ]


def test_order_id_is_address_and_next_sequence() -> None:
    order = NewOrder(symbol="A_B", side=1, time_in_force=1, price=1, quantity=1)
    signed = json.loads(sign_document(order, ACCOUNT, ""))["msgs"][0]
    assert signed["id"] == "7F756B1BE93AA2E2FDC3D7CB713ABC206F877802-3"


def test_inputs_of_several_outputs_are_added_up() -> None:
    transfer = Transfer(
        (Output(ADDRESS, (Coin("BNB", 1), Coin("X", 5))), Output(bytes(20), (Coin("BNB", 2),)))
    )
    signed = json.loads(sign_document(transfer, ACCOUNT, ""))["msgs"][0]
    assert signed["inputs"][0]["coins"] == [{"amount": 3, "denom": "BNB"}, {"amount": 5, "denom": "X"}]


@given(transactions())
def test_text_is_canonical(transaction: Transaction) -> None:
    text = sign_document(
        transaction.message, account_of(transaction), transaction.memo, transaction.source
    ).decode()
    members = json.loads(text)
    assert text == json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert members["memo"] == transaction.memo
    assert [members[name] for name in ("account_number", "sequence", "source", "data")] == [
        str(transaction.account_number),
        str(transaction.sequence),
        str(transaction.source),
        None,
    ]


@pytest.mark.parametrize(
    ("address", "prefix", "chain_id", "account_number", "sequence"),
    [
        (ADDRESS[1:], "tbnb", "c", 0, 0),
        (ADDRESS, "", "c", 0, 0),
        (ADDRESS, "TBNB", "c", 0, 0),
        (ADDRESS, "tbnb", "", 0, 0),
        (ADDRESS, "tbnb", 'c","x":"', 0, 0),
        (ADDRESS, "tbnb", "c\n", 0, 0),
        (ADDRESS, "tbnb", "c", -1, 0),
        (ADDRESS, "tbnb", "c", 0, 2**63),
        (ADDRESS, "tbnb", "c", True, 0),
    ],
)
def test_account_without_a_proper_binding_is_refused(
    address: bytes, prefix: str, chain_id: str, account_number: int, sequence: int
) -> None:
    with pytest.raises(FormatError):
        Account(address, prefix, chain_id, account_number, sequence)


@pytest.mark.parametrize("source", [-1, 2**63, True])
def test_source_out_of_range_is_refused(source: int) -> None:
    with pytest.raises(FormatError):
        sign_document(FREEZE, ACCOUNT, "", source)


def test_memo_of_128_bytes_is_the_longest() -> None:
    check_memo("x" * 128)
    check_memo("🍺" * 32)
    for memo in ("x" * 129, "🍺" * 32 + "x", "ї" * 65):
        with pytest.raises(FormatError, match="at most 128"):
            check_memo(memo)


def test_memo_with_half_of_a_surrogate_pair_is_refused() -> None:
    for refuse in (check_memo, memo_in):
        with pytest.raises(FormatError, match="surrogate"):
            refuse("\ud83c")
