"""`python -m benchmarks.audit_verify`: how many records a second `vaultsigner audit verify` checks, and in how much memory.

Makes the records first (with the recorder's own code, sealed and chained). Each measurement runs in a process of its own; beside
it stands one that only gives every line to Python's json module. With DuckDB installed, a filtered query is timed too, in one
process that asks twice: the second time the files are in the system's cache.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.policy_replay import write_records

YARDSTICK = """
import json, pathlib, sys
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.jsonl")):
    with path.open("rb") as lines:
        for line in lines:
            json.loads(line)
"""
QUERY = """
import pathlib, sys, time
from vaultsigner.audit.chain_files import find_chains
from vaultsigner.audit.queries import Filters, open_queries
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


def main() -> None:
    """Make, verify, tell."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit_verify", description=__doc__)
    parser.add_argument(
        "--records", type=int, default=1_000_000, help="in two chains over a month (1,000,000)"
    )
    parser.add_argument("--keep", type=Path, help="make the records here, or use those that are here already")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vaultsigner-bench-") as made:
        records = chosen.keep or Path(made) / "audit"
        if not records.is_dir():
            write_records(records, chosen.records // 2, outcomes=True)
        files = list(records.rglob("*.jsonl"))
        count = sum(path.read_bytes().count(b"\n") for path in files)
        print(
            f"{count:,} records, {sum(path.stat().st_size for path in files) / 1e6:,.0f} MB, start of the program included:"
        )
        _tell("vaultsigner audit verify", count, _run(["-m", "vaultsigner", "audit", "verify", str(records)]))
        _tell("vaultsigner audit root", count, _run(["-m", "vaultsigner", "audit", "root", str(records)]))
        _tell("json.loads of each line", count, _run(["-c", YARDSTICK, str(records)]))
        if find_spec("duckdb") is not None:
            subprocess.run([sys.executable, "-c", QUERY, str(records)], check=True)


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
