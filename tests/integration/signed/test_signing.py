"""Everything that can call by access token can call by a signed request too, and gets the very same answer."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from tests.integration.signed.callers import HMAC, NAMES, OPEN_API, OPEN_API_NAME, SIGNERS
from tests.signing_client import Reply, signed_call
from tests.world import Vector, World, wallet_name

WAYS = [*SIGNERS, OPEN_API_NAME]
KINDS: dict[str, dict[str, Any]] = {
    "order": {"symbol": "ANN-457_BNB", "side": 1, "order_type": 2, "time_in_force": 1, "price": "0.000396"}
    | {"quantity": "12"},
    "cancel_order": {"symbol": "ANN-457_BNB", "order_id": "B6561DCC104130059A7C08F48C64610C1F6F9064-11"},
    "transfer": {"to_address": "tbnb1w508d6qejxtdg4y5r3zarvary0c5xw7kkvpjw8", "symbol": "BNB", "amount": "1"},
    "freeze": {"symbol": "BNB", "amount": "10"},
    "unfreeze": {"symbol": "BNB", "amount": "10"},
    "vote": {"proposal_id": 42, "option": 1},
}


SEQUENCES = count(1000)
"""Upwards, because a resync to a lower number waits for blocks that may be late."""


def ask(world: World, way: str, method: str, path: str, document: object = None) -> Reply:
    """The request by one of the clients."""
    if way == OPEN_API_NAME:
        return world.with_open_api_token(OPEN_API, method, path, document=document)
    return world.signed(SIGNERS[way], method, path, document=document)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_signed_as_by_token(live: World, sample: Vector, way: str, kind: str) -> None:
    wallet = live.place({**sample, "sequence": next(SEQUENCES)})
    document = {"wallet_name": wallet, "msg": KINDS[kind]}
    by_token = live.post(f"/api/{kind}/sign", document)
    by_client = ask(live, way, "POST", f"/api/{kind}/sign", document)
    assert (by_client.status, by_client.body) == (200, by_token.body)
    assert by_client.headers["X-Vaultsigner-Decision"].startswith("rule=within-permissions; ")
    intent, outcome = live.records(by_client.request_id)
    assert intent["principal"]["name"] == way
    assert intent["principal"]["type"] == "client"
    assert outcome["vault_request_id"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_broadcast_with_the_signature_that_a_token_gets(
    live: World, sample: Vector, way: str, kind: str
) -> None:
    wallet = live.place({**sample, "sequence": next(SEQUENCES)})
    document = {"wallet_name": wallet, "msg": KINDS[kind]}
    signed = live.post(f"/api/{kind}/sign", document).body["signed_msg"]
    reply = ask(live, way, "POST", f"/api/{kind}/broadcast", document)
    assert reply.status == 200, reply.body
    received = live.node.chain.executed[-1]
    assert received.hex == signed
    assert reply.body[0]["hash"] == received.transaction_hash
    kinds = [record["kind"] for record in live.records(reply.request_id)]
    assert kinds == ["intent", "outcome", "dispatch"]


@pytest.mark.parametrize("way", WAYS)
def test_wallets_are_listed_shown_and_resynchronised(live: World, sample: Vector, way: str) -> None:
    wallet = live.place({**sample, "sequence": next(SEQUENCES)})
    listed = ask(live, way, "GET", "/api/wallet")
    assert (listed.status, listed.body) == (200, live.get("/api/wallet").body)
    shown = ask(live, way, "GET", f"/api/wallet/{wallet}")
    assert (shown.status, shown.body) == (200, live.get(f"/api/wallet/{wallet}").body)
    resynchronised = ask(live, way, "POST", "/api/wallet/resync", {"wallet_name": wallet})
    assert (resynchronised.status, resynchronised.body) == (200, {})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_any_method_can_be_tried(live: World, way: str, method: str) -> None:
    reply = ask(live, way, method, "/api/auth/check")
    assert reply.status == 200, reply.body
    assert reply.body["principal"]["name"] == way


def test_trying_ones_access_token(live: World) -> None:
    answer = live.get("/api/auth/check")
    assert answer.status == 200
    assert (answer.body["principal"]["type"], answer.body["principal"]["name"]) == ("user", "sam")


def test_a_signature_for_one_operation_can_be_bound_to_it(live: World, sample: Vector) -> None:
    """Binance's rule does not cover the path; a client that names the operation in its query is protected all the same."""
    wallet = live.place({**sample, "sequence": next(SEQUENCES)})
    document = {"wallet_name": wallet, "msg": KINDS["freeze"]}
    good = live.signed(HMAC, "POST", "/api/freeze/sign", {"operation": "freeze.sign"}, document=document)
    assert good.status == 200, good.body
    moved = live.signed(HMAC, "POST", "/api/unfreeze/sign", {"operation": "freeze.sign"}, document=document)
    assert moved.status in (400, 401), moved.body
    assert "signed_msg" not in moved.body


def by_token_and_signature(world: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.token()}"}


def by_two_kinds_of_signature(_world: World) -> dict[str, str]:
    return {"X-Mp-Open-Api-Token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2lnbmF0dXJl"}


@pytest.mark.parametrize("further", [by_token_and_signature, by_two_kinds_of_signature])
def test_two_ways_to_show_who_asks_are_one_too_many(
    live: World, further: Callable[[World], dict[str, str]]
) -> None:
    call = signed_call(HMAC, "GET", "/api/auth/check")
    reply = live.send(replace(call, headers={**call.headers, **further(live)}))
    assert (reply.status, reply.body["code"]) == (400, "malformed_parameters"), reply.body


def test_a_wallet_that_is_not_there_is_refused_to_a_known_client(live: World, sample: Vector) -> None:
    wallet = wallet_name(sample)
    reply = live.signed(
        HMAC, "POST", "/api/order/sign", document={"wallet_name": f"{wallet}x", "msg": KINDS["order"]}
    )
    assert reply.status == 404
    (record,) = live.records(reply.request_id)
    assert record["principal"]["name"] == NAMES["hmac_doc"]
