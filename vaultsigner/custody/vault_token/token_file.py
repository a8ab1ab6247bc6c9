"""Custody's Vault token from a file: read from a descriptor into a buffer, and read again when Vault no longer takes it.

It never stands in an environment variable or on a command line: both can be read in /proc for as long as the process lives.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

from vaultsigner.custody.vault.held_token import REREAD_SECONDS, HeldToken
from vaultsigner.custody.vault_token.secret_file import open_secret_file, word_in
from vaultsigner.custody.wiping import wipe

LONGEST_TOKEN = 4096
_BRACE = ord("{")


class VaultToken(HeldToken):
    """The token in use.

    Args:
        descriptor: the token file as the launcher opened it; None where there was none yet.
        path: the same file by name, for when it has been replaced.
        clock: monotonic seconds.
    """

    def __init__(
        self, descriptor: int | None, path: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(clock)
        self._descriptor = descriptor
        self._path = path
        self._looked_at = float("-inf")
        self._holds_document = False
        self.look()

    @property
    def remedy(self) -> str:
        """See `HeldToken`."""
        if self._holds_document:
            return (
                f"{self._path} holds a JSON document instead of a token: a sink of Vault Agent has to be without wrap_ttl and "
                "dh_type; for a response-wrapped secret, use the method approle"
            )
        if self._value is None:
            return f"there is no token yet, write one into {self._path}"
        return f"write a fresh token into {self._path}, or give its policy what `vaultsigner vault setup --print` shows"

    def refused(self, generation: int) -> bool:
        """See `HeldToken`. Looks at the file once a second at most, so that a refused token costs little."""
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
            descriptor = open_secret_file(self._path)
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
        try:
            fresh = word_in(descriptor, LONGEST_TOKEN)
        except OSError:
            return False
        if fresh is None:
            return False
        self._holds_document = fresh[0] == _BRACE
        if self._holds_document:
            wipe(fresh)
            return False
        return self.adopt(fresh)
