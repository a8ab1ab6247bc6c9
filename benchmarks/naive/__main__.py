"""`vaultsigner serve`, but the launcher starts the two naive processes."""

import subprocess
from pathlib import Path

from vaultsigner.cli import main, serve
from vaultsigner.cli.launcher import Launcher

ROOT = str(Path(__file__).parents[2])
OURS = {"vaultsigner.server": "benchmarks.naive.server", "vaultsigner.custody": "benchmarks.naive.custody"}


class NaiveLauncher(Launcher):
    """Everything but the two modules is the product's."""

    def _start(
        self, arguments: list[str], environment: dict[str, str], descriptors: list[int] | None = None
    ) -> "subprocess.Popen[bytes]":
        ours = [OURS.get(argument, argument) for argument in arguments]
        return super()._start(ours, {**environment, "PYTHONPATH": ROOT}, descriptors)


if __name__ == "__main__":
    vars(serve)["Launcher"] = NaiveLauncher
    main()
