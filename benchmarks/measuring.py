"""What it costs that every request is measured: the service beside one that measures nothing, and with traces."""

import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median

import aiohttp

from benchmarks.bare_answer import run_bare_server
from benchmarks.desk import Desk, Ground, wallet_names
from benchmarks.side_by_side import Comparison, Contender, Rounds, compare
from vaultsigner.dev.service import PRODUCT

UNMEASURED, METRICS, SOME_TRACES, TRACES = (
    "nothing measured",
    "metrics, as it is",
    "metrics, 10 % of requests traced",
    "metrics, every request traced",
)
SCRAPES = 20


@dataclass(frozen=True, slots=True)
class MeasuringCost:
    """Side by side; and how long one scrape of /metrics took."""

    compared: Comparison
    scrape_ms: float


async def compare_measuring(ground: Ground, rounds: Rounds) -> MeasuringCost:
    """Run the four at once, and load them in turn with signing by a user, the cheapest signature that there is."""
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(run_bare_server())
        ways = {
            UNMEASURED: (("-m", "benchmarks.unmeasured"), ""),
            METRICS: (PRODUCT, ""),
            SOME_TRACES: (PRODUCT, _traces(port, 10)),
            TRACES: (PRODUCT, _traces(port, 100)),
        }
        desks: dict[str, Desk] = {}
        for number, (name, (program, settings)) in enumerate(ways.items()):
            running = ground.run_desk(
                f"measuring-{number}", planting=not number, program=program, more_settings=settings
            )
            desks[name] = await stack.enter_async_context(running)
        contenders = [
            Contender(desk.sign(name, *wallet_names()), desk.processes) for name, desk in desks.items()
        ]
        return MeasuringCost(await compare(contenders, rounds), await _scrape_ms(desks[METRICS]))


def _traces(port: int, percent: int) -> str:
    endpoint = f"http://127.0.0.1:{port}"
    return f"\ntelemetry: {{traces: {{otlp_endpoint: '{endpoint}', sample_percent: {percent}}}}}\n"


async def _scrape_ms(desk: Desk) -> float:
    taken = []
    async with aiohttp.ClientSession() as session:
        for _ in range(SCRAPES):
            began = time.perf_counter()
            async with session.get(f"{desk.service.ops_url}/metrics") as answer:
                await answer.read()
            taken.append(time.perf_counter() - began)
    return median(taken) * 1000
