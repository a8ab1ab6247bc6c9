"""One of three replicas is killed at random moments, again and again, under load: nothing twice, nothing lost.

How often, VAULTSIGNER_KILLS says; a restart of the whole replica takes a second or two.
"""

import os
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException
from threading import Event

import pytest
from click.testing import CliRunner

from tests.adversarial.bots import sent_by, sequence_of, units_of
from tests.adversarial.desk import PREFIX, private_key_wallet, transfer
from tests.integration.replicas.desk import REPLICAS, WORKERS, Desk, running_replicas
from tests.integration.signed.callers import HMAC, UNHURRIED, planned_clients
from tests.postgres import PostgresServer
from tests.signing_client import SignedCall, signed_call
from vaultsigner.cli import main

KILLS = int(os.environ.get("VAULTSIGNER_KILLS", "6"))
KILLED = 2
pytestmark = pytest.mark.timeout(600 + 20 * KILLS)
WALLETS = tuple(private_key_wallet(f"bot-{number}") for number in range(WORKERS))
SEND = "/api/transfer/broadcast"


@dataclass(slots=True)
class Work:
    """What a worker did: amounts that were paid by all it knows, and the answers to copies of one signed request."""

    paid: list[int] = field(default_factory=list)
    unanswered: int = 0
    copies: list[tuple[int, int]] = field(default_factory=list)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer) -> Iterator[Desk]:
    with running_replicas(
        tmp_path_factory.mktemp("killed"),
        postgres,
        WALLETS,
        clients=planned_clients(*(wallet.name for wallet in WALLETS)),
        rate_limits=UNHURRIED,
    ) as running:
        running.world.token()
        yield running


def test_a_replica_killed_again_and_again_loses_nothing_and_repeats_nothing(desk: Desk) -> None:
    chance = random.Random(20261122)  # noqa: S311 - when to kill is no secret
    enough = Event()
    with ThreadPoolExecutor(WORKERS) as pool:
        working = [pool.submit(work, desk, number, enough) for number in range(WORKERS)]
        try:
            for _ in range(KILLS):
                time.sleep(chance.uniform(0.05, 0.6))
                desk.services[KILLED].kill()
                desk.services[KILLED].start()
        finally:
            enough.set()
        done = [each.result() for each in working]
    assert sum(each.unanswered for each in done) >= KILLS // 2, "they were killed in the middle of something"
    for wallet, each in zip(WALLETS, done, strict=True):
        transactions = {(sequence_of(sent), sent.hex) for sent in sent_by(desk.world, wallet)}
        executed = [sent for sent in sent_by(desk.world, wallet) if sent.executed]
        assert [units_of(sent) for sent in executed] == each.paid, "each was paid, once, and in order"
        assert [sequence_of(sent) for sent in executed] == list(range(len(executed)))
        assert len(transactions) == len({number for number, _ in transactions}), (
            "no number for two transactions"
        )
        assert not [both for both in each.copies if both == (200, 200)], "a signature was accepted twice"
        assert any(200 in both for both in each.copies)


def test_the_chains_of_all_lives_verify_together(desk: Desk) -> None:
    result = CliRunner().invoke(main, ["audit", "verify", str(desk.world.directory)])
    assert result.exit_code == 0, result.output
    signed = {record.get("transaction_hash") for record in desk.records() if record["kind"] == "outcome"}
    assert {each.transaction_hash for each in desk.world.node.chain.executed} <= signed


def work(desk: Desk, number: int, enough: Event) -> Work:
    """One payment after the other, each at the next replica, until it is known to be made."""
    done = Work()
    while not enough.is_set():
        units = len(done.paid) + 1
        pay(desk, number, units, done)
        done.paid.append(units)
        call = signed_call(
            HMAC, "GET", "/api/auth/check", {"number": f"{number}.{units}"}, recv_window_ms=60_000
        )
        done.copies.append((status(desk, KILLED, call), status(desk, units % KILLED, call)))
        time.sleep(0.05)
    return done


def status(desk: Desk, place: int, call: SignedCall) -> int:
    """0: the connection broke."""
    try:
        return desk.world.send(call, service=desk.services[place]).status
    except (OSError, HTTPException):
        return 0


def pay(desk: Desk, number: int, units: int, done: Work) -> None:
    tries = units + number
    while True:
        tries += 1
        answer = desk.ask(tries, SEND, transfer(WALLETS[number].name, units))
        assert answer.status in (0, 200, 409, 503), answer
        if answer.status == 200:
            return
        if answer.status == 0:
            done.unanswered += tries % REPLICAS == KILLED
            if settled(desk, number, units):
                return
        time.sleep(0.05)


def settled(desk: Desk, number: int, units: int) -> bool:
    """Whether it was paid and only the answer is missing. Nobody else has the wallet, so that nobody is at work on it now."""
    address = WALLETS[number].address(PREFIX)
    database = desk.state_url.rpartition("/")[2]
    # As half a minute later: whoever held the number is gone.
    held = desk.postgres.execute(
        f"UPDATE vaultsigner.held SET lease_until_ms = 0 WHERE address = '{address}' RETURNING 1",  # noqa: S608 - ours
        database,
    )
    paid = any(each.executed and units_of(each) == units for each in sent_by(desk.world, WALLETS[number]))
    return paid and not held
