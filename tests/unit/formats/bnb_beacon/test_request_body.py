"""Request bodies: every spelling that real clients use, and the old service's words for what is wrong."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.formats.bnb_beacon.strategies import amounts
from vaultsigner.formats.bnb_beacon.address import decode_address
from vaultsigner.formats.bnb_beacon.messages import (
    CancelOrder,
    Coin,
    Freeze,
    Message,
    NewOrder,
    Output,
    Transfer,
    Unfreeze,
    Vote,
)
from vaultsigner.formats.bnb_beacon.request_body import PARAMETER_NAMES, RequestBody, read_request
from vaultsigner.strict_json import parse

RECEIVER_TEXT = "tbnb10a6kkxlf823w9lwr6l9hzw4uyphcw7qzrud5rr"
RECEIVER = decode_address(RECEIVER_TEXT, "tbnb")
MAIN_NETWORK = "bnb1rxhz5vdv4fvdjye8gxqvfv0yvg20jtlwf4f38d"
KINDS = sorted(PARAMETER_NAMES)

ORDER = {"symbol": "A_B", "order_type": 2, "side": 1, "price": "1.5", "quantity": 2, "time_in_force": 1}
CANCEL_ORDER = {"order_id": "X-1", "symbol": "A_B"}
TRANSFER = {"to_address": RECEIVER_TEXT, "symbol": "BNB", "amount": "1.5"}
FREEZE = {"symbol": "BNB", "amount": "1.5"}
VOTE = {"proposal_id": 7, "option": 4}
GOOD: dict[str, dict[str, Any]] = {
    "order": ORDER,
    "cancel_order": CANCEL_ORDER,
    "transfer": TRANSFER,
    "freeze": FREEZE,
    "unfreeze": FREEZE,
    "vote": VOTE,
}
MEANING: dict[str, Message] = {
    "order": NewOrder(symbol="A_B", side=1, time_in_force=1, price=150000000, quantity=200000000),
    "cancel_order": CancelOrder("A_B", "X-1"),
    "transfer": Transfer((Output(RECEIVER, (Coin("BNB", 150000000),)),)),
    "freeze": Freeze("BNB", 150000000),
    "unfreeze": Unfreeze("BNB", 150000000),
    "vote": Vote(7, 4),
}


def read_bytes(kind: str, body: bytes) -> RequestBody | list[dict[str, Any]]:
    result = read_request(kind, parse(body), "tbnb")
    if isinstance(result, RequestBody):
        return result
    assert result, "a list of errors is never empty"
    return [json.loads(json.dumps(error.as_detail())) for error in result]


def read(kind: str, members: object, **beside: object) -> RequestBody | list[dict[str, Any]]:
    return read_bytes(kind, json.dumps({"msg": members, "wallet_name": "wallet_1", **beside}).encode())


def accepted(kind: str, members: object, **beside: object) -> RequestBody:
    body = read(kind, members, **beside)
    assert isinstance(body, RequestBody), body
    return body


def errors(kind: str, members: object, **beside: object) -> list[dict[str, Any]]:
    result = read(kind, members, **beside)
    assert isinstance(result, list), result
    return result


def error(kind: str, **changes: object) -> dict[str, Any]:
    """The only error of a good body with these members changed."""
    (found,) = errors(kind, GOOD[kind] | changes)
    assert found["loc"] == ["body", PARAMETER_NAMES[kind], "msg", next(iter(changes))]
    return {name: value for name, value in found.items() if name != "loc"}


def without(kind: str, name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD[kind].items() if key != name}


@pytest.mark.parametrize("kind", KINDS)
def test_documented_form(kind: str) -> None:
    assert accepted(kind, GOOD[kind]) == RequestBody(MEANING[kind], "", ())


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("order", ORDER | {"order_type": "LIMIT", "side": "buy", "time_in_force": "GTE"}),
        ("order", ORDER | {"order_type": "limit", "side": "BUY", "time_in_force": "gte"}),
        ("order", ORDER | {"order_type": "2", "side": "1", "time_in_force": "1"}),
        ("order", ORDER | {"price": 1.5, "quantity": "2.0"}),
        ("order", ORDER | {"price": "15e-1", "quantity": " 2 "}),
        ("cancel_order", {"refid": "X-1", "symbol": "A_B"}),
        ("cancel_order", {"refid": "X-1", "order_id": "X-1", "symbol": "A_B"}),
        ("transfer", {"to_address": RECEIVER_TEXT, "denom": "BNB", "amount": 1.5}),
        ("transfer", {"to_address": RECEIVER_TEXT, "denom": "BNB", "symbol": "BNB", "amount": 1.5}),
        ("transfer", {"transfers": [TRANSFER]}),
        ("freeze", {"denom": "BNB", "amount": 1.5}),
        ("unfreeze", {"denom": "BNB", "amount": "1.50000000"}),
        ("vote", {"proposal_id": "7", "option": "NoWithVeto"}),
        ("vote", {"proposal_id": 7, "option": "nowithveto"}),
        ("vote", {"proposal_id": 7, "option": "4"}),
    ],
)
def test_other_spellings_mean_the_same(kind: str, members: dict[str, Any]) -> None:
    assert accepted(kind, members) == RequestBody(MEANING[kind], "", ())


def test_text_members_take_numbers_as_their_characters() -> None:
    assert accepted("cancel_order", CANCEL_ORDER | {"order_id": 5}).message == CancelOrder("A_B", "5")
    assert accepted("transfer", TRANSFER, memo=101234567).memo == "101234567"


@pytest.mark.parametrize(
    ("word", "number"),
    [("yes", 1), ("Yes", 1), ("ABSTAIN", 2), ("No", 3), ("NoWithVeto", 4), (1, 1), ("3", 3)],
)
def test_vote_options(word: object, number: int) -> None:
    assert accepted("vote", VOTE | {"option": word}).message == Vote(7, number)


@pytest.mark.parametrize(
    ("members", "beside", "memo"),
    [
        ({}, {}, ""),
        ({"memo": None}, {"memo": None}, ""),
        ({"memo": ""}, {}, ""),
        ({"memo": "a/b"}, {}, "a/b"),
        ({}, {"memo": "a/b"}, "a/b"),
        ({"memo": "a/b"}, {"memo": "a/b"}, "a/b"),
        ({"memo": None}, {"memo": "a/b"}, "a/b"),
        ({"memo": 5}, {"memo": "5"}, "5"),
        ({"memo": "ї" * 64}, {}, "ї" * 64),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_memo_inside_and_beside_msg(
    kind: str, members: dict[str, Any], beside: dict[str, Any], memo: str
) -> None:
    assert accepted(kind, GOOD[kind] | members, **beside) == RequestBody(MEANING[kind], memo, ())


@pytest.mark.parametrize("inside", ["", "a"])
def test_two_different_memos_are_refused(inside: str) -> None:
    (found,) = errors("transfer", TRANSFER | {"memo": inside}, memo="b")
    assert found["loc"] == ["body", "transfer", "memo"]
    assert found["type"] == "value_error.ambiguous"


def test_memo_too_long_is_refused_where_it_stands() -> None:
    (inside,) = errors("transfer", TRANSFER | {"memo": "ї" * 65})
    (beside,) = errors("transfer", TRANSFER, memo="ї" * 65)
    assert inside["loc"] == ["body", "transfer", "msg", "memo"]
    assert beside["loc"] == ["body", "transfer", "memo"]
    assert inside["msg"] == beside["msg"] == "the memo has 130 bytes in UTF-8: write at most 128"


@pytest.mark.parametrize("memo", [True, ["a"], {"a": 1}])
def test_memo_that_is_no_text_is_refused(memo: object) -> None:
    assert error("order", memo=memo) == {"msg": "str type expected", "type": "type_error.str"}


@pytest.mark.parametrize("kind", KINDS)
def test_body_that_is_no_object(kind: str) -> None:
    loc = ["body", PARAMETER_NAMES[kind]]
    wrong = {"msg": "value is not a valid dict", "type": "type_error.dict"}
    for body in (b"[]", b"1", b'"a"', b"null", b"true"):
        assert read_bytes(kind, body) == [{"loc": loc, **wrong}]
    others: tuple[object, ...] = ([], "a", 1, True)
    for members in others:
        assert errors(kind, members) == [{"loc": [*loc, "msg"], **wrong}]
    null = {"msg": "none is not an allowed value", "type": "type_error.none.not_allowed"}
    assert errors(kind, None) == [{"loc": [*loc, "msg"], **null}]
    missing = {"msg": "field required", "type": "value_error.missing"}
    assert read_bytes(kind, b'{"wallet_name": "w"}') == [{"loc": [*loc, "msg"], **missing}]


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in GOOD[kind]])
def test_missing_and_null_members(kind: str, name: str) -> None:
    (found,) = errors(kind, without(kind, name))
    loc = ["body", PARAMETER_NAMES[kind], "msg", name]
    assert found == {"loc": loc, "msg": "field required", "type": "value_error.missing"}
    null = {"msg": "none is not an allowed value", "type": "type_error.none.not_allowed"}
    assert error(kind, **{name: None}) == null


NOT_A_DECIMAL = "value is not a valid decimal"
NOT_POSITIVE = {
    "msg": "ensure this value is greater than 0",
    "type": "value_error.number.not_gt",
    "ctx": {"limit_value": 0},
}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("order", "price"),
        ("order", "quantity"),
        ("transfer", "amount"),
        ("freeze", "amount"),
        ("unfreeze", "amount"),
    ],
)
def test_wrong_amounts(kind: str, name: str) -> None:
    others: tuple[object, ...] = ("abc", "", True, False, [], {}, "1,5")
    for value in others:
        assert error(kind, **{name: value}) == {"msg": NOT_A_DECIMAL, "type": "type_error.decimal"}
    for text in ("NaN", "Infinity", "-inf"):
        assert error(kind, **{name: text}) == {
            "msg": NOT_A_DECIMAL,
            "type": "value_error.decimal.not_finite",
        }
    for zero in (0, -1, "0.0", "-0.5", 0.0, -1e-9):
        assert error(kind, **{name: zero}) == NOT_POSITIVE
    for given_value, kind_of_error, words in (
        ("0.000000001", "too_precise", "at most 8"),
        (1.123456789, "too_precise", "nothing is rounded"),
        (10**12, "too_large", "the most the chain can hold"),
        ("1e400", "too_large", "the most the chain can hold"),
        ("0." + "1" * 40, "too_long", "more than 30 characters"),
    ):
        found = error(kind, **{name: given_value})
        assert found["type"] == f"value_error.decimal.{kind_of_error}"
        assert words in found["msg"]


@pytest.mark.parametrize(
    "number", [b"1e400", b"1E999999999", b"9" * 900, b"0.0000000001", b"-1", b"-0", b"0e5"]
)
def test_wrong_json_numbers_are_refused(number: bytes) -> None:
    assert isinstance(read_bytes("freeze", b'{"msg": {"symbol": "BNB", "amount": %s}}' % number), list)


def test_number_never_passes_through_a_double() -> None:
    """The old service signed 90071992.54740994 for this one."""
    body = read_bytes("freeze", b'{"msg": {"symbol": "BNB", "amount": 90071992.54740993}}')
    assert isinstance(body, RequestBody)
    assert body.message == Freeze("BNB", 9007199254740993)


ENUM = {"msg": "value is not a valid enumeration member", "type": "type_error.enum"}


@pytest.mark.parametrize(
    ("kind", "name", "values"),
    [
        ("order", "side", [0, 3, -1, 1.0, True, False, "", "BUYS", "1.0", "01", " buy", [1], {}, "２"]),
        ("order", "order_type", [1, 3, 2.0, "MARKET", "lımıt", "2 ", True]),
        ("order", "time_in_force", [2, 0, "FOK", "1e0", True]),
        ("vote", "option", [0, 5, "Empty", True, "no_with_veto", 1.0]),
    ],
)
def test_wrong_enumeration_members(kind: str, name: str, values: list[object]) -> None:
    for value in values:
        assert error(kind, **{name: value}) == ENUM, value
    assert isinstance(
        read_bytes("order", json.dumps({"msg": ORDER}).replace('"side": 1', '"side": 1e0').encode()), list
    )


@pytest.mark.parametrize("value", ["x", "", "1.0", 7.0, True, [], "+7", "07", " 7", "٧", "1e3"])
def test_proposal_id_that_is_no_integer(value: object) -> None:
    assert error("vote", proposal_id=value) == {
        "msg": "value is not a valid integer",
        "type": "type_error.integer",
    }


def test_proposal_id_out_of_range() -> None:
    for small in (0, -1, "-5"):
        assert error("vote", proposal_id=small) == NOT_POSITIVE
    for large in (2**63, "9" * 500):
        assert error("vote", proposal_id=large)["type"] == "value_error.number.too_large"
    assert accepted("vote", VOTE | {"proposal_id": 2**63 - 1}).message == Vote(2**63 - 1, 4)


@pytest.mark.parametrize(
    ("kind", "name", "values", "kind_of_error"),
    [
        ("order", "symbol", ["", "BNB", "A_B_C", "A B_C", "A_B\n", "A" * 33 + "_B", 5], "symbol"),
        ("cancel_order", "symbol", ["", "BNB", "ї_B"], "symbol"),
        ("cancel_order", "order_id", ["", "A" * 129, "A B", 'x"', "X-1\n", 1.5], "order_id"),
        ("transfer", "symbol", ["", "A_B", "BNB\n", "A" * 33, "BNB "], "symbol"),
        ("freeze", "symbol", ["", "A_B"], "symbol"),
        ("transfer", "to_address", ["", "tbnb1", RECEIVER_TEXT.upper(), MAIN_NETWORK, 5], "address"),
    ],
)
def test_wrong_names(kind: str, name: str, values: list[object], kind_of_error: str) -> None:
    for value in values:
        assert error(kind, **{name: value})["type"] == f"value_error.{kind_of_error}"
    others: tuple[object, ...] = (True, [], {})
    for value in others:
        assert error(kind, **{name: value}) == {"msg": "str type expected", "type": "type_error.str"}


def test_address_of_another_network_is_refused_in_words() -> None:
    assert (
        "begins with bnb1, this wallet's network uses tbnb1"
        in error("transfer", to_address=MAIN_NETWORK)["msg"]
    )


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [("transfer", "symbol", "denom"), ("freeze", "symbol", "denom"), ("cancel_order", "order_id", "refid")],
)
def test_two_spellings_with_different_values_are_refused(kind: str, one: str, other: str) -> None:
    (found,) = errors(kind, GOOD[kind] | {other: "OTHER"})
    assert found["loc"][-1] == other
    assert found["msg"] == f"{one} and {other} are given with different values: write one of them"
    (null,) = errors(kind, GOOD[kind] | {other: None})
    assert null["type"] == "type_error.none.not_allowed"
    assert null["loc"][-1] == other


def test_wrong_value_is_reported_under_the_name_that_was_used() -> None:
    (found,) = errors("cancel_order", {"refid": "", "symbol": "A_B"})
    assert found["loc"] == ["body", "cancel_order", "msg", "refid"]


def test_all_errors_are_told_at_once() -> None:
    found = errors(
        "order", {"symbol": "", "side": 9, "price": 0, "quantity": None, "order_type": 2}, memo=True
    )
    assert [entry["loc"][-1] for entry in found] == [
        "symbol",
        "side",
        "price",
        "quantity",
        "time_in_force",
        "memo",
    ]


def test_unknown_members_are_ignored_and_named() -> None:
    body = accepted("freeze", FREEZE | {"to_address": "x", "Amount": 5}, sequence=5, source=None)
    assert body.message == MEANING["freeze"]
    assert body.unknown_members == ("sequence", "source", "msg.to_address", "msg.Amount")


def test_unknown_names_cannot_flood_or_deceive_the_record() -> None:
    names = ["x" * 5000, 'a\n{"seq":1}', "\x1b[2J", "\u202eevil", *(str(i) for i in range(500))]
    unknown = accepted("freeze", FREEZE, **dict.fromkeys(names, 1)).unknown_members
    assert len(unknown) == 20
    assert unknown[:4] == ("x" * 64, 'a\\n{"seq":1}', "\\x1b[2J", "\\u202eevil")
    assert all(len(name) <= 64 and name.isprintable() for name in unknown)


json_documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3),
    max_leaves=6,
)
member_names = st.sampled_from(
    sorted(
        {name for members in GOOD.values() for name in members} | {"denom", "refid", "memo", "transfers", "x"}
    )
)


@given(st.sampled_from(KINDS), st.dictionaries(member_names, json_documents), st.data())
def test_arbitrary_members_are_read_or_refused(
    kind: str, changes: dict[str, Any], data: st.DataObject
) -> None:
    kept = data.draw(st.sets(st.sampled_from(sorted(GOOD[kind]))))
    members = {name: value for name, value in GOOD[kind].items() if name in kept} | changes
    read(kind, members, memo=data.draw(json_documents))


@given(st.sampled_from(KINDS), json_documents)
def test_arbitrary_documents_are_read_or_refused(kind: str, document: Any) -> None:
    read_bytes(kind, json.dumps(document).encode())


@pytest.mark.parametrize("kind", KINDS)
def test_errors_never_repeat_what_was_given(kind: str) -> None:
    """A client may put a secret anywhere; answers and records quote these errors."""
    canary = "3955f430d8372b601f3a70c10a707f94c509fb3c51c1e94ddbb7ab9906cb659d_"
    values: tuple[object, ...] = (canary, [canary], {canary: canary}, canary * 50)
    for value in values:
        for name in (*GOOD[kind], "memo", "denom", "refid", "transfers"):
            result = read(kind, GOOD[kind] | {name: value}, memo=value)
            assert isinstance(result, RequestBody) or canary not in json.dumps(result)


def spellings(units: int, exponent: int) -> list[str]:
    """Ways to write this many units of 10^-8, all of them JSON numbers."""
    value = Decimal(units).scaleb(-8)
    return [f"{value:f}", f"{units}e-8", f"{units}E-08", f"{value.scaleb(-exponent):f}e{exponent:+}"]


@given(amounts, st.data(), st.booleans())
def test_amount_in_any_spelling_gives_the_same_units(
    units: int, data: st.DataObject, as_number: bool
) -> None:
    short = [text for text in spellings(units, data.draw(st.integers(-10, 10))) if len(text) <= 27]
    text = data.draw(st.sampled_from(short))
    if not as_number:
        text = json.dumps(data.draw(st.sampled_from(["", " ", "+", "0", "\t+00"])) + text)
    body = read_bytes("freeze", b'{"msg": {"symbol": "BNB", "amount": %s}}' % text.encode())
    assert isinstance(body, RequestBody), body
    assert body.message == Freeze("BNB", units)
