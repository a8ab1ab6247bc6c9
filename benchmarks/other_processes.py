"""`vaultsigner serve`, but the launcher starts other modules in place of the product's own two processes."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from vaultsigner.cli import main, serve
from vaultsigner.cli.launcher import Launcher

ROOT = str(Path(__file__).parents[1])


def serve_with(modules: Mapping[str, str]) -> None:
    """Run the command line, everything in which is the product's but these modules.

    Args:
        modules: what is started instead, by the product's names.
    """

    class OtherLauncher(Launcher):
        """Starts them."""

        def _start(
            self, arguments: list[str], environment: dict[str, str], descriptors: list[int] | None = None
        ) -> "subprocess.Popen[bytes]":
            others = [modules.get(argument, argument) for argument in arguments]
            return super()._start(others, {**environment, "PYTHONPATH": ROOT}, descriptors)

    vars(serve)["Launcher"] = OtherLauncher
    main()
