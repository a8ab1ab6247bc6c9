"""A Vault token in use: where it lies, which one it is, and whether to believe in it."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from vaultsigner.custody.wiping import wipe

REREAD_SECONDS = 1.0


class HeldToken(ABC):
    """What the connections to Vault see of the token; where it comes from is the subclass's.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._value: bytearray | None = None
        self.generation = 0
        self.in_doubt = False
        """Vault has refused the token, which may mean that it is dead, or that it may not do one thing; the keeper asks."""
        self.woken = asyncio.Event()
        """Set when the keeper has something to do that should not wait for its next look."""
        self.decided: Callable[[], None] = lambda: None
        """Called once it is clear what questions that wait for the token (`pending`) can hope for."""

    @property
    def value(self) -> bytearray | None:
        """The token; None while there is none. Belongs to this object: copy it into what is wiped, never keep it."""
        return self._value

    @property
    def pending(self) -> bool:
        """Whether another token may be there in a moment, so that a question does well to wait for it."""
        return False

    @property
    @abstractmethod
    def remedy(self) -> str:
        """What a person has to do when Vault does not take the token."""

    @abstractmethod
    def refused(self, generation: int) -> bool:
        """Vault refused the token of this generation. Whether there is another one to try now."""

    def adopt(self, fresh: bytearray) -> bool:
        """Take a token into use, as this object's own; False where it is the one in use already."""
        if fresh == self._value:
            wipe(fresh)
            return False
        if self._value is not None:
            wipe(self._value)
        self._value = fresh
        self.in_doubt = False
        self.generation += 1
        return True
