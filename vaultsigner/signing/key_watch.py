"""Whether each wallet, exchange and Open API app could be signed for, as far as is known without using a key.

Custody looks now and then whether Vault has the keys, one at a time and without reading them. What a look cannot tell, that a
key is another one than it should be, the last use of it tells.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import get_args

import structlog

from vaultsigner.config.settings import Settings
from vaultsigner.custody.client import CustodyClient
from vaultsigner.custody.metrics_protocol import KeyKind
from vaultsigner.domain.refusals import Refusal
from vaultsigner.domain.targets import Target
from vaultsigner.errors import CustodyError
from vaultsigner.policy import PolicySet
from vaultsigner.signing.calls import Answer, Streamed
from vaultsigner.signing.clock import Clock
from vaultsigner.signing.suspensions import SuspensionWatch
from vaultsigner.signing.trail import Trail

EVERY_SECONDS = 30.0
"""How often all keys are looked for."""
SOON_SECONDS = 2.0
"""How often those are that were missing: whoever has imported one waits to see that it is there."""
APART_SECONDS = 0.02
"""Between two looks: a thousand wallets are no burst for Vault."""
RETRY_SECONDS = 0.1
"""How soon the first look is tried again: custody is starting at that moment, too."""
FIRST_LOOK_SECONDS = 2.0
"""How long a question waits for the first look to end."""
KEY_CODES = frozenset({"key_missing", "key_malformed", "wrong_key"})
KINDS: tuple[KeyKind, ...] = get_args(KeyKind)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether something could be signed for now; `reason` is None where it could."""

    reason: str | None = None

    @property
    def ready(self) -> bool:
        """True where nothing is known to stand in the way."""
        return self.reason is None


Standings = Mapping[str, Mapping[str, Standing]]
"""By `wallet`, `exchange` and `open_api`, and by name."""


class KeyWatch:
    """Keeps what is known of each.

    Args:
        custody: is asked whether keys are there.
        watch: knows what is suspended.
    """

    def __init__(
        self, settings: Settings, custody: CustodyClient, watch: SuspensionWatch, clock: Clock
    ) -> None:
        self._settings = settings
        self._custody = custody
        self._watch = watch
        self._clock = clock
        self._names: dict[KeyKind, tuple[str, ...]] = {
            "wallet": tuple(settings.wallets),
            "exchange": tuple(settings.exchanges),
            "open_api": tuple(settings.open_api),
        }
        self._missing: dict[tuple[KeyKind, str], str] = {}
        self._misused: dict[tuple[KeyKind, str], str] = {}
        self._looked = asyncio.Event()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator["KeyWatch"]:
        """Look for as long as the context lasts."""
        task = asyncio.get_running_loop().create_task(self._keep_looking())
        try:
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def after(self, trail: Trail, answer: Answer | Streamed | Refusal) -> None:
        """Learn from how a request ended."""
        if trail.target is None:
            return
        place = (trail.target.kind, trail.target.name)
        if isinstance(answer, Refusal) and answer.code in KEY_CODES:
            self._misused[place] = answer.reason or answer.message
        elif trail.vault_request_id is not None:
            self._misused.pop(place, None)
            self._missing.pop(place, None)

    async def standings(self, policies: PolicySet, problem: str | None) -> Standings:
        """How everything is. Waits a moment for the first look, where there has been none.

        Args:
            policies: in force.
            problem: what stands in the way of everything; None where nothing does.
        """
        if problem is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(FIRST_LOOK_SECONDS):
                    await self._looked.wait()
        usable = Usable(self._settings, policies, self._clock)
        return {
            kind: {
                name: Standing(problem or self._own_problem(kind, name, usable)) for name in self._names[kind]
            }
            for kind in KINDS
        }

    def _own_problem(self, kind: KeyKind, name: str, usable: "Usable") -> str | None:
        target = Target(kind, name)
        stopped = self._watch.refuse_target(str(target))
        if stopped is not None:
            return stopped.reason or stopped.message
        place = (kind, name)
        return self._misused.get(place) or self._missing.get(place) or usable.problem(target)

    async def _keep_looking(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._looked.is_set():
            if await self._look_for(self._all(), apart_seconds=0):
                self._looked.set()
            else:
                await asyncio.sleep(RETRY_SECONDS)
        next_round = loop.time() + EVERY_SECONDS
        while True:
            await asyncio.sleep(SOON_SECONDS)
            everything = loop.time() >= next_round
            if await self._look_for(self._all() if everything else list(self._missing)) and everything:
                next_round = loop.time() + EVERY_SECONDS

    def _all(self) -> list[tuple[KeyKind, str]]:
        return [(kind, name) for kind in KINDS for name in self._names[kind]]

    async def _look_for(
        self, wanted: list[tuple[KeyKind, str]], *, apart_seconds: float = APART_SECONDS
    ) -> bool:
        """False where custody or Vault cannot be asked: that is told elsewhere, and says nothing of any key."""
        for kind, name in wanted:
            try:
                found = await self._custody.find_keys(kind, name)
            except CustodyError:
                return False
            if found.presence == "missing":
                self._miss((kind, name), found.reason or "its key is missing")
            elif self._missing.pop((kind, name), None) is not None:
                log.info("key_found", about=f"{kind}:{name}")
            await asyncio.sleep(apart_seconds)
        return True

    def _miss(self, place: tuple[KeyKind, str], reason: str) -> None:
        if place not in self._missing:
            log.warning("key_not_found", about=f"{place[0]}:{place[1]}", problem=reason)
        self._missing[place] = reason


class Usable:
    """Whether anybody could have anything signed: what a slip in the configuration or in a policy closes altogether."""

    def __init__(self, settings: Settings, policies: PolicySet, clock: Clock) -> None:
        today = datetime.fromtimestamp(clock.milliseconds() / 1000, UTC).date()
        self._settings = settings
        self._allowing = [
            rule
            for rule in policies.rules
            if rule.effect == "allow" and (rule.expires is None or today <= rule.expires)
        ]

    def problem(self, target: Target) -> str | None:
        """Why nobody can; None where somebody may."""
        wallet = next((each for each in self._settings.wallets.values() if each.name == target.name), None)
        if target.kind == "wallet" and wallet is not None and not wallet.permissions:
            return f"config.yml gives wallet {target.name} no permissions"
        families = _FAMILIES[target.kind]
        if not any(
            rule.targets.match(str(target))
            and any(
                (operation.partition(".")[0] in families) == (target.kind != "wallet")
                for operation in rule.operations
            )
            for rule in self._allowing
        ):
            return f"no rule of policy allows anything for {target}"
        return None


_FAMILIES: Mapping[KeyKind, frozenset[str]] = {
    "wallet": frozenset({"exchange", "open_api"}),
    "exchange": frozenset({"exchange"}),
    "open_api": frozenset({"open_api"}),
}
"""What operations for it begin with; for wallets, what they do not begin with."""
