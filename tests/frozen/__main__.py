"""`vaultsigner serve`, but the launcher starts tests.frozen.server and tests.frozen.custody instead of the product's own."""

import os
import subprocess
from pathlib import Path

from tests.frozen.clock import CLOCK_VARIABLE, NAIVE_VARIABLE
from vaultsigner.cli import main, serve
from vaultsigner.cli.launcher import Launcher

ROOT = str(Path(__file__).parents[2])
OURS = {"vaultsigner.server": "tests.frozen.server", "vaultsigner.custody": "tests.frozen.custody"}


class FrozenLauncher(Launcher):
    """Hands the clock to both processes; everything else is the product's."""

    def _start(
        self, arguments: list[str], environment: dict[str, str], descriptors: list[int] | None = None
    ) -> "subprocess.Popen[bytes]":
        handed = {name: os.environ[name] for name in (CLOCK_VARIABLE, NAIVE_VARIABLE) if name in os.environ}
        ours = [OURS.get(argument, argument) for argument in arguments]
        return super()._start(ours, {**environment, **handed, "PYTHONPATH": ROOT}, descriptors)


if __name__ == "__main__":
    vars(serve)["Launcher"] = FrozenLauncher
    main()
