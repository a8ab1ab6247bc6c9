"""Custody's Vault token from a log-in of its own. While one is under way, questions to Vault wait for it instead of failing."""

import time
from collections.abc import Callable

from vaultsigner.custody.vault.held_token import REREAD_SECONDS, HeldToken
from vaultsigner.custody.wiping import wipe


class LoggedInToken(HeldToken):
    """The token in use; its keeper gets it, and says what became of that.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._undecided = True
        self._sure_at = float("-inf")
        self._trouble = "custody is logging in to Vault"

    @property
    def pending(self) -> bool:
        """See `HeldToken`."""
        return self._undecided

    @property
    def remedy(self) -> str:
        """See `HeldToken`."""
        if self._value is None:
            return self._trouble
        return "give its policy what `vaultsigner vault setup --print` shows"

    def refused(self, generation: int) -> bool:
        """See `HeldToken`. A policy that lacks a line must not have the token looked up at every question."""
        if self._value is None:
            return False  # where none was to be had, the next log-in decides
        if generation != self.generation:
            return True
        self.in_doubt = True
        if self._clock() - self._sure_at >= REREAD_SECONDS:
            self._undecided = True
            self.woken.set()
        return False

    def presumed_good(self) -> None:
        """It was good a moment ago, in another process: it is used, and looked into as soon as Vault refuses it."""
        self._decide()

    def found_good(self) -> None:
        """Vault takes the token."""
        self._sure_at = self._clock()
        self._decide()

    def not_found_out(self) -> None:
        """Vault cannot be asked whether it takes the token."""
        self._decide()

    def lost(self) -> None:
        """Vault does not take the token any more: there is none until the next log-in, which is about to be tried."""
        if self._value is not None:
            wipe(self._value)
            self._value = None
            self._undecided = True

    def not_had(self, trouble: str) -> None:
        """A log-in failed.

        Args:
            trouble: why, and what to do, for people.
        """
        self._trouble = trouble
        self._decide()

    def _decide(self) -> None:
        self.in_doubt = False
        self._undecided = False
        self.decided()
