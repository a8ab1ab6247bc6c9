"""The chapters of docs/performance.md, in words and tables."""

from collections.abc import Iterable, Mapping

from benchmarks.failures import UNKNOWN, Timing
from benchmarks.load import Measured
from benchmarks.measuring import MeasuringCost
from benchmarks.scenarios import VAULT, Loads
from benchmarks.side_by_side import Compared, Comparison, Rounds, Spread

HEAD = """\
# Performance

Made by `./run bench`; run it on your own machine. Everything below is from one run on one machine, with the server, custody,
OpenBao (in memory), the disk and the load all sharing it: read the ratios, not the numbers.

{machine}. Load average before it began: {load:.1f}; much more than 0 means that other work took its share.

Each signature is a full one: access token checked, body decoded, policy evaluated, intent recorded and synced to disk, key read
from Vault and wiped, signature verified, outcome recorded and synced, transaction encoded.
"""

LOADS = """\
## Signatures a second

Medians of {rounds} rounds of {seconds:g} s each.

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

SIDE_BY_SIDE = """\
Loaded in turn for {seconds:g} s each, {rounds} rounds, each begun by another one. Ratios are to the first line in the same round:
the median of all rounds, and their range. *Processor* is the time that {whose} used for one answer on all cores,
in microseconds; it wavers less than answers a second, which depend on what else the machine has to do.

"""

MEASURING = """\
## What measuring costs

Every request is counted and each of its steps timed, for `/metrics`; traces (`telemetry.traces`) are sent only where the
configuration asks for them. Here both stand beside the same service with all of that taken out (`benchmarks/unmeasured`).
Signing by a user with an access token, a wallet for each connection: the cheapest signature, of which measuring is the largest
part.

"""

SCRAPE = """\
One scrape of `/metrics` takes {scrape_ms:.1f} ms.
"""

FORWARDING = """\
## Exchange requests

An order of a client that signs with HMAC, forwarded to the exchange with the exchange's own key, time and signature, and its
answer handed on; beside the same order at the exchange itself, and beside a signature that the caller sends. Counted, recorded
(three records for what is forwarded, each synced) and signed like everything else. The exchange is the stand-in on loopback,
which verifies each signature; to a real one the way alone takes longer than all of this.

"""

DATABASES = """\
## SQLite and PostgreSQL

The state of the same desk in either, both synced to the same disk before anything is signed. Requests signed with HMAC, a wallet
for each connection: each uses up a nonce and counts against its client's limit, in one transaction that all who wait at the
time share. PostgreSQL runs on this machine, too: a database elsewhere adds its round trip, and takes its own work away from
these cores.

"""


def head(machine: str, load: float) -> str:
    """The beginning of the document.

    Args:
        load: the machine's load average before anything was measured.
    """
    return HEAD.format(machine=machine, load=load)


def loads_chapter(loads: Loads, rounds: Rounds) -> str:
    """Loads, parts, failures."""
    sections = [
        LOADS.format(rounds=rounds.rounds, seconds=rounds.seconds),
        *_load_tables(loads, rounds),
        WHERE,
    ]
    sections += [
        _parts_table("inside the server", loads.pure_parts),
        _parts_table("waiting", loads.waiting_parts),
        FAILURES,
        *(_failures_table(name, timings) for name, timings in loads.failures.items()),
    ]
    return _joined(sections)


def measuring_chapter(cost: MeasuringCost, rounds: Rounds) -> str:
    """Metrics and traces."""
    tables = _comparison(cost.compared, rounds, "server and custody")
    return _joined([MEASURING, *tables, SCRAPE.format(scrape_ms=cost.scrape_ms)])


def forwarding_chapter(compared: Comparison, rounds: Rounds) -> str:
    """Exchange requests."""
    return _joined([FORWARDING, *_comparison(compared, rounds, "server, custody and the stand-in")])


def databases_chapter(compared: Comparison, rounds: Rounds) -> str:
    """Databases."""
    return _joined([DATABASES, *_comparison(compared, rounds, "server and custody")])


def _joined(sections: Iterable[str]) -> str:
    return "".join(sections).rstrip("\n") + "\n"


def _comparison(compared: Comparison, rounds: Rounds, whose: str) -> Iterable[str]:
    yield SIDE_BY_SIDE.format(seconds=rounds.seconds, rounds=rounds.rounds, whose=whose)
    for connections, by_name in compared.items():
        yield _heading(connections)
        yield "| | a second | ratio | p50 ms | ratio | p99 ms | processor µs | ratio |\n"
        yield "| --- | --: | --: | --: | --: | --: | --: | --: |\n"
        for name, each in by_name.items():
            yield _compared_row(name, each)
        yield "\n"


def _compared_row(name: str, each: Compared) -> str:
    cells = [
        *(f"{each.rate:,.0f}", _ratio(each.rate_ratio)),
        *(f"{each.p50_ms:.2f}", _ratio(each.p50_ratio), f"{each.p99_ms:.2f}"),
        *(f"{each.busy_us:,.0f}", _ratio(each.busy_ratio)),
    ]
    return f"| {name} | {' | '.join(cells)} |\n"


def _ratio(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.least:.2f} to {spread.most:.2f})"


def _heading(connections: int) -> str:
    return f"### {connections} connection{'s' if connections > 1 else ''}\n\n"


def _load_tables(loads: Loads, rounds: Rounds) -> Iterable[str]:
    for connections in rounds.connections:
        yardstick = loads.loads[VAULT][connections]
        yield _heading(connections)
        yield "| | a second | of bare Vault reads | p50 ms | p99 ms |\n| --- | --: | --: | --: | --: |\n"
        for name, by_connections in loads.loads.items():
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
