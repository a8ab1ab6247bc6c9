"""Limits of policy at the real service: taken before the key is used, over two servers, and told so that one knows what to do."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.adversarial.desk import RECEIVER, private_key_wallet, running_desk
from tests.patience import PATIENCE_SECONDS
from tests.world import Answer, World
from vaultsigner.dev.service import Service

POLICY = """\
version: 1
rules:
  - id: few-orders
    effect: allow
    operations: [order.sign]
    limits: [{count: 20, every: 1h, per: principal}]
  - id: small-transfers
    effect: allow
    operations: [transfer.*]
    limits: [{sum: amount, max: "10", every: 1h, per: target}]
"""
WALLETS = ("one", "two", "three")
ORDER = {
    "symbol": "ANN-457_BNB",
    "side": 1,
    "order_type": 2,
    "time_in_force": 1,
    "price": "1",
    "quantity": "1",
}
AT_ONCE = 64


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    wallets = [private_key_wallet(name) for name in WALLETS]
    with running_desk(tmp_path_factory.mktemp("limits"), *wallets, policy=POLICY) as running:
        yield running


@pytest.fixture(scope="module")
def other(world: World) -> Iterator[Service]:
    """A second server over the same state."""
    with world.second_service() as service:
        yield service


def transfer(world: World, wallet: str, *amounts: str) -> Answer:
    """Several payments of one transaction, each of another coin."""
    payments = [
        {"to_address": RECEIVER, "symbol": symbol, "amount": amount}
        for symbol, amount in zip(("BNB", "TWT-8C2"), amounts, strict=False)
    ]
    return world.post("/api/transfer/sign", {"wallet_name": wallet, "msg": {"transfers": payments}})


def test_of_64_requests_over_two_servers_as_many_are_signed_as_the_limit_has(
    world: World, other: Service
) -> None:
    token = world.token()

    def ask(number: int) -> tuple[int, str | None]:
        url = (world.url, other.url)[number % 2]
        body = {"wallet_name": "one", "msg": ORDER}
        headers = {"Authorization": f"Bearer {token}"}
        answer = world.session.post(
            f"{url}/api/order/sign", json=body, headers=headers, timeout=PATIENCE_SECONDS
        )
        return answer.status_code, answer.json().get("code")

    with ThreadPoolExecutor(16) as pool:
        answers = Counter(pool.map(ask, range(AT_ONCE)))
    assert answers == {(200, None): 20, (429, "limit_exceeded"): AT_ONCE - 20}


def test_a_sum_counts_every_payment_and_the_refusal_says_what_is_left_and_when(world: World) -> None:
    assert transfer(world, "two", "3", "4.5").status == 200
    refused = transfer(world, "two", "2", "0.50000001")
    assert (refused.status, refused.body["code"]) == (429, "limit_exceeded")
    assert "rule small-transfers allows 10 of amount every 3600 s per target" in refused.body["message"]
    assert "2.5 is left" in refused.body["message"]
    assert 3500 < int(refused.headers["Retry-After"]) <= 3600
    assert transfer(world, "two", "2", "0.5").status == 200
    kinds = [(record["kind"], record.get("code")) for record in world.records(refused.request_id)]
    assert sorted(kinds, key=str) == [("intent", None), ("outcome", "limit_exceeded")]


def test_what_could_never_fit_is_no_matter_of_waiting(world: World) -> None:
    refused = transfer(world, "three", "10.00000001")
    assert (refused.status, refused.body["code"]) == (403, "policy_denied")
    assert "Retry-After" not in refused.headers
    assert transfer(world, "three", "10").status == 200


def test_a_use_stays_counted_though_nothing_was_sent(world: World) -> None:
    """What was signed above, and never sent, took this wallet's room."""
    body: dict[str, Any] = {"to_address": RECEIVER, "symbol": "BNB", "amount": "1"}
    answer = world.post("/api/transfer/broadcast", {"wallet_name": "three", "msg": body})
    assert (answer.status, answer.body["code"]) == (429, "limit_exceeded")
