"""`./run bench`: what a signature costs, beside what it is made of; writes docs/performance.md."""

import argparse
import asyncio
import os
import platform
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from benchmarks.chapters import CHAPTERS, Chapter, Extent
from benchmarks.desk import Ground, plan_desk
from benchmarks.report import head
from vaultsigner.dev.beacon_node import run_beacon_node
from vaultsigner.dev.openbao import run_openbao

DOCUMENT = Path(__file__).parents[1] / "docs" / "performance.md"


def main() -> None:
    """Measure, show, write."""
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each load lasts (default: 4)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often everything is measured in turn (default: 3)"
    )
    parser.add_argument(
        "--failures", type=int, default=2000, help="how often each failure to authenticate is timed (2000)"
    )
    parser.add_argument(
        "--turns", type=int, default=10, help="how often what is compared side by side is loaded (10)"
    )
    parser.add_argument(
        "--turn-seconds", type=float, default=1.0, help="how long each of those loads lasts (1)"
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=[chapter.name for chapter in CHAPTERS],
        help="print this chapter and write nothing; may be given several times",
    )
    parser.add_argument("--output", type=Path, default=DOCUMENT, help="the document to write")
    chosen = parser.parse_args()
    console = Console(stderr=True)
    extent = Extent(chosen.rounds, chosen.seconds, chosen.failures, chosen.turns, chosen.turn_seconds)
    chapters = [chapter for chapter in CHAPTERS if not chosen.only or chapter.name in chosen.only]
    load, _, _ = os.getloadavg()
    texts = asyncio.run(_measure(chapters, extent, console))
    if chosen.only:
        print("\n".join(texts))
        return
    chosen.output.parent.mkdir(exist_ok=True)
    chosen.output.write_text("\n".join([head(_machine(), load), *texts]))
    console.print(f"written: {chosen.output}")


async def _measure(chapters: Sequence[Chapter], extent: Extent, console: Console) -> list[str]:
    """Their texts. Every chapter has a Vault of its own: what one left in it does not slow the next."""
    texts = []
    with Progress(console=console) as progress:
        for chapter in chapters:
            task = progress.add_task(chapter.name, total=chapter.loads(extent))
            rounds = chapter.rounds(extent, partial(progress.advance, task))
            async with _ground() as ground:
                texts.append(await chapter.write(ground, rounds, extent))
    return texts


@asynccontextmanager
async def _ground() -> AsyncIterator[Ground]:
    with tempfile.TemporaryDirectory(prefix="vaultsigner-bench-") as made:
        directory = Path(made)
        async with run_openbao(directory / "openbao") as openbao, run_beacon_node() as node:
            yield Ground(directory, openbao, node, plan_desk(node.url))


def _machine() -> str:
    cpus = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    return f"{len(cpus)} cores of {cpus[0] if cpus else platform.machine()}, Linux, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
