"""One of three small replicas is killed 200 times under load, at random moments: nothing twice, nothing lost, over all of them.

They share a database, two accounts, nonces and a limit, and have records of their own. `test_replica_killed` does the same with
whole services, as often as there is time for.
"""

import json
import os
import random
import signal
import socketserver
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from tests.integration.replicas.sharing_life import MOST_USES
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.postgres import PostgresServer
from vaultsigner.audit.files.chain_files import all_lines, find_chains
from vaultsigner.audit.verifying.verification import verify_chain

ROOT = Path(__file__).parents[3]
KILLS = 200


class Node(socketserver.ThreadingTCPServer):
    """A chain: each account's numbers in order, each with the bytes that came first; `journal` has what it took."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.journal: dict[str, list[str]] = {}
        self.wrong: list[str] = []
        self._lock = threading.Lock()

    def take(self, account: str, sequence: int, transaction: str) -> str:
        """What becomes of a transaction."""
        with self._lock:
            taken = self.journal.setdefault(account, [])
            if sequence == len(taken):
                taken.append(transaction)
                return "taken"
            if sequence < len(taken) and taken[sequence] == transaction:
                return "known"
            self.wrong.append(f"{account} {sequence} {transaction}")
            return "wrong"


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        node = cast(Node, self.server)
        try:
            for line in self.rfile:
                account, sequence, transaction = line.decode().split()
                self.wfile.write(f"{node.take(account, int(sequence), transaction)}\n".encode())
        except (ConnectionError, ValueError):  # Killed, perhaps in the middle of a line.
            return


@dataclass(slots=True)
class Said:
    """What the lives of one replica said."""

    paid: list[str] = field(default_factory=list)
    nonces: list[int] = field(default_factory=list)
    used: int = 0
    refused: list[str] = field(default_factory=list)
    pid: int = 0
    ended: int = 0
    last_status: int | None = None


class Lives:
    """One replica: a process from which its lives are forked, and a thread that listens to them."""

    def __init__(self, url: str, directory: Path, node: Node) -> None:
        self.directory = directory
        self.said = Said()
        self._parent = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.integration.replicas.sharing_life",
                url,
                str(directory),
                str(node.server_address[1]),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def begin(self) -> None:
        """A life, until it has said something of its own."""
        before = len(self.said.paid) + self.said.used + len(self.said.nonces)
        assert self._parent.stdin is not None
        print("live", file=self._parent.stdin, flush=True)
        wait_until(
            lambda: len(self.said.paid) + self.said.used + len(self.said.nonces) > before, "a life is at work"
        )

    def end(self, how: signal.Signals) -> None:
        """And wait until it is gone."""
        ended = self.said.ended
        os.kill(self.said.pid, how)
        wait_until(lambda: self.said.ended > ended, "a life has ended", poll_seconds=0.002)

    def close(self) -> None:
        """The process as well."""
        with self._parent:
            self._parent.kill()
        self._listener.join(PATIENCE_SECONDS)

    def _listen(self) -> None:
        assert self._parent.stdout is not None
        said = self.said
        for line in self._parent.stdout:
            word, _, rest = line.strip().partition(" ")
            match word:
                case "life":
                    said.pid = int(rest)
                case "paid":
                    said.paid.append(rest)
                case "nonce":
                    said.nonces.append(int(rest))
                case "used":
                    said.used += 1
                case "refused":
                    said.refused.append(rest)
                case "ended":
                    said.last_status = int(rest)
                    said.ended += 1


@contextmanager
def running_node() -> Iterator[Node]:
    with Node() as node:
        thread = threading.Thread(target=node.serve_forever, daemon=True)
        thread.start()
        yield node
        node.shutdown()
        thread.join()


def test_200_kills_of_one_replica_repeat_nothing_and_lose_nothing(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    chance = random.Random(20261122)  # noqa: S311 - when to kill is no secret
    with postgres.database() as url, running_node() as node, ExitStack() as stack:
        replicas = [Lives(url, tmp_path / f"replica-{number}", node) for number in range(3)]
        for each in replicas:
            stack.callback(each.close)
        killed, *steady = replicas
        for each in steady:
            each.begin()
        for _ in range(KILLS):
            killed.begin()
            threading.Event().wait(chance.uniform(0, 0.08))
            killed.end(signal.SIGKILL)
        killed.begin()
        for each in replicas:
            each.end(signal.SIGTERM)
            assert each.said.last_status == 0, each.said.refused[-3:]
        assert killed.said.ended == KILLS + 1
        uses = postgres.execute("SELECT count(*) FROM vaultsigner.nonces", url.rpartition("/")[2])
    require_nothing_twice(node, [each.said for each in replicas], int(str(uses[0][0])))
    require_everything_on_record(node, replicas)


def require_nothing_twice(node: Node, said: list[Said], nonces: int) -> None:
    """At the node, of the nonces, of the limit."""
    assert node.wrong == []
    journal = [payment for taken in node.journal.values() for payment in taken]
    assert len(set(journal)) == len(journal), "a payment was made twice"
    paid = Counter(payment for each in said for payment in each.paid)
    assert set(paid) <= set(journal), "a caller was told of a payment that nobody made"
    assert all(each.paid for each in said[1:]), (
        "what lives on pays as well; the killed one may never come so far"
    )
    accepted = Counter(nonce for each in said for nonce in each.nonces)
    assert max(accepted.values()) == 1, "a nonce was accepted twice"
    assert len(accepted) <= nonces <= len(accepted) + KILLS * 4, "what was accepted is used, and little else"
    used = sum(each.used for each in said)
    assert MOST_USES - KILLS * 4 <= used <= MOST_USES, "the limit was used up, and not passed"


def require_everything_on_record(node: Node, replicas: list[Lives]) -> None:
    """What reached the node was recorded before, and what a caller was told as well; all chains are whole."""
    wanted, recorded = set[str](), set[str]()
    for each in replicas:
        for chain in find_chains(each.directory):
            assert (verdict := verify_chain(chain)).intact, verdict.finding
            for record in (json.loads(line.data) for line in all_lines(chain.files)):
                payment = record.get("details", {}).get("payment")
                if record.get("event") == "wanted":
                    wanted.add(payment)
                if record.get("event") == "paid":
                    recorded.add(payment)
    assert {payment for taken in node.journal.values() for payment in taken} <= wanted
    assert {payment for each in replicas for payment in each.said.paid} <= recorded
