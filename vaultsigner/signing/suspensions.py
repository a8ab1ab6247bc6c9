"""Who and what is stopped for the time being: known here within half a second, and changed by operators.

What cannot be known counts as stopped: with a view of suspensions that is too old, nothing is signed.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType
from typing import get_args

import structlog

from vaultsigner.config.problems import suggestion
from vaultsigner.config.settings import Settings, User
from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import StateError, VaultsignerError
from vaultsigner.signing.callers import Caller
from vaultsigner.signing.clock import Clock
from vaultsigner.signing.journal import Journal
from vaultsigner.signing.json_bodies import UnusableBodyError, invalid, read_members, read_text
from vaultsigner.signing.moments import told
from vaultsigner.signing.trail import Trail
from vaultsigner.state import State, Suspension, SuspensionKind

EVERY_SECONDS = 0.5
STALE_SECONDS = 3.0

KINDS: tuple[SuspensionKind, ...] = get_args(SuspensionKind)
EVERYTHING: tuple[SuspensionKind, str] = ("all", "")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")

UNKNOWN = Refusal(
    "suspensions_unknown",
    "Whether this is suspended cannot be found out just now; nothing was signed. Try again",
    reason=f"the last good look at the suspensions is more than {STALE_SECONDS:g} s old",
)
NO_OPERATOR = Refusal("no_permission", "This is for users with the role operator")
NO_REVIEWER = Refusal("no_permission", "This is for users with the role auditor or operator")

log = structlog.get_logger(__name__)


def is_operator(caller: Caller) -> bool:
    """Whether config.yml gives the caller that role. Clients have none."""
    return isinstance(caller.account, User) and "operator" in caller.account.roles


def is_reviewer(caller: Caller) -> bool:
    """Whether config.yml lets the caller read the record: an auditor, or an operator."""
    return isinstance(caller.account, User) and bool(caller.account.roles & {"auditor", "operator"})


def operators(settings: Settings) -> frozenset[str]:
    """Those whom config.yml gives that role, as policies name them."""
    return frozenset(f"user:{name}" for name, user in settings.users.items() if "operator" in user.roles)


def suspended(kind: SuspensionKind, name: str) -> Refusal:
    """The answer to those who are stopped; why is for operators."""
    what = "The whole service" if kind == "all" else f"{kind} {name}"
    return Refusal(
        "suspended",
        f"{what} is suspended until an operator resumes it; the reason is with the operators",
        reason=f"{what} is suspended",
    )


class StoppedError(VaultsignerError):
    """Something was suspended while it was under way."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.code = refusal.code


class SuspensionWatch:
    """This process's view of the suspensions, looked at twice a second.

    Args:
        state: where they are, for all processes.
        clock: its `monotonic` tells how old the view is.
        operators: who may ask for something even while everything is suspended.
    """

    def __init__(self, state: State, clock: Clock, operators: frozenset[str]) -> None:
        self._state = state
        self._clock = clock
        self._operators = operators
        self._suspended: Mapping[tuple[SuspensionKind, str], Suspension] = MappingProxyType({})
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()
        self._failing = False

    @asynccontextmanager
    async def watching(self) -> AsyncIterator["SuspensionWatch"]:
        """Keep looking for as long as the context lasts; there has been a first look, good or bad, when it begins."""
        await self._look()
        task = asyncio.get_running_loop().create_task(self._keep_looking())
        try:
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def refresh(self) -> None:
        """Look now.

        Raises:
            StateError: that is not possible; the view stays what it was.
        """
        # One look at a time: of two, the older view could come in last.
        async with self._looking:
            now = self._clock.monotonic()
            found = await self._state.suspensions()
            self._suspended = MappingProxyType({(each.kind, each.name): each for each in found.suspended})
            self._looked_at = now

    def refuse(self, who: Principal, target: str) -> Refusal | None:
        """Whether somebody may not have this done now. None: nothing stops it.

        Args:
            who: who asks.
            target: as policies name it, e.g. `wallet:wallet_1`.
        """
        kind, _, name = target.partition(":")
        return self._refuse((EVERYTHING, *_names(who.kind, who.name), *_names(kind, name)))

    def refuse_target(self, target: str) -> Refusal | None:
        """Whether nobody at all may have anything done there now.

        Args:
            target: as for `refuse`.
        """
        kind, _, name = target.partition(":")
        return self._refuse((EVERYTHING, *_names(kind, name)))

    def refuse_caller(self, who: Principal) -> Refusal | None:
        """Whether somebody may not even ask. Where everything is suspended operators may: someone has to resume it.

        This is for what signs nothing; `refuse` makes no difference between operators and others.
        """
        everything = () if str(who) in self._operators else (EVERYTHING,)
        return self._refuse((*everything, *_names(who.kind, who.name)))

    def list(self) -> tuple[Suspension, ...]:
        """All that is suspended, in the order in which it was."""
        return tuple(self._suspended.values())

    def find(self, kind: SuspensionKind, name: str) -> Suspension | None:
        """One of them."""
        return self._suspended.get((kind, name))

    def _refuse(self, names: Collection[tuple[SuspensionKind, str]]) -> Refusal | None:
        if self._clock.monotonic() - self._looked_at > STALE_SECONDS:
            return UNKNOWN
        found = next((each for each in names if each in self._suspended), None)
        return None if found is None else suspended(*found)

    async def _look(self) -> None:
        try:
            await self.refresh()
        except StateError as error:
            if not self._failing:
                log.warning("suspensions unknown", problem=str(error))
            self._failing = True
        else:
            if self._failing:
                log.info("suspensions known again")
            self._failing = False

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self._look()


class Suspensions:
    """What operators may do about them. Who asks is proved, and known to be an operator, before anything here is called."""

    def __init__(
        self, state: State, watch: SuspensionWatch, journal: Journal, clock: Clock, settings: Settings
    ) -> None:
        self._state = state
        self._watch = watch
        self._journal = journal
        self._clock = clock
        self._known = suspendable(settings)

    async def listed(self, _caller: Caller) -> JsonValue:
        """All that is suspended, with its reasons."""
        return {"suspensions": [_told(each) for each in self._watch.list()]}

    async def suspend(self, trail: Trail, caller: Caller) -> JsonValue | Refusal:
        """Suspend what the body names. Where that is suspended already, its first reason stays.

        Raises:
            AuditError: it cannot be recorded; nothing has changed then.
            StateError: it is not known whether it is suspended.
        """
        try:
            members = read_members(trail.call.body, ("kind", "name", "reason"))
            kind, name, reason = (read_text(members, member) for member in ("kind", "name", "reason"))
            wanted = self._wanted(kind, name, reason, str(caller.principal))
        except UnusableBodyError as error:
            return error.refusal
        await self._journal.changing(
            trail, "suspend", {"kind": wanted.kind, "name": wanted.name, "reason": wanted.reason}
        )
        new = await self._state.suspend(wanted)
        await self._watch.refresh()
        known = self._watch.find(wanted.kind, wanted.name) or wanted
        return {**_told(known), "changed": new}

    async def resume(self, trail: Trail, kind: str, name: str) -> JsonValue | Refusal:
        """End a suspension, also of something that the configuration does not have any more.

        Raises:
            AuditError, StateError: as for `suspend`.
        """
        wanted = next((each for each in KINDS if each == kind), None)
        named = name == "" if wanted == "all" else _NAME.fullmatch(name) is not None
        known = self._watch.find(wanted, name) if wanted is not None and named else None
        if wanted is None or known is None:
            return Refusal("not_found", "That is not suspended: GET /api/suspensions lists what is")
        await self._journal.changing(trail, "resume", {"kind": wanted, "name": name, "reason": known.reason})
        gone = await self._state.resume(wanted, name)
        await self._watch.refresh()
        return {**_told(known), "changed": gone}

    def _wanted(self, kind: str | None, name: str | None, reason: str | None, by: str) -> Suspension:
        at_ms = self._clock.milliseconds()
        return suspension_of(self._known, kind, name, reason, by=by, at_ms=at_ms)


def suspendable(settings: Settings) -> Mapping[SuspensionKind, Collection[str]]:
    """The names that there are of each kind."""
    return {
        "wallet": settings.wallets,
        "client": settings.clients,
        "user": settings.users,
        "exchange": settings.exchanges,
    }


def suspension_of(
    known: Mapping[SuspensionKind, Collection[str]],
    kind: str | None,
    name: str | None,
    reason: str | None,
    *,
    by: str,
    at_ms: int,
) -> Suspension:
    """What somebody wants suspended, if there is such a thing: in an emergency a mistyped name must not pass for done.

    Raises:
        UnusableBodyError: there is not; its message says what to write.
    """
    wanted = next((each for each in KINDS if each == kind), None)
    if wanted is None:
        raise invalid(("kind",), f"this is one of {', '.join(KINDS)}")
    if reason is None:
        raise invalid(("reason",), "say why: whoever is to resume it will want to know")
    if wanted == "all":
        if name is not None:
            raise invalid(("name",), "all has no name: leave it out")
        return Suspension(*EVERYTHING, reason, by, at_ms)
    if name is None or _NAME.fullmatch(name) is None:
        raise invalid(("name",), f"say which {wanted}, by its name in config.yml")
    names = known.get(wanted, ())
    if name not in names:
        raise invalid(("name",), f"no {wanted} has this name; {suggestion(name, names)}")
    return Suspension(wanted, name, reason, by, at_ms)


def _names(kind: str, name: str) -> Iterator[tuple[SuspensionKind, str]]:
    """A caller or a target in the words of suspensions, if there are any for its kind."""
    wanted = next((each for each in KINDS if each == kind), None)
    if wanted is not None:
        yield wanted, name


def _told(suspension: Suspension) -> dict[str, JsonValue]:
    return {
        "kind": suspension.kind,
        "name": suspension.name,
        "reason": suspension.reason,
        "by": suspension.by,
        "since": told(suspension.at_ms),
    }
