"""Who asks: from an Authorization header to a user of the configuration."""

import hashlib
from collections.abc import Mapping

from vaultsigner.authentication.access_tokens import AccessClaims, verify_access_token
from vaultsigner.authentication.passwords import credential_fingerprint
from vaultsigner.config.settings import User
from vaultsigner.custody.client import CustodyClient
from vaultsigner.domain.names import UserName
from vaultsigner.domain.refusals import Refusal
from vaultsigner.signing.clock import Clock

REMEMBERED_TOKENS = 4096
KEY_REFRESH_SECONDS = 5.0

NOT_AUTHENTICATED = Refusal("not_authenticated", "Not authenticated", reason="no bearer token")


def invalid_token(reason: str) -> Refusal:
    """One answer for every bad token; only the record tells them apart."""
    return Refusal("invalid_token", "Could not validate credentials", reason=reason)


class Authenticator:
    """Checks access tokens with the public half of their key, which custody hands out.

    A token that verified once is remembered by its hash, so that a busy bot does not cost an Ed25519 verification each time;
    its expiry and its user are looked at every time.
    """

    def __init__(self, users: Mapping[UserName, User], custody: CustodyClient, clock: Clock) -> None:
        self._users = users
        self._custody = custody
        self._clock = clock
        self._keys: Mapping[str, bytes] = {}
        self._keys_asked_at = float("-inf")
        self._verified: dict[bytes, AccessClaims] = {}

    async def authenticate(self, authorization: str | None) -> User | Refusal:
        """The user whose token this is.

        Raises:
            CustodyError: the public keys are not at hand and custody cannot tell them.
        """
        scheme, _, token = (authorization or "").partition(" ")
        token = token.strip(" ")
        if scheme.lower() != "bearer" or not token:
            return NOT_AUTHENTICATED
        claims = await self._claims(token)
        if isinstance(claims, Refusal):
            return claims
        user = self._users.get(UserName(claims.username))
        if user is None:
            return invalid_token("the token's user is not in the configuration")
        if claims.credential != credential_fingerprint(user.password_hash):
            return invalid_token(
                f"the password of user {user.username} has changed since the token was issued"
            )
        return user

    async def _claims(self, token: str) -> AccessClaims | Refusal:
        digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        now = self._clock.seconds()
        known = self._verified.get(digest)
        if known is not None:
            return known if now < known.expires_at else invalid_token("the token has expired")
        keys = await self._current_keys()
        claims = verify_access_token(token, keys, now)
        if isinstance(claims, str) and (fresh := await self._current_keys(refresh=True)) is not keys:
            # The key may have been rotated since it was asked for.
            claims = verify_access_token(token, fresh, now)
        if isinstance(claims, str):
            return invalid_token(claims)
        if len(self._verified) >= REMEMBERED_TOKENS:
            self._verified.pop(next(iter(self._verified)))
        self._verified[digest] = claims
        return claims

    async def _current_keys(self, *, refresh: bool = False) -> Mapping[str, bytes]:
        """Bad tokens must not become a way to keep custody busy: a refresh happens at most every five seconds."""
        if not self._keys or (
            refresh and self._clock.monotonic() - self._keys_asked_at > KEY_REFRESH_SECONDS
        ):
            self._keys = await self._custody.access_token_keys()
            self._keys_asked_at = self._clock.monotonic()
        return self._keys
