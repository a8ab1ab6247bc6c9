"""The policy files from outside: whether any of them may have changed, and whether they ever come to rest."""

from pathlib import Path

from vaultsigner.signing.clock import Clock
from vaultsigner.signing.moments import told

RESTLESS_SECONDS = 5.0
"""For how long files may change at every look before somebody should know; writing files out takes less."""
MOST_NAMES = 3

Look = tuple[object, ...]
"""How the directory looks from outside; another one where a file in it may have changed."""


class Unrest:
    """Files that change at every look, and so never come into force.

    Args:
        clock: its `monotonic` tells for how long, its time since when.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: tuple[float, int] | None = None
        self._names: list[str] = []

    def note(self, before: Look, now: Look) -> None:
        """They look otherwise than at the look before."""
        self._since = self._since or (self._clock.monotonic(), self._clock.milliseconds())
        changed = set(before) ^ set(now)
        self._names = sorted({str(each[0]) for each in changed if isinstance(each, tuple)})

    def rest(self) -> None:
        """They look as they did at the look before, or have been read as they are."""
        self._since = None

    @property
    def problem(self) -> str | None:
        """What keeps new files from coming into force, once that has lasted; None: nothing of this kind."""
        if self._since is None or self._clock.monotonic() - self._since[0] < RESTLESS_SECONDS:
            return None
        names = ", ".join(repr(name) for name in self._names[:MOST_NAMES])
        return (
            f"files have been changing since {told(self._since[1])} (at the last look: {names or 'all of them'}), "
            "and come into force once all have been at rest for a second"
        )


def look_of(directory: Path) -> Look:
    """Names, sizes, times and inodes of the files that count; links are followed."""
    try:
        entries = sorted(entry for entry in directory.glob("*.yml") if not entry.name.startswith("."))
        return tuple((entry.name, _stat(entry)) for entry in entries)
    except OSError as error:
        return (error.errno,)


def _stat(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError as error:
        return (error.errno or 0,)
    # The time of the last change of the inode, too: the one of the contents can be set to what it was.
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
