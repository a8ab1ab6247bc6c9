"""A nonce counts once, however many copies come at the same time, over all processes."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.contract.state.nonce_racers import COPIES
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[3]
NONCES = 2_000
WAVE = 20
"""Nonces in flight at a time in each process: more than one batch takes, with all their copies."""


class Racer:
    """See `nonce_racers`."""

    def __init__(self, url: str, way: str) -> None:
        command = [sys.executable, "-m", "tests.contract.state.nonce_racers", url, way]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )

    def answer(self) -> list[str]:
        """The next line, word by word."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().split()

    def submit(self, first: int, number: int) -> None:
        """Have it submit all copies of so many nonces."""
        assert self.process.stdin is not None
        print(first, number, file=self.process.stdin, flush=True)


@contextmanager
def racers(url: str, way: str) -> Iterator[list[Racer]]:
    """Two, with the database open."""
    both = [Racer(url, way) for _ in range(2)]
    try:
        assert [racer.answer() for racer in both] == [["open"], ["open"]]
        yield both
    finally:
        for racer in both:
            racer.process.communicate(timeout=PATIENCE_SECONDS)


def accepted(url: str, way: str, nonces: int) -> tuple[list[int], set[int]]:
    """How often each nonce was accepted by both together, and which of the two accepted any."""
    total, winners = [], set[int]()
    with racers(url, way) as both:
        for first in range(0, nonces, WAVE):
            for racer in both:
                racer.submit(first, WAVE)
            counts = [[int(word) for word in racer.answer()] for racer in both]
            total += [sum(each) for each in zip(*counts, strict=True)]
            winners |= {number for number, each in enumerate(counts) if any(each)}
    return total, winners


def test_a_nonce_counts_once_over_two_processes(url: str) -> None:
    total, winners = accepted(url, "as_it_is", NONCES)
    assert total == [1] * NONCES
    assert winners == {0, 1}, "one process was always first: they did not race"


def test_the_race_would_show_a_look_before_the_insert(url: str) -> None:
    total, _ = accepted(url, "naively", 2 * WAVE)
    assert max(total) > 1
    assert max(total) <= 2 * COPIES
