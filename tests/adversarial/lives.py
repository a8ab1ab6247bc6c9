"""Lives of the small service of `counting_life`, and what must be true when they are over."""

import json
import os
import select
import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Self

from tests.patience import PATIENCE_SECONDS
from tests.strace import injecting
from vaultsigner.audit.files.chain_files import all_lines, find_chains
from vaultsigner.audit.files.compression import closed_files
from vaultsigner.audit.verifying.verification import verify_chain

NOBODY = "nobody"


@dataclass(frozen=True)
class Tampering:
    """What becomes of some calls of one thread, see `tests.strace.injecting`."""

    thread: str
    calls: str
    what: str
    log: Path | None = None


@dataclass(frozen=True)
class Signed:
    """An answer that was given, and the record that it stands on."""

    step: int
    account: str
    sequence: int
    chain: str
    seq: int


@dataclass
class Told:
    """What a life said before it ended. `tampered`: whether the thread that was to be tampered with ever began."""

    signed: list[Signed] = field(default_factory=list)
    refused: int = 0
    done: bool = False
    tampered: bool = False


class Lives:
    """For `with`: lives lives, each in a process of its own."""

    def __enter__(self) -> Self:
        """Start the process from which the others are forked."""
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "tests.adversarial.counting_life"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End it."""
        with self._parent:
            self._parent.kill()

    def live(self, directory: Path, steps: range, tampering: Tampering | None = None) -> Told:
        """One life, until it ends."""
        thread = tampering.thread if tampering is not None else NOBODY
        self._write(f"{directory} {steps.start} {steps.stop} 1 {thread}\n")
        return self._listen(tampering, None)

    def live_under_load(
        self, directory: Path, steps: range, bots: int, killed_after_seconds: float | None
    ) -> Told:
        """One life with several callers at once.

        Args:
            killed_after_seconds: from its first answer on; None: it is left to end by itself.
        """
        self._write(f"{directory} {steps.start} {steps.stop} {bots} {NOBODY}\n")
        return self._listen(None, killed_after_seconds)

    def _listen(self, tampering: Tampering | None, killed_after_seconds: float | None) -> Told:
        told, pid = Told(), 0
        with ExitStack() as stack:
            while (words := self._words())[0] != "ended":
                match words:
                    case ["life", number]:
                        pid = int(number)
                    case ["thread", tid]:
                        assert tampering is not None
                        stack.enter_context(
                            injecting(int(tid), tampering.calls, tampering.what, tampering.log)
                        )
                        told.tampered = True
                        self._write("!")
                    case ["signed", step, account, sequence, chain, seq]:
                        if killed_after_seconds is not None and not told.signed:
                            Timer(killed_after_seconds, os.kill, (pid, signal.SIGKILL)).start()
                        told.signed.append(Signed(int(step), account, int(sequence), chain, int(seq)))
                    case ["refused", *_]:
                        told.refused += 1
                    case ["done"]:
                        told.done = True
        return told

    def _write(self, words: str) -> None:
        assert self._parent.stdin is not None
        self._parent.stdin.write(words.encode())

    def _words(self) -> list[str]:
        assert self._parent.stdout is not None
        ready, _, _ = select.select([self._parent.stdout], [], [], PATIENCE_SECONDS)
        assert ready, "a life neither goes on nor ends"
        words = self._parent.stdout.readline().decode().split()
        assert words, "the parent of all lives has ended"
        return words


def require_no_answer_without_its_record(directory: Path, *lives: Told) -> None:
    """One unbroken chain with a record for each answer, no number for two transactions, and nothing left over.

    Raises:
        AssertionError: one of these is not so.
    """
    (chain,) = find_chains(directory / "audit")
    verdict = verify_chain(chain)
    assert verdict.intact, verdict.finding
    records = {record["seq"]: record for record in (json.loads(line.data) for line in all_lines(chain.files))}
    transactions: dict[str, dict[int, set[str]]] = {}
    for record in records.values():
        if record.get("event") == "signed":
            details = record["details"]
            sequences = transactions.setdefault(details["account"], {})
            sequences.setdefault(details["sequence"], set()).add(details["transaction"])
    for sequences in transactions.values():
        assert all(len(each) == 1 for each in sequences.values()), sequences
        assert sorted(sequences) == list(range(len(sequences)))
    for answer in (each for life in lives for each in life.signed):
        assert answer.chain == chain.name
        details = records[answer.seq]["details"]
        found = (details["step"], details["account"], details["sequence"])
        assert found == (answer.step, answer.account, answer.sequence)
    assert not chain.others
    assert not any(path.suffix == ".new" for path in chain.directory.iterdir())
    assert not closed_files(chain.directory, None)
