"""A clock that stands still until a test moves it: milliseconds since the epoch, as text in a file that every process reads."""

import os
import time
from pathlib import Path

CLOCK_VARIABLE, NAIVE_VARIABLE = "FROZEN_CLOCK", "FROZEN_NAIVE"


class FrozenClock:
    """The time that stands in a file. What measures how long something takes still runs."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def set(self, milliseconds: int) -> None:
        """Move it, for every process at once."""
        new = self.file.with_suffix(".new")
        new.write_text(str(milliseconds))
        new.replace(self.file)

    def milliseconds(self) -> int:
        """Since the Unix epoch."""
        return int(self.file.read_text())

    def seconds(self) -> float:
        """The same in seconds."""
        return self.milliseconds() / 1000

    def monotonic(self) -> float:
        """The machine's own: waiting takes as long as ever."""
        return time.monotonic()


def clock_of_the_test() -> FrozenClock:
    """The one that the environment names."""
    return FrozenClock(Path(os.environ[CLOCK_VARIABLE]))
