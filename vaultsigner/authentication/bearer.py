"""Whose access token is this: the check that the server makes for every request, and that custody makes again for itself."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping

from vaultsigner.authentication.access_tokens import AccessClaims, verify_access_token
from vaultsigner.authentication.passwords import credential_fingerprint
from vaultsigner.config.settings import User
from vaultsigner.domain.names import UserName
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import VaultsignerError

REMEMBERED_TOKENS = 4096
KEY_REFRESH_SECONDS = 5.0

NOT_AUTHENTICATED = Refusal(
    "not_authenticated",
    "Not authenticated: POST /api/auth/login gives an access token; send it as Authorization: Bearer TOKEN. "
    "Bots sign instead: X-MBX-APIKEY, timestamp, signature",
    detail="Not authenticated",
    reason="no bearer token",
)

AskForKeys = Callable[[], Awaitable[Mapping[str, bytes]]]


def bearer_token(authorization: str | None) -> str | None:
    """The token of an Authorization header (RFC 6750, section 2.1), None where there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip(" ") or None if scheme.lower() == "bearer" else None


def invalid_token(reason: str) -> Refusal:
    """One answer for every bad token; only the record tells them apart."""
    return Refusal(
        "invalid_token",
        "Could not validate credentials: the access token is not good, or no longer; log in again",
        detail="Could not validate credentials",
        reason=reason,
    )


class TokenChecker:
    """Finds the user of an access token.

    A token that verified once is remembered by its hash, so that a busy bot does not cost an Ed25519 verification each time;
    its expiry, its user and that user's password are looked at every time.

    Args:
        users: those of the configuration.
        ask_for_keys: the public keys that tokens are signed with, by key id.
        seconds: the time, since 1970.
        monotonic: seconds on a clock that never steps.
    """

    def __init__(
        self,
        users: Mapping[UserName, User],
        ask_for_keys: AskForKeys,
        *,
        seconds: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._fingerprints = {
            name: credential_fingerprint(user.password_hash) for name, user in users.items()
        }
        self._users = users
        self._ask_for_keys = ask_for_keys
        self._seconds = seconds
        self._monotonic = monotonic
        self._keys: Mapping[str, bytes] = {}
        self._keys_asked_at = float("-inf")
        self._asking: asyncio.Future[None] | None = None
        self._verified: dict[bytes, AccessClaims] = {}

    async def user(self, token: str) -> User | Refusal:
        """The user whose token this is.

        Raises:
            VaultsignerError: whatever `ask_for_keys` raises when no keys are at hand.
        """
        claims = await self._claims(token)
        if isinstance(claims, str):
            return invalid_token(claims)
        name = UserName(claims.username)
        if name not in self._users:
            return invalid_token("the token's user is not in the configuration")
        if claims.credential != self._fingerprints[name]:
            return invalid_token(f"the password of user {name} has changed since the token was issued")
        return self._users[name]

    async def _claims(self, token: str) -> AccessClaims | str:
        digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        now = self._seconds()
        known = self._verified.get(digest)
        if known is not None:
            return known if now < known.expires_at else "the token has expired"
        keys = await self._current_keys()
        claims = verify_access_token(token, keys, now)
        if isinstance(claims, str) and (fresh := await self._current_keys(refresh=True)) is not keys:
            # The key may have been rotated since it was asked for.
            claims = verify_access_token(token, fresh, now)
        if isinstance(claims, AccessClaims):
            self._remember(digest, claims)
        return claims

    def _remember(self, digest: bytes, claims: AccessClaims) -> None:
        if len(self._verified) >= REMEMBERED_TOKENS:
            self._verified.pop(next(iter(self._verified)))
        self._verified[digest] = claims

    async def _current_keys(self, *, refresh: bool = False) -> Mapping[str, bytes]:
        """Bad tokens must not become a way to keep Vault busy: all that ask at once share one question, and a refresh happens
        at most every five seconds, whether it succeeds or not.
        """
        due = refresh and self._monotonic() - self._keys_asked_at > KEY_REFRESH_SECONDS
        if self._asking is None and (due or not self._keys):
            self._keys_asked_at = self._monotonic()
            self._asking = asyncio.ensure_future(self._ask())
            self._asking.add_done_callback(_look_at_failure)
        if self._asking is not None and (refresh or not self._keys):
            try:
                # Shielded: a caller that hangs up must not take the answer away from the others.
                await asyncio.shield(self._asking)
            except VaultsignerError:
                # With keys at hand a bad token stays a bad token: a stranger is not told that Vault is in trouble.
                if not self._keys:
                    raise
        return self._keys

    async def _ask(self) -> None:
        try:
            self._keys = await self._ask_for_keys()
        finally:
            self._asking = None


def _look_at_failure(asking: "asyncio.Future[None]") -> None:
    """So that asyncio does not report a failure for which nobody waits any more."""
    if not asking.cancelled():
        asking.exception()
