"""Logs custody in to Vault and keeps the token alive: renews it in time, logs in anew before it can no longer be renewed."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from vaultsigner.custody.protocol import LEFT_WRAPPED
from vaultsigner.custody.vault.session import RefusedError, VaultSession
from vaultsigner.custody.vault.single_exchange import NoAnswerError
from vaultsigner.custody.vault.token_facts import NewToken, SenselessAnswerError, TokenFacts
from vaultsigner.custody.vault_token.keepsake import Keepsake
from vaultsigner.custody.vault_token.log_in_method import LogInError, LogInMethod
from vaultsigner.custody.vault_token.logged_in_token import LoggedInToken
from vaultsigner.custody.wiping import wipe

LOOK_SECONDS = 1.0
SHORTEST_PAUSE_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 30.0
END_SECONDS = 2.0
ACT_AT = 2 / 3
"""Of a token's life: when it is renewed. One that then gets less than this of a full life is near the end of what it may have."""
_NEVER = float("inf")
_log = structlog.get_logger()


class LogInKeeper:
    """Runs beside the questions for as long as custody lives.

    Args:
        name: of the method, for people.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        session: VaultSession,
        token: LoggedInToken,
        method: LogInMethod,
        keepsake: Keepsake,
        *,
        name: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._token = token
        self._method = method
        self._keepsake = keepsake
        self._name = name
        self._clock = clock
        self._ends_at: float | None = None
        self._check_at = _NEVER
        self._log_in_at = float("-inf")
        self._full_ttl = 0
        self._renewable = False
        self._failures = 0
        self._problem: str | None = None

    @property
    def ttl_seconds(self) -> int | None:
        """How long the token still lives; None where it does not end, or there is none."""
        return None if self._ends_at is None else max(0, int(self._ends_at - self._clock()))

    @property
    def problem(self) -> str | None:
        """Why custody has no token, and what to do; None while it has one, or has not yet failed to get one."""
        return self._problem if self._token.value is None else None

    async def run(self) -> None:
        """Look after the token until cancelled."""
        self._take_up()
        while True:
            await self._act()
            await self._sleep()

    async def end(self) -> None:
        """Revoke the token, if Vault can be asked: one that nobody holds should not live on."""
        if self._token.value is not None:
            await self._revoke(self._token.value)
            self._token.lost()
        # The secret id stays: whoever told this process to end may start another.
        self._keepsake.keep_token(None)

    async def _revoke(self, token: bytearray) -> None:
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._session.revoke(token)
            _log.info("token_revoked")
        except (RefusedError, NoAnswerError, TimeoutError) as error:
            _log.warning("token_not_revoked", reason=str(error))

    def _take_up(self) -> None:
        """Go on with the token of the custody process before this one, without asking first."""
        kept = self._keepsake.token()
        if kept is not None and self._token.adopt(kept):
            self._log_in_at = _NEVER
            self._check_at = self._clock()
            self._token.presumed_good()
            _log.info("token_taken_up")

    async def _act(self) -> None:
        """Whatever is due; a log-in last, so that a token in use stays alive while it fails."""
        now = self._clock()
        if self._token.value is not None and (self._token.in_doubt or now >= self._check_at):
            renewing = now >= self._check_at and self._renewable
            await self._check(self._session.renew if renewing else self._session.look_up, renewing=renewing)
        if self._token.value is None and self._log_in_at == _NEVER:
            self._log_in_at = now
        if self._clock() >= self._log_in_at or self._method.offers_more():
            await self._log_in()

    async def _sleep(self) -> None:
        left = min(self._check_at, self._log_in_at, self._clock() + LOOK_SECONDS) - self._clock()
        try:
            async with asyncio.timeout(max(0.01, left)):
                await self._token.woken.wait()
        except TimeoutError:
            pass
        self._token.woken.clear()

    async def _check(self, ask: Callable[[bytearray], Awaitable[TokenFacts]], *, renewing: bool) -> None:
        value = self._token.value
        if value is None:
            return
        try:
            facts = await ask(value)
        except RefusedError:
            _log.error("token_refused", remedy="custody logs in anew")
            self._lose()
        except (NoAnswerError, SenselessAnswerError) as error:
            self._failures += 1
            self._check_at = self._clock() + self._backoff()
            _log.warning("token_not_checked", error=str(error), failures=self._failures)
            self._token.not_found_out()
        else:
            self._failures = 0 if self._log_in_at == _NEVER else self._failures
            self._note(facts)
            self._token.found_good()
            _log.info("token_good", ttl_seconds=facts.ttl_seconds or None, renewed=renewing)
            if renewing and facts.ttl_seconds <= ACT_AT * self._full_ttl and self._log_in_at == _NEVER:
                self._log_in_at = self._clock()

    def _lose(self) -> None:
        self._token.lost()
        self._keepsake.keep_token(None)
        self._ends_at, self._check_at = None, _NEVER
        self._log_in_at = min(
            self._log_in_at, self._clock() + self._backoff() if self._failures else self._clock()
        )

    def _note(self, facts: TokenFacts) -> None:
        """Plan ahead. A token that cannot be renewed is replaced when it would be."""
        now, ttl = self._clock(), facts.ttl_seconds
        self._full_ttl = max(self._full_ttl, facts.full_ttl_seconds)
        self._renewable = facts.renewable
        self._ends_at = now + ttl if ttl else None
        self._check_at = now + max(SHORTEST_PAUSE_SECONDS, ttl * ACT_AT) if ttl else _NEVER
        if ttl and not facts.renewable:
            self._log_in_at = min(self._log_in_at, self._check_at)
            self._check_at = now + max(SHORTEST_PAUSE_SECONDS, ttl)

    async def _log_in(self) -> None:
        try:
            request = await self._method.request()
            try:
                new = await self._session.log_in(request.path, request.body)
            finally:
                wipe(request.body)
            self._check_use(new)
        except RefusedError as error:
            self._fail(
                f"Vault refuses the log-in by {self._name} (status {error.status}): {self._method.remedy}"
            )
        except (LogInError, NoAnswerError, SenselessAnswerError) as error:
            why = str(error)
            # A wrapped secret id that is left for another process is no failure, and does not begin like one.
            left = LEFT_WRAPPED in why
            self._fail(why if left else f"custody cannot log in to Vault by {self._name}: {why}")
        else:
            await self._replace(new)

    async def _replace(self, new: NewToken) -> None:
        """Questions that are under way with the old token are asked again with the new one where Vault refuses them."""
        old = bytearray(self._token.value or b"")
        self._take(new)
        try:
            if old:
                await self._revoke(old)
        finally:
            wipe(old)

    def _check_use(self, new: NewToken) -> None:
        if new.uses:
            wipe(new.value)
            raise LogInError(
                f"the role gives tokens for {new.uses} requests: set its token_num_uses to 0, as `vaultsigner vault setup` does"
            )

    def _take(self, new: NewToken) -> None:
        self._failures, self._problem, self._full_ttl = 0, None, 0
        self._log_in_at = _NEVER
        self._keepsake.keep_token(new.value)
        self._token.adopt(new.value)
        self._note(new.facts)
        self._token.found_good()
        _log.info(
            "logged_in",
            method=self._name,
            ttl_seconds=new.facts.ttl_seconds or None,
            renewable=new.facts.renewable,
            vault_request_id=new.vault_request_id,
        )
        if "default" in new.policies:
            _log.warning(
                "token_has_default_policy",
                remedy="set the role's token_no_default_policy: it doubles what each read costs Vault",
            )

    def _fail(self, problem: str) -> None:
        self._failures += 1
        self._log_in_at = self._clock() + self._backoff()
        if problem != self._problem:
            _log.error("not_logged_in", problem=problem)
        self._problem = problem
        self._token.not_had(problem)

    def _backoff(self) -> float:
        return float(min(LONGEST_BACKOFF_SECONDS, 2 ** min(self._failures, 10) / 2))
