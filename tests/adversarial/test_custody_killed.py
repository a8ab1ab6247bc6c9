"""kill -9 of the custody process while bots work: 503 until it is back by itself, and nothing signed twice."""

import os
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count

import pytest

from tests.adversarial.bots import Attempt, ask, sent_by, sequence_of, units_of
from tests.adversarial.desk import private_key_wallet, running_desk, transfer
from tests.patience import wait_until
from tests.world import World

KILLS = 3
WALLETS = (private_key_wallet("one"), private_key_wallet("two"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_desk(tmp_path_factory.mktemp("killed"), *WALLETS) as running:
        yield running


@dataclass
class Load:
    """Bots that sign and broadcast one transfer after the other, each again and again until it has worked."""

    world: World
    attempts: list[Attempt] = field(default_factory=list)
    done: list[tuple[str, str, int]] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator["Load"]:
        """For as long as the block lasts; then each bot ends what it has begun."""
        stop = threading.Event()
        token = self.world.token()
        bots = [
            threading.Thread(target=self._work, args=(wallet.name, verb, token, stop))
            for wallet in WALLETS
            for verb in ("sign", "broadcast")
        ]
        for bot in bots:
            bot.start()
        try:
            yield self
        finally:
            stop.set()
            for bot in bots:
                bot.join()

    def good_since(self, moment: float) -> bool:
        """Whether a request that was made after this moment was answered with a signature."""
        return any(each.began > moment and each.status == 200 for each in self.attempts)

    def _work(self, wallet: str, verb: str, token: str, stop: threading.Event) -> None:
        for units in count(1):
            while True:
                attempt = ask(self.world.url, f"/api/transfer/{verb}", transfer(wallet, units), token)
                self.attempts.append(attempt)
                if attempt.status != 503:
                    break
                time.sleep(0.02)
            self.done.append((wallet, verb, units))
            if stop.wait(0.01):
                return


@pytest.fixture(scope="module")
def load(world: World) -> Load:
    """What the bots saw while custody was killed, and came back, again and again."""
    with Load(world).running() as load:
        for _ in range(KILLS):
            time.sleep(0.4)
            killed = time.monotonic()
            os.kill(world.service.custody_pid, signal.SIGKILL)
            wait_until(partial(load.good_since, killed), "signatures can be had again")
    return load


def test_requests_meanwhile_get_503_in_the_error_shape(world: World, load: Load) -> None:
    attempts = load.attempts
    assert Counter(attempt.status for attempt in attempts).keys() == {200, 503}
    for attempt in attempts:
        if attempt.status == 503:
            assert attempt.body.keys() == {"code", "message", "detail", "request_id"}
            assert attempt.body["code"] == "custody_unavailable"
            assert "no answer within" not in attempt.body["message"], "nobody waits for what has ended"
            assert attempt.body["request_id"] == attempt.request_id
            assert attempt.headers["Retry-After"]


def test_every_answer_has_its_records(world: World, load: Load) -> None:
    records = defaultdict(list)
    for record in world.records():
        records[record.get("request_id")].append(record)
    for attempt in load.attempts:
        kinds = [record["kind"] for record in records[attempt.request_id]]
        last = records[attempt.request_id][-1]
        if attempt.status == 503:
            assert (last["status"], last["code"]) == (503, "custody_unavailable")
            assert not any(record.get("transaction_hash") for record in records[attempt.request_id])
        elif attempt.path.endswith("sign"):
            assert kinds == ["intent", "outcome"]
            assert (last["code"], len(last["signed_sha256"])) == ("ok", 64)
        else:
            assert kinds == ["intent", "outcome", "dispatch"]
            assert last["result"] == "accepted"


def test_nothing_was_sent_twice_and_nothing_is_missing(world: World, load: Load) -> None:
    for wallet in WALLETS:
        sent = sent_by(world, wallet)
        assert [sequence_of(received) for received in sent] == list(range(len(sent)))
        done = [units for name, verb, units in load.done if (name, verb) == (wallet.name, "broadcast")]
        assert [units_of(received) for received in sent] == sorted(done)
    assert all(received.executed for received in world.node.chain.received)


def test_no_number_was_signed_for_two_broadcasts(world: World, load: Load) -> None:
    signed = defaultdict(set)
    for record in world.records():
        if (
            record["kind"] == "outcome"
            and record["operation"] == "transfer.broadcast"
            and record["signed_sha256"]
        ):
            signed[record["wallet"], record["sequence"]].add(record["transaction_hash"])
    assert len(signed) == len(world.node.chain.executed)
    assert {len(hashes) for hashes in signed.values()} == {1}
