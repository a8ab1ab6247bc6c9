"""`python -m benchmarks.audit_verify`: how many records a second `vaultsigner audit verify` checks, and in how much memory.

Makes the records first (with the recorder's own code, sealed, chained, with a signed checkpoint after each thousand) and what an
anchor keeps of them. Each measurement runs in a process of its own; beside it stands one that only gives every line to Python's
json module. With DuckDB installed, a filtered query is timed too, in one process that asks twice: the second time the files
are in the system's cache.
"""

import argparse
import gzip
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

from nacl.signing import SigningKey

from benchmarks.policy_replay import BEGIN, entries_of
from vaultsigner.audit.anchors.anchor import name_for
from vaultsigner.audit.chain import Head, seal
from vaultsigner.audit.checkpoint_entry import Checkpointed
from vaultsigner.audit.files.chain_files import find_chains, read_lines
from vaultsigner.audit.verifying.trust import trust_file
from vaultsigner.audit.writing.chain_tree import ChainState
from vaultsigner.domain.checkpoints import KEY_NAME, AnchorDocument, Checkpoint, SignedCheckpoint
from vaultsigner.domain.merkle import Growth, Tree, leaf_hash
from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.signed_notes import VerifierKey, sign_note

CHAINS = ("00000000000000aa", "00000000000000bb")
EVERY = 1000
SECRET = SigningKey(b"benchmark" + bytes(23))
KEY = VerifierKey(KEY_NAME, bytes(SECRET.verify_key))
YARDSTICK = """
import gzip, json, pathlib, sys
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.jsonl*")):
    with (gzip.open(path) if path.suffix == ".gz" else path.open("rb")) as lines:
        for line in lines:
            json.loads(line)
"""
QUERY = """
import pathlib, sys, time
from vaultsigner.audit.files.chain_files import find_chains
from vaultsigner.audit.searching.queries import Filters, open_queries
chains = find_chains(pathlib.Path(sys.argv[1]))
asked = Filters(principal="client:bot-3", target="wallet:wallet_2", operation="transfer.*")
with open_queries(chains) as queries:
    for when in ("first", "after warm-up"):
        begin, used = time.monotonic(), time.process_time()
        found = len(list(queries.find(asked, 200).lines))
        clock, used = time.monotonic() - begin, time.process_time() - used
        print(f"  a filtered query, {when}: {found} records in {clock:.2f} s by the clock, {used:.2f} s of all cores' time")
"""


@dataclass(frozen=True, slots=True)
class Used:
    """What a process used, as the system says: seconds of a core, seconds by the clock, memory at most."""

    busy_seconds: float
    clock_seconds: float
    memory_mb: float


class _Chain:
    """Writes one, a file a day, and what an anchor keeps of it."""

    def __init__(self, records: Path, anchor: Path, name: str, *, compressed: bool) -> None:
        self._directory, self._anchor = records / name, anchor / name
        self._directory.mkdir(parents=True)
        self._anchor.mkdir(parents=True)
        self._compressed = compressed
        self._head = Head(name)
        self._growth = Growth(Tree())
        self._day = ""
        self._lines: list[bytes] = []

    def write(self, members: dict[str, JsonValue], day: str, now_us: int) -> None:
        if day != self._day:
            self.flush(last=False)
            self._day = day
        line, self._head = seal(members, self._head, now_us)
        self._lines.append(line)
        self._growth.add(leaf_hash(line[:-1]))

    def checkpoint(self, day: str, now_us: int) -> None:
        tree, head, path = self._growth.tree, self._head, tuple(self._growth.path())
        state = ChainState(
            head.chain, tree.size, tree.root(), head.hash, tree.subtrees, self._growth.base_size, path
        )
        made = Checkpoint(state.chain, state.size, state.root, state.head, now_us)
        signature = SECRET.sign(made.text().encode()).signature
        signed = SignedCheckpoint(made, sign_note(made.text(), KEY, signature))
        document = AnchorDocument(state.old_size, path, signed)
        (self._anchor / name_for(state.size)).write_text(document.text(), encoding="utf-8")
        self._growth = Growth(tree)
        self.write(Checkpointed(state, signed, None).members(), day, now_us)

    def flush(self, *, last: bool) -> None:
        if self._lines:
            data, path = b"".join(self._lines), self._directory / f"{self._day}.jsonl"
            if self._compressed and not last:
                path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(data, 6))
            else:
                path.write_bytes(data)
        self._lines.clear()


def write_records(records: Path, anchor: Path, count: int, *, compressed: bool) -> None:
    """A month of two chains, half of the records each."""
    for number, name in enumerate(CHAINS):
        chain = _Chain(records, anchor, name, compressed=compressed)
        chance = random.Random(number)  # noqa: S311 - the same records each time
        requests = count // (2 * len(CHAINS))
        step = timedelta(days=31) / max(requests, 1)
        for request in range(requests):
            at = BEGIN + request * step
            day, now_us = f"{at:%Y-%m-%d}", int(at.timestamp() * 1_000_000)
            for entry in entries_of(chance, request, outcomes=True):
                chain.write(entry.members(), day, now_us)
            if request % (EVERY // 2) == EVERY // 2 - 1 or request == requests - 1:
                chain.checkpoint(day, now_us)
        chain.flush(last=True)


def main() -> None:
    """Make, verify, tell."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit_verify", description=__doc__)
    parser.add_argument(
        "--records", type=int, default=1_000_000, help="in two chains over a month (1,000,000)"
    )
    parser.add_argument("--compressed", action="store_true", help="closed files as .gz")
    parser.add_argument("--keep", type=Path, help="make the records here, or use those that are here already")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vaultsigner-bench-") as made:
        home: Path = chosen.keep or Path(made) / "home"
        records, anchor, trust = home / "audit", home / "anchor", home / "keys.txt"
        if not records.is_dir():
            # In a process of its own: what it leaves in memory would be counted for those that are measured.
            making = get_context("spawn").Process(
                target=write_records,
                args=(records, anchor, chosen.records),
                kwargs={"compressed": chosen.compressed},
            )
            making.start()
            making.join()
            trust.write_text(trust_file([KEY], "of this benchmark"))
        _measure(records, ("--trust", str(trust), "--anchors", str(anchor)))


def _measure(records: Path, evidence: tuple[str, ...]) -> None:
    count = sum(1 for _ in _lines(records))
    size = sum(path.stat().st_size for path in records.rglob("*.jsonl*"))
    print(f"{count:,} records, {size / 1e6:,.0f} MB, start of the program included:")
    program = ("-m", "vaultsigner", "audit")
    verify = (*program, "verify", str(records))
    _tell("audit verify, checkpoints without signatures", count, _run(verify))
    _tell("audit verify with signatures and anchors", count, _run((*verify, *evidence)))
    _tell("audit root", count, _run((*program, "root", str(records))))
    _tell("json.loads of each line", count, _run(("-c", YARDSTICK, str(records))))
    if find_spec("duckdb") is not None:
        subprocess.run([sys.executable, "-c", QUERY, str(records)], check=True)


def _lines(records: Path) -> Iterator[bytes]:
    for chain in find_chains(records):
        for file in chain.files:
            yield from read_lines(file)


def _run(arguments: Sequence[str]) -> Used:
    begin = time.monotonic()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = status
    if status != 0:
        raise SystemExit(f"{arguments}: status {status}")
    return Used(used.ru_utime + used.ru_stime, time.monotonic() - begin, used.ru_maxrss / 1024)


def _tell(what: str, records: int, used: Used) -> None:
    print(
        f"  {what}: {records / used.busy_seconds:,.0f} a second of one core ({used.busy_seconds:.1f} s of its time, "
        f"{used.clock_seconds:.1f} s by the clock), {used.memory_mb:.0f} MB of memory at most"
    )


if __name__ == "__main__":
    main()
