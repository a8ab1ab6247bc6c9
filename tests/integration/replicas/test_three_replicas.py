"""Three replicas over one PostgreSQL, eight workers at each: one sequence, one limit, one nonce store, one set of decisions."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator

import pytest
import requests
from click.testing import CliRunner

from tests.adversarial.bots import Attempt, sent_by, sequence_of, units_of
from tests.adversarial.desk import private_key_wallet, transfer
from tests.integration.replicas.desk import REPLICAS, WORKERS, Desk, running_replicas
from tests.integration.signed.callers import HMAC, NAMES, planned_clients
from tests.integration.signed.test_nonces import in_copies
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.postgres import PostgresServer
from tests.signing_client import SignedCall, signed_call
from tests.world import cheap_hash
from vaultsigner.cli import main
from vaultsigner.config.settings import RateLimit
from vaultsigner.dev.installation import EVERY_PERMISSION, PlannedUser

WALLETS = tuple(private_key_wallet(name) for name in ("one", "two", "three"))
CLIENT = NAMES["hmac_doc"]
ORDERS, BNB, LOG_INS = 50, 100_000_000, 10
SEND, APPROVALS = "/api/transfer/broadcast", "/api/approvals"
POLICY = """\
version: 1
groups: {risk: [user:ann, user:bob, user:eve]}
rules:
  - id: few-orders
    effect: allow
    operations: [order.sign]
    limits: [{count: 50, every: 24h, per: principal}]
  - id: little
    effect: allow
    operations: [transfer.sign]
    limits: [{sum: amount, max: "10", every: 24h, per: target}]
  - {id: small, effect: allow, operations: [transfer.broadcast], when: {amount: {max: "1"}}}
  - id: large
    effect: allow
    operations: [transfer.broadcast]
    when: {amount: {above: "1"}}
    approvals: {count: 2, of: [group:risk], within: 1h}
"""
ORDER = {
    "symbol": "ANN-457_BNB",
    "side": 1,
    "order_type": 2,
    "time_in_force": 1,
    "price": "1",
    "quantity": "1",
}
CALLS, COPIES = 480, 8


def user(name: str, *roles: str) -> PlannedUser:
    granted = {wallet.name: EVERY_PERMISSION for wallet in WALLETS}
    return PlannedUser(name, name * 3, granted, cheap_hash(name * 3), roles)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer) -> Iterator[Desk]:
    with running_replicas(
        tmp_path_factory.mktemp("replicas"),
        postgres,
        WALLETS,
        policy=POLICY,
        users=(*(user(name) for name in ("ann", "bob", "eve")), user("olga", "operator")),
        clients=planned_clients(*(wallet.name for wallet in WALLETS)),
        rate_limits={
            "log_ins_per_address": RateLimit(LOG_INS, 86_400),
            "log_ins_per_user": RateLimit(10_000, 60),
            "failed_signatures_per_address": RateLimit(100_000, 60),
            "requests_per_client": RateLimit(100_000, 60),
        },
    ) as running:
        for name in ("ann", "bob", "eve", "olga"):
            running.world.token(name, name * 3)
        running.world.token()
        yield running


def told(answers: list[Attempt]) -> Counter[tuple[int, str | None]]:
    return Counter((each.status, None if each.status == 200 else each.body["code"]) for each in answers)


def test_of_many_orders_as_many_are_signed_as_the_limit_has(desk: Desk) -> None:
    body = {"wallet_name": "one", "msg": ORDER}
    answers = desk.at_once(lambda number: desk.ask(number, "/api/order/sign", body), 4 * ORDERS)
    assert told(answers) == {(200, None): ORDERS, (429, "limit_exceeded"): 3 * ORDERS}


def test_sums_are_exact_whatever_the_amounts(desk: Desk) -> None:
    """Each refusal is right: with what had been signed until then its amount was too much. In the end the limit is full."""
    amounts = [BNB // 100 * (1 + number * 37 % 90) for number in range(WORKERS * 12)]
    answers = desk.at_once(
        lambda number: desk.ask(number, "/api/transfer/sign", transfer("two", amounts[number])), len(amounts)
    )
    signed = sum(amount for amount, each in zip(amounts, answers, strict=True) if each.status == 200)
    left = 10 * BNB - signed
    assert left >= 0
    assert all(each.body["code"] == "limit_exceeded" for each in answers if each.status != 200)
    assert desk.ask(0, "/api/transfer/sign", transfer("two", left + 1)).status == 429
    if left:
        assert desk.ask(1, "/api/transfer/sign", transfer("two", left)).status == 200
    assert desk.ask(2, "/api/transfer/sign", transfer("two", 1)).status == 429


def test_signatures_that_arrive_everywhere_at_once_count_once(desk: Desk) -> None:
    calls = (
        signed_call(HMAC, "GET", "/api/auth/check", {"number": str(number)}, recv_window_ms=60_000)
        for number in range(CALLS)
    )
    answered = asyncio.run(in_copies(desk.services, calls))
    assert answered == {200: CALLS, 409: CALLS * (COPIES - 1)}


def test_guesses_at_a_password_are_counted_over_all(desk: Desk) -> None:
    def guess(number: int) -> int:
        call = SignedCall(
            "POST",
            "/api/auth/login",
            body=json.dumps({"username": f"nobody-{number}", "password": "x"}).encode(),
        )
        service = desk.services[number % REPLICAS]
        return desk.world.send(call, service=service, source="127.0.9.9").status

    assert Counter(desk.at_once(guess, 4 * LOG_INS)) == {400: LOG_INS, 429: 3 * LOG_INS}


def pay(desk: Desk, number: int) -> int:
    """Broadcasts until it has worked; how many times that took."""
    tries = 0
    while True:
        tries += 1
        answer = desk.ask(number + tries, SEND, transfer("one", number + 1))
        assert answer.status in (200, 409), answer
        if answer.status == 200:
            return tries


def test_one_wallet_broadcasts_over_all_replicas_without_a_hole_or_a_double(desk: Desk) -> None:
    desk.at_once(lambda number: pay(desk, number), WORKERS * 12)
    sent = sent_by(desk.world, WALLETS[0])
    assert all(each.executed for each in sent)
    assert [sequence_of(each) for each in sent] == list(range(WORKERS * 12))
    assert sorted(units_of(each) for each in sent) == list(range(1, WORKERS * 12 + 1))
    by = {record["chain"] for record in desk.records() if record.get("transaction_hash")}
    assert len(by) == REPLICAS, "every replica had a part in it"


def test_an_approval_is_asked_for_here_given_there_and_used_once_anywhere(desk: Desk) -> None:
    body = transfer("three", 2 * BNB)
    asked = desk.ask(0, SEND, body)
    assert asked.status == 202, asked
    approval = asked.body["approval"]["id"]
    for number, who in ((1, "ann"), (2, "bob")):
        assert desk.ask(number, f"{APPROVALS}/{approval}/approve", None, who=who).status == 200
    token = desk.world.token()

    def use(number: int) -> int:
        headers = {"Authorization": f"Bearer {token}", "X-Vaultsigner-Approval": approval}
        url = f"{desk.services[number % REPLICAS].url}{SEND}"
        return requests.post(url, json=body, headers=headers, timeout=PATIENCE_SECONDS).status_code

    answers = Counter(desk.at_once(use, REPLICAS * WORKERS))
    assert answers[200] == 1
    assert set(answers) <= {200, 403, 409}, answers
    paid = [each for each in sent_by(desk.world, WALLETS[2]) if each.executed]
    assert [units_of(each) for each in paid] == [2 * BNB]


def checked(desk: Desk) -> list[int]:
    """What each replica answers a client."""
    return [
        desk.world.send(signed_call(HMAC, "GET", "/api/auth/check"), service=service).status
        for service in desk.services
    ]


@pytest.mark.parametrize("way", ["http", "cli"])
def test_what_is_suspended_at_one_is_at_all(desk: Desk, way: str) -> None:
    config = ["--config", str(desk.services[2].installation.config_file)]
    assert checked(desk) == [200] * REPLICAS
    if way == "http":
        body = {"kind": "client", "name": CLIENT, "reason": "a drill"}
        assert desk.ask(1, "/api/suspensions", body, who="olga").status == 200
    else:
        done = CliRunner().invoke(main, ["suspend", "client", CLIENT, "--reason", "a drill", *config])
        assert done.exit_code == 0, done.output
    wait_until(lambda: checked(desk) == [403] * REPLICAS, "every replica knows")
    assert CliRunner().invoke(main, ["resume", "client", CLIENT, *config]).exit_code == 0
    wait_until(lambda: checked(desk) == [200] * REPLICAS, "every replica knows")


def test_replicas_are_listed_and_need_one_connection_each(desk: Desk) -> None:
    config = ["--config", str(desk.services[0].installation.config_file)]
    listed = CliRunner().invoke(main, ["state", "replicas", *config])
    assert listed.exit_code == 0
    names = sorted(line.split()[0] for line in listed.stdout.splitlines())
    assert names == [f"replica-{number}" for number in range(REPLICAS)]
    name = desk.state_url.rpartition("/")[2]
    assert desk.postgres.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'vaultsigner'",
        name,
    ) == [(REPLICAS,)]


def test_the_records_of_all_are_verified_together(desk: Desk) -> None:
    for directories in (desk.audit_directories, (desk.world.directory,)):
        result = CliRunner().invoke(main, ["audit", "verify", *map(str, directories), "--json"])
        assert result.exit_code == 0, result.output
        assert len(json.loads(result.stdout)["chains"]) >= REPLICAS
    signed = {record.get("transaction_hash") for record in desk.records()}
    assert {each.transaction_hash for each in desk.world.node.chain.executed} <= signed
