"""`./run bench`: what a signature costs, beside what it is made of; writes docs/performance.md."""

import argparse
import asyncio
import tempfile
from pathlib import Path

from rich.console import Console

from benchmarks.report import write_report
from benchmarks.scenarios import run_scenarios

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
    parser.add_argument("--output", type=Path, default=DOCUMENT, help="the document to write")
    chosen = parser.parse_args()
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="vaultsigner-bench-") as directory:
        results = asyncio.run(
            run_scenarios(Path(directory), chosen.seconds, chosen.rounds, chosen.failures, console)
        )
    write_report(results, chosen.output)
    console.print(f"written: {chosen.output}")


if __name__ == "__main__":
    main()
