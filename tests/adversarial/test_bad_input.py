"""Bodies that are refused: a clear 4xx in the error shape, one `request` record, no key read, no number taken, nothing sent."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.adversarial.desk import (
    MAINNET_RECEIVER,
    RECEIVER,
    NewRecords,
    private_key_wallet,
    running_desk,
    transfer,
)
from tests.adversarial.refusals import Refusals
from tests.world import cheap_hash
from vaultsigner.dev.installation import PlannedUser

MANY = 100_000
GOOD = json.dumps(transfer("desk")).encode()
PATHS = ("/api/transfer/sign", "/api/transfer/broadcast")
ALL_PATHS = (*PATHS, "/api/order/sign", "/api/vote/broadcast", "/api/wallet/resync")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Refusals]:
    """Wallets of both networks, one that is fenced off by addresses, one that only another user may use."""
    wallets = (
        private_key_wallet("desk"),
        private_key_wallet("main", env_name="PROD"),
        private_key_wallet("fenced", ip_whitelist=("10.9.9.9",)),
        private_key_wallet("idle", permissions=()),
    )
    clerk = PlannedUser("clerk", "clerk's own", {"desk": ("trade",)}, cheap_hash("clerk's own"))
    with running_desk(tmp_path_factory.mktemp("bad"), *wallets, users=(clerk,)) as running:
        for _ in range(2):
            assert running.post("/api/transfer/broadcast", transfer("desk")).status == 200
        yield Refusals(running, NewRecords(running))


def spoiled(place: str, value: str) -> bytes:
    """The good body with other characters for the value of one member of `msg`."""
    document = transfer("desk", memo="")
    document["msg"][place] = "HERE"
    return json.dumps(document).replace('"HERE"', value).encode()


NOT_JSON = {
    "nothing": b"",
    "blanks": b" \n",
    "half an object": GOOD[:-1],
    "half a text": b'{"wallet_name": "desk',
    "a form": b"wallet_name=desk&amount=1",
    "single quotes": GOOD.replace(b'"', b"'"),
    "bare names": b"{wallet_name: 1}",
    "a comma too many": GOOD[:-1] + b",}",
    "a comment": GOOD[:-1] + b"/* */}",
    "text after it": GOOD + b"x",
    "two documents": GOOD + GOOD,
    "a zero byte after it": GOOD + b"\0",
    "NaN": spoiled("amount", "NaN"),
    "Infinity": spoiled("amount", "Infinity"),
    "minus Infinity": spoiled("amount", "-Infinity"),
    "a leading zero": spoiled("amount", "01"),
    "a plus": spoiled("amount", "+1"),
    "no digit before the point": spoiled("amount", ".5"),
    "no digit after it": spoiled("amount", "1."),
    "hex": spoiled("amount", "0x10"),
    "Python's truth": spoiled("amount", "True"),
    "a number of absurd length": spoiled("amount", "1" * 1001),
    "an exponent of absurd length": spoiled("amount", "1e" + "1" * 1001),
    "a member twice": GOOD[:-1] + b', "wallet_name": "desk"}',
    "a member of msg twice": spoiled("amount", '1, "amount": 2'),
    "a member twice in two spellings": GOOD[:-1] + b', "wallet\\u005fname": "fenced"}',
    "the whole message twice": GOOD[:-1] + b', "msg": {}}',
    "nested deeply": b'{"wallet_name": "desk", "x": ' + b"[" * MANY,
    "nested deeply and closed": b"[" * 30_000 + b"]" * 30_000,
    "nested objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "nested just too deeply": b'{"x": ' + b"[" * 16 + b"]" * 16 + b"}",
    "half a surrogate pair": spoiled("memo", '"\\ud83d"'),
    "its other half": spoiled("memo", '"\\ude00"'),
    "the halves in the wrong order": spoiled("memo", '"\\ude00\\ud83d"'),
    "half a pair in a name": GOOD[:-1] + b', "\\ud800": 1}',
    "a control character": spoiled("memo", '"\x01"'),
    "a bad escape": spoiled("memo", '"\\x41"'),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-16 without a mark": GOOD.decode().encode("utf-16-be"),
    "UTF-32": GOOD.decode().encode("utf-32"),
    "Latin-1": spoiled("memo", '"HERE"').replace(b"HERE", b"caf\xe9"),
    "an overlong form": spoiled("memo", '"HERE"').replace(b"HERE", b"\xc0\xaf"),
    "a surrogate as bytes": spoiled("memo", '"HERE"').replace(b"HERE", b"\xed\xa0\x80"),
    "past the end of Unicode": spoiled("memo", '"HERE"').replace(b"HERE", b"\xf4\x90\x80\x80"),
}


@pytest.mark.parametrize("case", NOT_JSON)
def test_what_two_parsers_could_read_differently_is_malformed(desk: Refusals, case: str) -> None:
    for path in PATHS:
        body = NOT_JSON[case]
        status, code = (413, "body_too_large") if len(body) > 65536 else (400, "malformed_body")
        reply = desk.refused(status, code, desk.post(path, body))
        if status == 400:
            assert reply.document["detail"] == "There was an error parsing the body"


@pytest.mark.parametrize(
    "document",
    [
        *(
            [],
            "text",
            7,
            None,
            True,
            {},
            [transfer("desk")],
            {"msg": transfer("desk")["msg"]},
            {"Wallet_name": "desk"},
        ),
        *(
            {**transfer("desk"), "wallet_name": name}
            for name in ("", None, True, [], ["desk"], {"name": "desk"})
        ),
    ],
)
@pytest.mark.parametrize("path", ALL_PATHS)
def test_without_the_name_of_a_wallet(desk: Refusals, path: str, document: object) -> None:
    reply = desk.refused(400, "missing_wallet_name", desk.post(path, json.dumps(document).encode()))
    assert reply.document["detail"] == "Expecting wallet_name parameter"


@pytest.mark.parametrize(
    "name", ["nobody", "Desk", "desk ", "desk\n", "../desk", "idle", 5, 1e99, "ｄｅｓｋ", "x" * 9000]
)
@pytest.mark.parametrize("path", ALL_PATHS)
def test_an_unknown_wallet_and_one_that_is_not_yours_are_alike(
    desk: Refusals, path: str, name: object
) -> None:
    body = json.dumps({**transfer("desk"), "wallet_name": name}, ensure_ascii=False).encode()
    reply = desk.refused(404, "wallet_not_found", desk.post(path, body))
    assert reply.document["detail"] == f"Not authorised to access wallet {str(name)[:64]}"


AMOUNTS = {
    "zero": ("0", "number.not_gt"),
    "zero with places": ('"0.00000000"', "number.not_gt"),
    "negative": ("-1", "number.not_gt"),
    "barely negative": ('"-0.00000001"', "number.not_gt"),
    "minus zero": ("-0", "number.not_gt"),
    "nine decimals": ("0.000000001", "decimal.too_precise"),
    "nine decimals in a large number": ("90071992.547409931", "decimal.too_precise"),
    "less than a unit": ('"1e-9"', "decimal.too_precise"),
    "far less than a unit": ("1e-400", "decimal.too_precise"),
    "one unit too many": ("92233720368.54775808", "decimal.too_large"),
    "far too many": ("1e400", "decimal.too_large"),
    "an exponent past all bounds": ("1e999999999", "decimal.too_large"),
    "too long": ("1." + "0" * 29, "decimal.too_long"),
    "much too long": ("1" * 1000, "decimal.too_long"),
    "text NaN": ('"NaN"', "decimal.not_finite"),
    "text Infinity": ('"-Infinity"', "decimal.not_finite"),
    "no text": ('""', "type_error.decimal"),
    "a comma": ('"1,5"', "type_error.decimal"),
    "an underscore": ('"1_000"', "type_error.decimal"),
    "hex": ('"0x10"', "type_error.decimal"),
    "full-width digits": ('"１"', "type_error.decimal"),
    "Arabic digits": ('"٣"', "type_error.decimal"),
    "a zero byte": ('"1\\u0000"', "type_error.decimal"),
    "true": ("true", "type_error.decimal"),
    "null": ("null", "none.not_allowed"),
    "a list": ("[1]", "type_error.decimal"),
    "an object": ('{"value": 1}', "type_error.decimal"),
}


@pytest.mark.parametrize("case", AMOUNTS)
def test_an_amount_that_is_not_exactly_one(desk: Refusals, case: str) -> None:
    value, kind = AMOUNTS[case]
    for path in PATHS:
        reply = desk.refused(422, "invalid_fields", desk.post(path, spoiled("amount", value)))
        [problem] = reply.document["detail"]
        assert problem["loc"] == ["body", "transfer", "msg", "amount"]
        assert kind in problem["type"]
        assert problem["msg"]


MEMBERS: dict[str, tuple[object, ...]] = {
    "to_address": (
        *(MAINNET_RECEIVER, "", RECEIVER[:-1], RECEIVER + "q", RECEIVER.upper(), f" {RECEIVER}"),
        *("tbnb1", 7, None, [RECEIVER], "x" * 5000, "tbnb1\0"),
    ),
    "symbol": ("", "B NB", "BNB\n", "ＢＮＢ", "B" * 33, None, ["BNB"], "ANN-457_BNB"),
    "denom": ("OTHER",),
    "memo": ("m" * 129, "ü" * 65, "😀" * 33, [], {}, True),
}


@pytest.mark.parametrize(
    ("member", "value"), [(member, value) for member, values in MEMBERS.items() for value in values]
)
def test_a_member_of_a_transfer_that_is_none(desk: Refusals, member: str, value: object) -> None:
    document = transfer("desk")
    document["msg"][member] = value
    for path in PATHS:
        assert desk.invalid(path, document) == [["body", "transfer", "msg", member]]


def test_a_receiver_of_the_test_network_is_none_of_the_main_network(desk: Refusals) -> None:
    assert desk.invalid("/api/transfer/sign", transfer("main")) == [["body", "transfer", "msg", "to_address"]]


@pytest.mark.parametrize("beside", ["other", "same ", "m" * 129])
def test_two_memos_that_differ(desk: Refusals, beside: str) -> None:
    for path in PATHS:
        assert desk.invalid(path, {**transfer("desk", memo="same"), "memo": beside})


def test_two_memos_that_agree_and_one_of_128_bytes_are_fine(desk: Refusals) -> None:
    for memo in ("same", "m" * 128, "ü" * 64):
        assert (
            desk.world.post("/api/transfer/sign", {**transfer("desk", memo=memo), "memo": memo}).status == 200
        )


@pytest.mark.parametrize("msg", [None, [], "text", 7, {}])
def test_a_message_that_is_none(desk: Refusals, msg: object) -> None:
    for path in (
        "/api/order/sign",
        "/api/cancel_order/broadcast",
        "/api/freeze/sign",
        "/api/vote/broadcast",
        *PATHS,
    ):
        assert desk.invalid(path, {"wallet_name": "desk", "msg": msg})
        assert desk.invalid(path, {"wallet_name": "desk"})


ORDER = {
    **{"symbol": "ANN-457_BNB", "order_type": 2, "side": 1, "price": "1", "quantity": "1"},
    "time_in_force": 1,
}
PAYMENT = {"to_address": RECEIVER, "symbol": "BNB", "amount": "1"}


PAYMENTS: tuple[object, ...] = (
    *([], {}, "text", [[]], [PAYMENT] * 2, [PAYMENT] * 401),
    [PAYMENT, {**PAYMENT, "to_address": MAINNET_RECEIVER}],
    [{**PAYMENT, "amount": "92233720368"}, {**PAYMENT, "symbol": "X", "amount": 0}],
)
OTHER_MESSAGES: list[tuple[str, dict[str, Any], dict[str, tuple[object, ...]]]] = [
    (
        "/api/order/sign",
        ORDER,
        {
            "side": (0, 3, 1.0, "hold", True, None, [1], 10**30),
            "order_type": (1, 0, "MARKET", 2.0),
            "time_in_force": (2, "FOK", False),
            "symbol": ("BNB", "A_B_C", "_", "a/b_c", ""),
            "price": (0, "-1", "1e-9", "1e20"),
        },
    ),
    (
        "/api/cancel_order/sign",
        {"symbol": "A_B", "order_id": "1"},
        {"order_id": ("", "a b", "x" * 129, None, []), "refid": ("2",)},
    ),
    ("/api/freeze/sign", {"symbol": "BNB", "amount": 1}, {"amount": (0, "1e-9", None)}),
    ("/api/unfreeze/sign", {"symbol": "BNB", "amount": 1}, {"symbol": ("", None, "A_B")}),
    (
        "/api/vote/sign",
        {"proposal_id": 1, "option": 1},
        {
            "proposal_id": (0, -1, 1.5, "1e3", 2**63, 10**200, True),
            "option": (0, 5, "Maybe", 1.0, None),
        },
    ),
    ("/api/transfer/sign", {}, {"transfers": PAYMENTS}),
    ("/api/transfer/sign", {"transfers": [PAYMENT]}, {"amount": (1,), "symbol": ("BNB",)}),
]


@pytest.mark.parametrize(("path", "good", "bad"), OTHER_MESSAGES)
def test_a_member_of_another_message_that_is_none(
    desk: Refusals, path: str, good: dict[str, Any], bad: dict[str, tuple[object, ...]]
) -> None:
    for member, values in bad.items():
        for value in values:
            places = desk.invalid(path, {"wallet_name": "desk", "msg": {**good, member: value}})
            assert {place[3] for place in places} == {member}, value


def test_everything_that_is_wrong_is_told_at_once(desk: Refusals) -> None:
    places = desk.invalid(
        "/api/order/sign", {"wallet_name": "desk", "msg": {"symbol": "BNB", "side": 9, "price": 0}}
    )
    assert [place[-1] for place in places] == [
        "symbol",
        "order_type",
        "side",
        "price",
        "quantity",
        "time_in_force",
    ]


def test_what_the_permissions_do_not_cover(desk: Refusals) -> None:
    reply = desk.refused(403, "no_permission", desk.post(PATHS[0], GOOD, user="clerk"))
    assert reply.document["detail"] == "User has no permission transfer on wallet desk"
    body = json.dumps({"wallet_name": "desk"}).encode()
    desk.refused(403, "no_permission", desk.post("/api/wallet/resync", body, user="clerk"))


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For: 10.9.9.9", "Forwarded: for=10.9.9.9", "X-Real-IP: 10.9.9.9"]
)
def test_an_address_outside_the_whitelist_whatever_it_claims(desk: Refusals, header: str) -> None:
    body = json.dumps(transfer("fenced")).encode()
    for path in (*PATHS, "/api/wallet/resync"):
        reply = desk.refused(403, "address_not_allowed", desk.post(path, body, header))
        assert reply.document["detail"] == "Access denied 127.0.0.1"
