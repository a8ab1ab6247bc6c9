"""Messages: what the chain has no form for cannot be made; documents and intents say exactly what a message does."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given

from tests.unit.formats.bnb_beacon.strategies import messages
from vaultsigner.domain.names import JsonValue
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
    intent_items,
    message_from_document,
    message_kind,
    message_to_document,
)
from vaultsigner.strict_json import JsonDocument, parse

MAX = 2**63 - 1
RECEIVER = bytes.fromhex("7f756b1be93aa2e2fdc3d7cb713abc206f877802")
OTHER = bytes(20)
RECEIVER_TEXT = "tbnb10a6kkxlf823w9lwr6l9hzw4uyphcw7qzrud5rr"


def order(**changes: object) -> NewOrder:
    members: dict[str, object] = {
        "symbol": "ANN-457_BNB",
        "side": 1,
        "time_in_force": 1,
        "price": 1,
        "quantity": 1,
    }
    make: Callable[..., NewOrder] = NewOrder
    return make(**(members | changes))


def output(*coins: tuple[str, int], to: bytes = RECEIVER) -> Output:
    return Output(to, tuple(Coin(denom, amount) for denom, amount in coins))


@pytest.mark.parametrize(
    "changes",
    [
        {"side": 0},
        {"side": 3},
        {"side": True},
        {"side": 1.0},
        {"order_type": 1},
        {"order_type": 3},
        {"time_in_force": 2},
        {"time_in_force": 0},
        {"price": 0},
        {"price": -1},
        {"price": MAX + 1},
        {"price": 1.0},
        {"quantity": True},
        {"quantity": 0},
        *(
            {"symbol": symbol}
            for symbol in ("", "_", "BNB", "BNB_", "A_B_C", "ANN 457_BNB", "A_B\n", "Ä_B", "A" * 33 + "_B")
        ),
    ],
)
def test_order_that_the_chain_has_no_form_for(changes: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        order(**changes)


@pytest.mark.parametrize(
    "make",
    [
        lambda: CancelOrder("BNB", "A-1"),
        lambda: CancelOrder("A_B", ""),
        lambda: CancelOrder("A_B", "A" * 129),
        lambda: CancelOrder("A_B", "A-1\n"),
        lambda: CancelOrder("A_B", '"},{"'),
        lambda: Freeze("A_B", 1),
        lambda: Freeze("", 1),
        lambda: Freeze("BNB", 0),
        lambda: Unfreeze("BNB\n", 1),
        lambda: Unfreeze("BNB", MAX + 1),
        lambda: Vote(0, 1),
        lambda: Vote(MAX + 1, 1),
        lambda: Vote(1, 0),
        lambda: Vote(1, 5),
        lambda: Vote(1, True),
        lambda: Vote(True, 1),
        lambda: Coin("BNB", 0),
        lambda: Coin("BNB_", 1),
        lambda: Output(RECEIVER, ()),
        lambda: Output(RECEIVER[1:], (Coin("BNB", 1),)),
        lambda: output(("BNB", 1), ("AVA-645", 1)),
        lambda: output(("BNB", 1), ("BNB", 1)),
        lambda: Transfer(()),
        lambda: Transfer((output(("BNB", 1)), output(("BNB", 1)))),
        lambda: Transfer((output(("BNB", MAX)), output(("BNB", 1), to=OTHER))),
        lambda: Transfer(tuple(output(("BNB", 1), to=i.to_bytes(20, "big")) for i in range(401))),
    ],
)
def test_message_that_the_chain_has_no_form_for(make: Callable[[], object]) -> None:
    with pytest.raises(FormatError):
        make()


def test_edges_that_are_good() -> None:
    order(price=MAX, quantity=MAX, side=2, time_in_force=3, symbol="BNB_USDT.B-B7C")
    CancelOrder("000-0E1_BNB", "A" * 128)
    Transfer((output(("BNB", MAX - 1)), output(("BNB", 1), to=OTHER)))
    Transfer(tuple(output(("BNB", 1), to=i.to_bytes(20, "big")) for i in range(400)))
    Vote(MAX, 4)


def test_inputs_are_the_sum_of_all_outputs_sorted() -> None:
    transfer = Transfer((output(("TWT-8C2", 1), ("a", 2)), output(("000-0E1", 3), ("TWT-8C2", 4), to=OTHER)))
    assert transfer.inputs == (Coin("000-0E1", 3), Coin("TWT-8C2", 5), Coin("a", 2))


@given(messages)
def test_document_round_trip(message: Message) -> None:
    document = message_to_document(message, "tbnb")
    assert document["kind"] == message_kind(message)
    assert message_from_document(document, "tbnb") == message
    assert message_from_document(parse(json.dumps(document).encode()), "tbnb") == message


def test_documents() -> None:
    assert message_to_document(order(side=2), "tbnb") == {
        "kind": "order",
        "symbol": "ANN-457_BNB",
        "side": 2,
        "order_type": 2,
        "time_in_force": 1,
        "price": 1,
        "quantity": 1,
    }
    assert message_to_document(Transfer((output(("BNB", 5)),)), "tbnb") == {
        "kind": "transfer",
        "outputs": [{"to_address": RECEIVER_TEXT, "coins": [{"denom": "BNB", "amount": 5}]}],
    }


GOOD_FREEZE: dict[str, JsonValue] = {"kind": "freeze", "symbol": "BNB", "amount": 1}
GOOD_OUTPUT: dict[str, JsonValue] = {"to_address": RECEIVER_TEXT, "coins": [{"denom": "BNB", "amount": 1}]}


def transfer_document(**changes: JsonValue) -> dict[str, JsonValue]:
    return {"kind": "transfer", "outputs": [GOOD_OUTPUT | changes]}


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "freeze",
        {},
        {"kind": None},
        {"kind": []},
        {"kind": "mint", "symbol": "BNB", "amount": 1},
        {"kind": "freeze", "symbol": "BNB"},
        GOOD_FREEZE | {"memo": ""},
        GOOD_FREEZE | {"amount": 0},
        GOOD_FREEZE | {"amount": "1"},
        GOOD_FREEZE | {"amount": True},
        GOOD_FREEZE | {"amount": None},
        GOOD_FREEZE | {"amount": 2**63},
        GOOD_FREEZE | {"symbol": 1},
        GOOD_FREEZE | {"symbol": None},
        GOOD_FREEZE | {"symbol": ["BNB"]},
        {"kind": "transfer"},
        {"kind": "transfer", "outputs": []},
        {"kind": "transfer", "outputs": {}},
        {"kind": "transfer", "outputs": [None]},
        {"kind": "transfer", "outputs": [GOOD_OUTPUT, GOOD_OUTPUT]},
        {"kind": "transfer", "outputs": [GOOD_OUTPUT], "inputs": []},
        transfer_document(to_address="bnb1rxhz5vdv4fvdjye8gxqvfv0yvg20jtlwf4f38d"),
        transfer_document(to_address=RECEIVER_TEXT.upper()),
        transfer_document(to_address=None),
        transfer_document(coins=[]),
        transfer_document(coins="BNB"),
        transfer_document(coins=[{"denom": "BNB"}]),
        transfer_document(coins=[{"denom": "BNB", "amount": 1, "x": 1}]),
        transfer_document(extra=1),
    ],
)
def test_document_with_anything_else_in_it_is_refused(document: JsonValue) -> None:
    with pytest.raises(FormatError):
        message_from_document(document, "tbnb")


@pytest.mark.parametrize("number", ["1.0", "1e0", "-1", "0", "9223372036854775808", "1" * 900, "-0"])
def test_document_number_in_another_spelling_is_refused(number: str) -> None:
    document: JsonDocument = parse(b'{"kind": "freeze", "symbol": "BNB", "amount": %s}' % number.encode())
    with pytest.raises(FormatError):
        message_from_document(document, "tbnb")


def test_document_number_for_a_text_is_refused() -> None:
    """A JsonNumber is a str too."""
    for body in (b'{"kind": "freeze", "symbol": 5, "amount": 5}', b'{"kind": 5}'):
        with pytest.raises(FormatError):
            message_from_document(parse(body), "tbnb")


def test_intents_are_in_the_words_of_policies() -> None:
    assert intent_items(order(side=2, time_in_force=3, price=39600, quantity=1000000000), "tbnb") == (
        {
            "symbol": "ANN-457_BNB",
            "side": "sell",
            "order_type": "LIMIT",
            "time_in_force": "IOC",
            "price": "0.00039600",
            "quantity": "10.00000000",
        },
    )
    assert intent_items(CancelOrder("A_B", "X-1"), "tbnb") == ({"symbol": "A_B", "order_id": "X-1"},)
    assert intent_items(Freeze("BNB", 1), "tbnb") == ({"symbol": "BNB", "amount": "0.00000001"},)
    assert intent_items(Unfreeze("BNB", 1), "tbnb") == ({"symbol": "BNB", "amount": "0.00000001"},)
    assert intent_items(Vote(7, 4), "tbnb") == ({"proposal_id": 7, "option": "NoWithVeto"},)


def test_intent_of_a_transfer_has_one_item_a_payment() -> None:
    transfer = Transfer((output(("AVA-645", 1), ("BNB", 2)), output(("BNB", 3), to=OTHER)))
    other = "tbnb1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqljkhxz"
    assert [
        (item["to_address"], item["symbol"], item["amount"]) for item in intent_items(transfer, "tbnb")
    ] == [
        (RECEIVER_TEXT, "AVA-645", "0.00000001"),
        (RECEIVER_TEXT, "BNB", "0.00000002"),
        (other, "BNB", "0.00000003"),
    ]
