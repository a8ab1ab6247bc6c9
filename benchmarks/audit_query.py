"""`python -m benchmarks.audit_query`: how long a filtered search of the record takes, and how much memory.

Makes the records first (with the recorder's own code, sealed and chained). Beside it stands a program that gives every line to
Python's json module and looks at the same members. The files are in the system's cache: every way reads them once before.

- `vaultsigner audit query` is a new program each time: it starts, loads DuckDB and reads all files, the second time as the first.
- The service's searching process keeps what filters look at of closed files: its first answer pays for that, the others do not.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.policy_replay import write_records
from vaultsigner.audit.searching.query_client import QueryClient, QueryError

LATEST = 200
FILTERS = {"principal": "client:bot-3", "target": "wallet:wallet_2", "operation": "transfer.*"}
OTHERS: tuple[dict[str, str], ...] = (
    {"principal": "client:bot-5", "operation": "order.broadcast"},
    {"kind": "outcome", "code": "ok", "target": "wallet:wallet_1"},
    {"rule": "within-permissions", "amount_above": "100"},
    {"request_id": "00000000000000000000000000009d83"},
)
YARDSTICK = """
import collections, json, pathlib, sys
found = collections.deque(maxlen=200)
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.jsonl")):
    with path.open("rb") as lines:
        for line in lines:
            record = json.loads(line)
            principal = record.get("principal") or {}
            if (principal.get("type"), principal.get("name"), record.get("wallet")) == ("client", "bot-3", "wallet_2"):
                if (record.get("operation") or "").startswith("transfer."):
                    found.append(record["time"] + record["chain"])
"""


@dataclass(frozen=True, slots=True)
class Used:
    """What a process used: seconds by the clock and of all cores, memory at most."""

    clock_seconds: float
    busy_seconds: float
    memory_mb: float

    def __str__(self) -> str:
        """For people."""
        busy = f"{self.busy_seconds:.2f} s of all cores' time"
        return f"{self.clock_seconds:.2f} s by the clock, {busy}, {self.memory_mb:.0f} MB of memory at most"


def main() -> None:
    """Make, search, tell."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit_query", description=__doc__)
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
        size = sum(path.stat().st_size for path in files)
        asked = " ".join(f"--{name} '{value}'" for name, value in FILTERS.items())
        print(f"{count:,} records, {size / 1e6:,.0f} MB; {asked} --latest {LATEST}:")
        print(f"  json.loads of each line: {_run(['-c', YARDSTICK, str(records)])}")
        for when in ("first", "second"):
            print(f"  vaultsigner audit query, {when} run: {_run(_command(records))}")
        asyncio.run(_search(records))


def _command(records: Path) -> list[str]:
    options = [part for name, value in FILTERS.items() for part in (f"--{name}", value)]
    latest = ["--latest", str(LATEST), "--format", "jsonl"]
    return ["-m", "vaultsigner", "audit", "query", "--records", str(records), *options, *latest]


def _run(arguments: list[str]) -> Used:
    begin = time.monotonic()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = status
    if status != 0:
        raise SystemExit(f"{arguments}: status {status}")
    return Used(time.monotonic() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


async def _search(records: Path) -> None:
    """The service's way, over its own client."""
    client = QueryClient(records, deadline_seconds=600)
    try:
        for when in ("its first answer", "the same again", "and again"):
            await _tell(f"the searching process, {when}", client, "records", filters=FILTERS, latest=LATEST)
        for filters in OTHERS:
            what = ", ".join(f"{name} {value}" for name, value in filters.items())
            await _tell(f"other filters ({what})", client, "records", filters=filters, latest=LATEST)
        span = {"since": "2026-10-21T00:00:00Z", "until": "2026-11-21T00:00:00Z", "steps": 60}
        await _tell("a summary of all of it", client, "summary", filters={}, **span)
        await _tell(
            "a summary of one client", client, "summary", filters={"principal": "client:bot-3"}, **span
        )
        memory = _memory_mb()
        print(f"  the searching process's memory at most: {memory:.0f} MB")
    finally:
        await client.close()


async def _tell(what: str, client: QueryClient, name: str, **question: Any) -> None:
    begin, used = time.monotonic(), _busy_seconds()
    while True:
        try:
            lines, end = await client.ask(name, **question)
            break
        except QueryError as error:
            if "ask again" not in str(error):
                raise
    seconds, busy = time.monotonic() - begin, _busy_seconds() - used
    found = f"{len(lines)} records" if name == "records" else f"of {json.dumps(end['records'])} records"
    print(f"  {what}: {found} in {seconds:.2f} s by the clock, {busy:.2f} s of all cores' time")


def _child() -> Path | None:
    """The only one that there is."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return Path("/proc", *children) if children else None


def _busy_seconds() -> float:
    child = _child()
    if child is None:
        return 0.0
    fields = (child / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb() -> float:
    child = _child()
    assert child is not None
    status = (child / "status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    main()
