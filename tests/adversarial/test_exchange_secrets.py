"""An exchange's secret that lies in Transit is in nobody's memory, in no file and in no answer, while it signs and afterwards."""

import base64
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tests.adversarial.memory_search import (
    MemoryWatch,
    Needles,
    ProcessMemory,
    find_in,
    forms_of_key,
    forms_of_text,
    may_read_memory,
)
from tests.exchanges import KEYS
from tests.integration.exchanges.desk import EVERY, EXCHANGE_KEY, HMAC, ORDER, Desk, running_desk
from tests.signing_client import Reply

ORDERS, CLIENTS = 60, 4
PAUSE_SECONDS = 0.02
FEWEST_LOOKS = 5
needs_to_look = pytest.mark.skipif(not may_read_memory(), reason="needs root with CAP_SYS_PTRACE")


@dataclass(frozen=True, slots=True)
class Run:
    """What was seen of three processes while they served."""

    desk: Desk
    server: MemoryWatch
    custody: MemoryWatch
    replies: list[Reply]


def exchange_secrets() -> Needles:
    """Every form of the three secrets; of RSA its two primes, of Ed25519 its seed."""
    needles = forms_of_text("HMAC", KEYS[EXCHANGE_KEY["hmac"]]["secret"])
    rsa = load_pem_private_key(KEYS[EXCHANGE_KEY["rsa"]]["private_key"].encode(), None)
    ed25519 = load_pem_private_key(KEYS[EXCHANGE_KEY["ed25519"]]["private_key"].encode(), None)
    assert isinstance(rsa, RSAPrivateKey)
    assert isinstance(ed25519, Ed25519PrivateKey)
    numbers = rsa.private_numbers()
    for name, prime in (("p", numbers.p), ("q", numbers.q)):
        needles |= forms_of_key(f"RSA {name}", prime.to_bytes((prime.bit_length() + 7) // 8))
    seed = ed25519.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    der = rsa.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    middle = {"RSA, base64": base64.b64encode(der)[400:480]}
    return needles | forms_of_key("Ed25519", seed) | middle


def order(desk: Desk, number: int) -> Reply:
    scheme = EVERY[number % len(EVERY)]
    return desk.call(
        "POST", "/api/v3/order", {**ORDER, "newClientOrderId": f"n{number}"}, at=f"main-{scheme}"
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Orders of four clients at once, each scheme in its turn, with both processes looked at meanwhile."""
    with running_desk(tmp_path_factory.mktemp("exchange-secrets")) as desk:
        for number in range(len(EVERY)):
            assert order(desk, number).status == 200
        service = desk.world.service
        # What each surely keeps: a search that does not find it proves nothing.
        kept = {"kept": KEYS[EXCHANGE_KEY["ed25519"]]["api_key"].encode()}
        needles = {**exchange_secrets(), **kept}
        server = MemoryWatch(ProcessMemory(service.server_pid), needles)
        custody = MemoryWatch(ProcessMemory(service.custody_pid), needles)
        watches = (server, custody)
        if may_read_memory():
            for watch in watches:
                watch.look()
        numbers = count(len(EVERY))
        replies: list[Reply] = []
        while not replies or (may_read_memory() and min(watch.looks for watch in watches) < FEWEST_LOOKS):
            with ThreadPoolExecutor(CLIENTS) as pool:
                asked = [pool.submit(order, desk, next(numbers)) for _ in range(ORDERS)]
                while not all(one.done() for one in asked):
                    for watch in watches:
                        if watch.looks:
                            watch.look()
                    time.sleep(PAUSE_SECONDS)
            replies += [one.result() for one in asked]
        yield Run(desk, server, custody, replies)


def test_every_order_arrived_signed(run: Run) -> None:
    assert {reply.status for reply in run.replies} == {200}
    orders = run.desk.exchange.requests("POST /api/v3/order")
    assert len(orders) == len(run.replies) + len(EVERY)
    assert all(each.verified for each in orders)


@needs_to_look
def test_neither_process_ever_held_a_secret_that_lies_in_transit(run: Run) -> None:
    for watch in (run.server, run.custody):
        assert watch.looks >= FEWEST_LOOKS
        assert watch.found == {"kept"}


@needs_to_look
def test_nor_do_they_hold_one_afterwards(run: Run) -> None:
    service = run.desk.world.service
    for pid in (service.server_pid, service.custody_pid, service.launcher_pid):
        assert ProcessMemory(pid).find(exchange_secrets()) == set()


@needs_to_look
def test_a_secret_in_kv_is_gone_again_too(run: Run) -> None:
    for scheme in EVERY:
        assert run.desk.call("POST", "/api/v3/order", ORDER, at=f"kv-{scheme}").status == 200
    service = run.desk.world.service
    for pid in (service.server_pid, service.custody_pid):
        assert ProcessMemory(pid).find(exchange_secrets()) == set()


def test_no_file_and_no_answer_holds_one(run: Run) -> None:
    needles = {**exchange_secrets(), **forms_of_text("the bot's", HMAC.secret)}
    directory: Path = run.desk.world.installation.directory
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert any(path.suffix == ".jsonl" for path in files)
    assert {str(path): found for path in files if (found := find_in(path.read_bytes(), needles))} == {}
    assert find_in(repr(run.replies).encode(), needles) == set()
