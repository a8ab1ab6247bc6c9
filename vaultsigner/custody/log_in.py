"""Passwords are checked, and access tokens issued, in custody.

The private half of the token key stays in Vault Transit, and only custody may have Transit sign. So whoever takes the server
over can see passwords and tokens that pass through it, but cannot make a token for anyone.
"""

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from vaultsigner.authentication.client_certificates import certificate_misfit
from vaultsigner.authentication.passwords import credential_fingerprint, verify_password
from vaultsigner.authentication.token_minting import finish_token, issue_signing_input
from vaultsigner.config.settings import Settings, User
from vaultsigner.custody.guesses import Guesses
from vaultsigner.custody.log_in_body import Credentials, read_credentials
from vaultsigner.custody.protocol import LogInAnswer, LogInRefused, subject_of_user
from vaultsigner.custody.vault.calls import ed25519_keys, transit_sign
from vaultsigner.custody.vault.pool import VaultPool
from vaultsigner.custody.wiping import wipe, wipe_bytes
from vaultsigner.domain.names import CertificateDigest, UserName
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import CustodyError

THREADS = 2
MOST_WAITING = 32
"""Each takes about 0.2 s of one core and 64 MiB; more than these wait too long to be of use to anyone."""

MOST_FAILED_IN_A_MINUTE = 600
"""Whoever has taken the server over can ask past its limits: this one is custody's own, far above what people mistype."""

_BAD_CREDENTIALS = "bad_credentials"

# The parameters of `hash_password`, a password that nobody knows: only for configurations without any user.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXRoaW5nc2FsdHk$K6GqE3M6n6n1iKpIhuZxG4cqMYlfVYqXHPnGxiKfqk8"


class LogIn:
    """Exchanges a user name and a password for an access token.

    Args:
        clock: seconds since 1970.
        monotonic: seconds.
    """

    def __init__(
        self,
        settings: Settings,
        pool: VaultPool,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._pool = pool
        self._clock = clock
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="password")
        self._waiting = 0
        self._guesses = Guesses(MOST_FAILED_IN_A_MINUTE, monotonic)
        self._blind = secrets.token_bytes(32)

    async def answer(
        self, body: bytearray, certificate: CertificateDigest | None = None
    ) -> LogInAnswer | LogInRefused:
        """Check the credentials in a log-in's raw body, which is wiped, and issue a token.

        Args:
            certificate: what was shown to a proxy, as the server says.

        Raises:
            CustodyError: the credentials are right, but Vault cannot sign a token now.
        """
        credentials = read_credentials(body)
        wipe(body)
        if isinstance(credentials, Refusal):
            return LogInRefused(credentials, None, None)
        try:
            user = await self._user(credentials, certificate)
        finally:
            wipe_bytes(credentials.password)
        if not isinstance(user, Refusal):
            return await self._issue(user)
        if user.code != _BAD_CREDENTIALS:
            return LogInRefused(user, None, None)
        name = credentials.username
        subject = subject_of_user(name) if name in self._settings.users else None
        return LogInRefused(user, subject, _bucket(name))

    async def _user(self, credentials: Credentials, certificate: CertificateDigest | None) -> User | Refusal:
        """An unknown user costs as much time as a known one: the time must not tell which names exist."""
        if self._waiting >= MOST_WAITING:
            return Refusal(
                "rate_limited", "Too many log-ins at once: try again in a few seconds", retry_after_seconds=5
            )
        if (wait_seconds := self._guesses.take()) > 0:
            return Refusal(
                "rate_limited",
                "Too many log-ins have failed: try again in a moment",
                retry_after_seconds=wait_seconds,
            )
        user = self._settings.users.get(UserName(credentials.username))
        password_hash = user.password_hash if user else self._stand_in(credentials.username)
        self._waiting += 1
        try:
            right = await asyncio.get_running_loop().run_in_executor(
                self._threads, verify_password, password_hash, credentials.password
            )
        finally:
            self._waiting -= 1
        if user is None:
            return _bad_credentials("no user of that name")
        if not right:
            return _bad_credentials(f"wrong password for user {user.username}")
        # Told like a wrong password, and as late: the certificate's absence must not tell that a guess was right.
        if (misfit := certificate_misfit(user, certificate)) is not None:
            return _bad_credentials(f"user {user.username}: {misfit}")
        self._guesses.give_back()
        return user

    def _stand_in(self, username: str) -> str:
        """A real user's hash, whose result is thrown away; the same one each time for a name."""
        hashes = [user.password_hash for user in self._settings.users.values()] or [_NOBODY]
        digest = hmac.digest(self._blind, username.encode("utf-8", "replace"), "sha256")
        return hashes[int.from_bytes(digest[:8], "big") % len(hashes)]

    async def _issue(self, user: User) -> LogInAnswer:
        key = self._settings.access_token_key
        version = list(await ed25519_keys(self._pool, key))[-1]
        signing_input = issue_signing_input(
            username=user.username,
            credential=credential_fingerprint(user.password_hash),
            key_id=version,
            token_id=secrets.token_hex(16),
            issued_at=int(self._clock()),
            expiry_minutes=self._settings.access_token_expiry_minutes,
        )
        made = await transit_sign(self._pool, key, version, signing_input)
        try:
            token = finish_token(signing_input, made.signature)
        except ValueError:
            raise CustodyError("vault_unavailable", f"Vault's signature with {key} makes no sense") from None
        return LogInAnswer(user.username, token, _bucket(user.username), made.vault_request_id)


def _bucket(username: str) -> str:
    """Eight bits of a hash tell a replica nothing of what a stranger typed, a password perhaps."""
    return f"stranger:{hashlib.sha256(username.encode('utf-8', 'replace')).hexdigest()[:2]}"


def _bad_credentials(reason: str) -> Refusal:
    """One answer for both halves; the detail is the old service's, JSON in a text. The record alone has the reason.

    The name that was typed is not in it: sooner or later somebody types a password there.
    """
    return Refusal(
        _BAD_CREDENTIALS,
        "Incorrect email or password: the user name or the password is wrong",
        detail='{"error": "Incorrect email or password"}',
        reason=reason,
    )
