"""The policies in force in this process, and how new ones come into force: in both processes at once, or not at all.

New files are read whole. If anything is wrong with them, everything stays as it was, and /readyz and the record say so. If they
are good, custody is asked to apply what it finds in the directory itself, provided that it is the same; then the change goes on
the record; then this process switches. Custody keeps the old set for the requests that are on their way meanwhile.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Literal

import structlog

from vaultsigner.audit.entries import Control
from vaultsigner.audit.recorder import Recorder
from vaultsigner.config.settings import Settings
from vaultsigner.custody.client import CustodyClient
from vaultsigner.domain.names import JsonValue
from vaultsigner.errors import AuditError, ConfigError, CustodyError
from vaultsigner.policy import PolicySet, unknown_names
from vaultsigner.policy import load as load_policies
from vaultsigner.signing.clock import Clock
from vaultsigner.signing.policy_files import Look, Unrest, look_of

POLL_SECONDS = 1.0
LONGEST_PROBLEM = 1000

Why = Literal["SIGHUP", "files changed", "custody began anew", "tried again"]

log = structlog.get_logger(__name__)


class PolicyKeeper:
    """Holds the set in force. Whoever decides takes `current` once for a request and stays with it.

    Args:
        settings: name the directory; names in rules are compared with theirs.
        custody: is asked to switch first.
        recorder: for what happens to the set.
        clock: for how long files have been changing.
        load: reads a policy set.

    Raises:
        ConfigError: there is no usable policy to begin with.
    """

    def __init__(
        self,
        settings: Settings,
        custody: CustodyClient,
        recorder: Recorder,
        clock: Clock,
        *,
        load: Callable[[Path], PolicySet] = load_policies,
    ) -> None:
        self._settings = settings
        self._directory = settings.policies
        self._custody = custody
        self._recorder = recorder
        self._load = load
        self._reloading = asyncio.Lock()
        self._read_as = look_of(self._directory)
        self._current = self._found = load(self._directory)
        recorder.name_policy(self._current.digest)
        self._agreed_hellos = 0
        self._unusable: str | None = None
        self._disagreed: str | None = None
        self._told: str | None = None
        self._unrest = Unrest(clock)

    @property
    def current(self) -> PolicySet:
        """The set in force; another one from one moment to the next."""
        return self._current

    @property
    def switching(self) -> bool:
        """Whether new files are on their way into force: custody may apply them already."""
        return self._reloading.locked()

    @property
    def problem(self) -> str | None:
        """Why the files as they are now are not in force; None where they are."""
        found = [
            each for each in (self._unrest.problem, self._unusable or self._disagreed) if each is not None
        ]
        if not found:
            return None
        return f"{_bounded('; '.join(found))}; {self._current.digest} stays in force"

    async def reload(self, why: Why) -> None:
        """Read the files anew and put them in force. Never raises for what is wrong with them; `problem` tells."""
        async with self._reloading:
            # Looked at before reading: a change while the files are read leads to another reload.
            self._read_as = await asyncio.to_thread(look_of, self._directory)
            self._unrest.rest()
            found = await asyncio.to_thread(self._read)
            if isinstance(found, str):
                self._unusable = found
                await self._refuse(why)
                return
            self._found = found
            await self._agree(why)

    async def keep_up(self, before: Look) -> Look:
        """What has to be done about once a second; the next call is given what this one answers.

        Files that change are left alone until they stay as they are for a while: one that is half written can be a good
        policy file that lacks the rules at its end. Where they never do, `problem` says so.
        """
        now = await asyncio.to_thread(look_of, self._directory)
        if now != before:
            self._unrest.note(before, now)
            return now
        self._unrest.rest()
        if now != self._read_as:
            await self.reload("files changed")
        elif self._unusable is None and self._custody.connected:
            async with self._reloading:
                if self._disagreed is not None:
                    await self._agree("tried again")
                elif self._custody.hellos != self._agreed_hellos:
                    await self._agree("custody began anew")
        return now

    def _read(self) -> PolicySet | str:
        """A policy set, or why there is none."""
        try:
            return self._load(self._directory)
        except ConfigError as error:
            return str(error)
        except (
            Exception
        ) as error:  # whatever a file does to the loader, the old set stays and people are told
            log.exception("policies not read")
            return f"{self._directory} cannot be read ({type(error).__name__}); the log says more"

    async def _agree(self, why: Why) -> None:
        """Put what was found in force in custody, on the record, and here."""
        found, old, hellos = self._found, self._current, self._custody.hellos
        try:
            await self._custody.load_policies(found.digest)
            if found.digest != old.digest or self._told is not None:
                await self._recorder.record(
                    Control("reload", _details(why, old, to=found.digest), old.digest)
                )
        except (CustodyError, AuditError) as error:
            if getattr(error, "code", "") == "policy_mismatch":
                self._read_as = ()  # the files are no longer what was found here
            self._unusable, self._disagreed = None, f"{error.code}: {error}"
            await self._refuse(why)
            return
        self._agreed_hellos = hellos
        self._unusable = self._disagreed = self._told = None
        self._current = found
        self._recorder.name_policy(found.digest)
        if found.digest == old.digest:
            if why != "custody began anew":
                log.info("policies unchanged", why=why, policy=found.digest)
            return
        log.info("policies reloaded", why=why, policy=found.digest, before=old.digest)
        for name in unknown_names(found, self._settings):
            log.warning("rule names nobody", rule=name.rule, problem=name.text, denies=name.opens)

    async def _refuse(self, why: Why) -> None:
        """Tell it once, and again when it is another problem or the record could not be made."""
        problem = self._unusable or self._disagreed or ""
        if problem == self._told:
            return
        log.error("policies not reloaded", why=why, problem=problem, policy=self._current.digest)
        with suppress(AuditError):  # /readyz tells what is wrong with the record
            await self._recorder.record(
                Control("reload_refused", _details(why, self._current, problem=problem), self._current.digest)
            )
            self._told = problem


@asynccontextmanager
async def watching(keeper: PolicyKeeper, *, poll_seconds: float = POLL_SECONDS) -> AsyncIterator[None]:
    """Reload on SIGHUP and when files have changed, for as long as the context lasts. Needs the main thread."""
    hang_up, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, hang_up.set)
    task = loop.create_task(_watch(keeper, hang_up, poll_seconds))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        loop.remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what is still in flight is finished all the same


async def _watch(keeper: PolicyKeeper, hang_up: asyncio.Event, poll_seconds: float) -> None:
    look: Look = ()
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(hang_up.wait(), poll_seconds)
        try:
            if hang_up.is_set():
                hang_up.clear()
                await keeper.reload("SIGHUP")
            else:
                look = await keeper.keep_up(look)
        except Exception:  # a bug must not be the end of every later reload
            log.exception("policies not watched")


def _details(why: Why, old: PolicySet, **more: str) -> dict[str, JsonValue]:
    return {"why": why, "from": old.digest, **more}


def _bounded(text: str) -> str:
    """On one line, for /readyz."""
    line = " | ".join(text.splitlines())
    return line if len(line) <= LONGEST_PROBLEM else f"{line[:LONGEST_PROBLEM]}…"
