"""Custody's Vault token: read from a file descriptor into a buffer, and read again when Vault no longer takes it.

It never stands in an environment variable or on a command line: both can be read in /proc for as long as the process lives.
"""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from vaultsigner.custody.wiping import wipe

LONGEST_TOKEN = 4096
REREAD_SECONDS = 1.0
_TOKEN = re.compile(rb"\s*([!-~]+)\s*")


class VaultToken:
    """The token in use.

    Args:
        descriptor: the token file as the launcher opened it; None where there was none yet.
        path: the same file by name, for when it has been replaced.
        clock: monotonic seconds.
    """

    def __init__(
        self, descriptor: int | None, path: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._descriptor = descriptor
        self._path = path
        self._clock = clock
        self._value: bytearray | None = None
        self._looked_at = float("-inf")
        self.generation = 0
        self.in_doubt = False
        """Vault has refused the token, which may mean that it is dead, or that it may not do one thing; the keeper asks."""
        self.look()

    @property
    def value(self) -> bytearray | None:
        """The token; None while there is none. Belongs to this object: copy it into what is wiped, never keep it."""
        return self._value

    @property
    def remedy(self) -> str:
        """What a person has to do when Vault does not take the token."""
        if self._value is None:
            return f"there is no token yet, write one into {self._path}"
        return f"write a fresh token into {self._path}, or give its policy what `vaultsigner vault setup --print` shows"

    def refused(self, generation: int) -> bool:
        """Vault refused the token of this generation. Whether there is another one to try now.

        Looks at the file once a second at most, so that a refused token costs little.
        """
        if generation != self.generation:
            return True
        self.in_doubt = True
        return self._clock() - self._looked_at >= REREAD_SECONDS and self.look()

    def look(self) -> bool:
        """Read the file again; whether the token is now another one."""
        self._looked_at = self._clock()
        return self._take(self._descriptor) or self._reopen()

    def _reopen(self) -> bool:
        """The file may have been replaced by renaming: the descriptor still shows the old one."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError:
            return False
        if not self._take(descriptor):
            os.close(descriptor)
            return False
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = descriptor
        return True

    def _take(self, descriptor: int | None) -> bool:
        if descriptor is None:
            return False
        room = bytearray(LONGEST_TOKEN + 1)
        try:
            count = os.preadv(descriptor, [room], 0)
            return count <= LONGEST_TOKEN and self._adopt(room, count)
        except OSError:
            return False
        finally:
            wipe(room)

    def _adopt(self, room: bytearray, count: int) -> bool:
        found = _TOKEN.fullmatch(room, 0, count)
        if found is None:
            return False
        start, end = found.span(1)
        fresh = room[start:end]
        if fresh == self._value:
            wipe(fresh)
            return False
        if self._value is not None:
            wipe(self._value)
        self._value = fresh
        self.in_doubt = False
        self.generation += 1
        return True
