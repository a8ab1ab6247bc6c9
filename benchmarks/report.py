"""Writes what was measured as docs/performance.md."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.failures import UNKNOWN, Timing
from benchmarks.load import Measured
from benchmarks.scenarios import CONNECTIONS, VAULT, Results

HEAD = """\
# Performance

Made by `./run bench`; run it on your own machine. Everything below is from one run on one machine, with the server, custody,
OpenBao (in memory), the disk and the load all sharing it: read the ratios, not the numbers. Medians of {rounds} rounds of
{seconds:g} s each.

{machine}.

Each signature is a full one: access token checked, body decoded, policy evaluated, intent recorded and synced to disk, key read
from Vault and wiped, signature verified, outcome recorded and synced, transaction encoded.

"""

WHERE = """\
## Where the time goes

One call at a time, in microseconds. The second table's parts wait for something outside the process, and share it under load: all
who wait for the disk share one sync, and all who want the same key at the same moment share one Vault read.

"""

FAILURES = """\
## Failures to authenticate

An unknown API key, a wrong signature and an expired timestamp must not be told apart by how long the answer takes. Asked in a
random order over a few connections; mean and 95 % confidence in milliseconds. *Told apart* means: from an unknown key, with
99.99 % confidence. The second table is the same service without the decoy secret and without the grid on which refusals leave,
to show that the measurement would notice.

"""


def write_report(results: Results, path: Path) -> None:
    """Write the document."""
    head = HEAD.format(rounds=results.rounds, seconds=results.seconds, machine=results.machine)
    sections = [head, "## Signatures a second\n\n", *_load_tables(results), WHERE]
    sections += [
        _parts_table("inside the server", results.pure_parts),
        _parts_table("waiting", results.waiting_parts),
        FAILURES,
        *(_failures_table(name, timings) for name, timings in results.failures.items()),
    ]
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(sections).rstrip("\n") + "\n")


def _load_tables(results: Results) -> Iterable[str]:
    for connections in CONNECTIONS:
        yardstick = results.loads[VAULT][connections]
        yield f"### {connections} connection{'s' if connections > 1 else ''}\n\n"
        yield "| | a second | of bare Vault reads | p50 ms | p99 ms |\n| --- | --: | --: | --: | --: |\n"
        for name, by_connections in results.loads.items():
            yield _load_row(name, by_connections[connections], yardstick)
        yield "\n"


def _load_row(name: str, measured: Measured, yardstick: Measured) -> str:
    ratio = measured.rate / yardstick.rate
    return (
        f"| {name} | {measured.rate:,.0f} | {ratio:.2f} | {measured.p50_ms:.2f} | {measured.p99_ms:.2f} |\n"
    )


def _parts_table(title: str, parts: Mapping[str, float]) -> str:
    rows = "".join(f"| {name} | {microseconds:,.0f} |\n" for name, microseconds in parts.items())
    return f"| {title} | µs |\n| --- | --: |\n{rows}\n"


def _failures_table(title: str, timings: Mapping[str, Timing]) -> str:
    rows = "".join(
        f"| {kind} | {timing.mean_ms:.3f} ± {timing.margin_ms:.3f} | {timing.runs:,} "
        f"| {'yes' if timing.differs_from(timings[UNKNOWN]) else 'no'} |\n"
        for kind, timing in timings.items()
    )
    return f"| {title} | ms | runs | told apart |\n| --- | --: | --: | --- |\n{rows}\n"
