"""The `transfers` list: several payments in one transaction."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.formats.bnb_beacon.strategies import transfers
from tests.unit.formats.bnb_beacon.test_request_body import RECEIVER, RECEIVER_TEXT, accepted, errors
from vaultsigner.domain.amounts import format_units
from vaultsigner.formats.bnb_beacon.address import encode_address
from vaultsigner.formats.bnb_beacon.messages import Coin, Output, Transfer

OTHER = bytes(range(20))
OTHER_TEXT = encode_address(OTHER, "tbnb")


def payment(symbol: str = "BNB", amount: object = 1, to: str | None = RECEIVER_TEXT) -> dict[str, object]:
    members: dict[str, object] = {"symbol": symbol, "amount": amount}
    return members if to is None else members | {"to_address": to}


def read(*payments: object, **beside: object) -> Transfer:
    message = accepted("transfer", {"transfers": list(payments), **beside}).message
    assert isinstance(message, Transfer)
    return message


def locations(*payments: object, **beside: object) -> list[list[object]]:
    return [entry["loc"][2:] for entry in errors("transfer", {"transfers": list(payments), **beside})]


def test_payments_to_one_receiver_become_one_sorted_output() -> None:
    transfer = read(
        payment("TWT-8C2", 3),
        payment("BNB", "0.5", to=OTHER_TEXT),
        payment("BNB", 1),
        payment("BUSD-BD1", "1e-8"),
    )
    assert transfer == Transfer(
        (
            Output(RECEIVER, (Coin("BNB", 100000000), Coin("BUSD-BD1", 1), Coin("TWT-8C2", 300000000))),
            Output(OTHER, (Coin("BNB", 50000000),)),
        )
    )


def test_receiver_beside_the_list_holds_for_payments_without_one() -> None:
    transfer = read(
        payment(to=None), payment(to=OTHER_TEXT), payment("AVA-645", to=None), to_address=RECEIVER_TEXT
    )
    assert [output.address for output in transfer.outputs] == [RECEIVER, OTHER]
    assert [len(output.coins) for output in transfer.outputs] == [2, 1]


def test_denom_and_unknown_members_inside_a_payment() -> None:
    body = accepted(
        "transfer", {"transfers": [{"denom": "BNB", "amount": 1, "to_address": RECEIVER_TEXT, "note": 1}]}
    )
    assert body.unknown_members == ("msg.transfers[0].note",)


def test_same_token_twice_for_one_receiver_is_refused() -> None:
    found = errors("transfer", {"transfers": [payment(), payment("AVA-645"), payment(amount=2)]})
    assert found == [
        {
            "loc": ["body", "transfer", "msg", "transfers", 2],
            "msg": "this receiver is already paid in this token: write one amount",
            "type": "value_error.duplicate",
        }
    ]


def test_same_token_twice_through_the_receiver_beside_the_list_is_refused() -> None:
    assert locations(payment(to=None), payment(), to_address=RECEIVER_TEXT) == [["msg", "transfers", 1]]


def test_sum_past_63_bits_is_refused() -> None:
    """Each amount fits, their sum does not: as a wrapped int64 it would be a negative one."""
    largest = format_units(2**63 - 1)
    (found,) = errors("transfer", {"transfers": [payment(amount=largest), payment(to=OTHER_TEXT)]})
    assert found["loc"] == ["body", "transfer", "msg", "transfers"]
    assert found["type"] == "value_error.decimal.too_large"
    read(payment(amount=largest), payment("AVA-645", to=OTHER_TEXT))


@pytest.mark.parametrize("count", [0, 401])
def test_empty_and_endless_lists_are_refused(count: int) -> None:
    payments = [payment(to=encode_address(i.to_bytes(20, "big"), "tbnb")) for i in range(count)]
    (found,) = errors("transfer", {"transfers": payments})
    assert (found["msg"], found["type"]) == ("write 1 to 400 payments", "value_error.list.length")


def test_longest_list() -> None:
    read(*(payment(to=encode_address(i.to_bytes(20, "big"), "tbnb")) for i in range(400)))


@pytest.mark.parametrize(
    ("listed", "kind"),
    [
        (None, "type_error.none.not_allowed"),
        ({}, "type_error.list"),
        ("x", "type_error.list"),
        (1, "type_error.list"),
        (True, "type_error.list"),
    ],
)
def test_what_is_no_list_is_refused(listed: object, kind: str) -> None:
    (found,) = errors("transfer", {"transfers": listed})
    assert (found["loc"][-1], found["type"]) == ("transfers", kind)


def test_errors_say_which_payment() -> None:
    found = locations(payment(amount=0), 5, payment("", to="tbnb1"), {"symbol": "BNB"}, payment(to=None))
    assert found == [
        ["msg", "transfers", 1],
        ["msg", "transfers", 0, "amount"],
        ["msg", "transfers", 2, "to_address"],
        ["msg", "transfers", 2, "symbol"],
        ["msg", "transfers", 3, "to_address"],
        ["msg", "transfers", 3, "amount"],
        ["msg", "transfers", 4, "to_address"],
    ]


def test_wrong_receiver_beside_the_list_is_told_once() -> None:
    assert locations(payment(to=None), payment("X", to=None), to_address="x") == [["msg", "to_address"]]
    assert locations(payment(), to_address="x") == [["msg", "to_address"]]


@pytest.mark.parametrize("name", ["symbol", "denom", "amount"])
def test_single_payment_beside_the_list_is_refused(name: str) -> None:
    """One reader would pay the list, another the single amount."""
    (found,) = errors("transfer", {"transfers": [payment()], name: "1"})
    assert found["loc"][-1] == name
    assert found["msg"] == f"{name} stands beside transfers: write it inside each payment"


@given(transfers(), st.randoms(use_true_random=False))
def test_order_of_coins_in_a_request_does_not_matter(transfer: Transfer, random: Random) -> None:
    payments = [
        payment(coin.denom, format_units(coin.amount), to=encode_address(output.address, "tbnb"))
        for output in transfer.outputs
        for coin in random.sample(output.coins, len(output.coins))
    ]
    assert read(*payments) == transfer
