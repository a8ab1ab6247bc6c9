"""Log-in with a role id from the configuration and a secret id from a file, best response-wrapped.

Source: the HTTP API of Vault and OpenBao ("AppRole auth method": login).
"""

import hashlib
from pathlib import Path

import structlog

from vaultsigner.config.vault_settings import AppRoleAuth
from vaultsigner.custody.protocol import ID_FILE_MISSING
from vaultsigner.custody.vault_token.keepsake import Keepsake
from vaultsigner.custody.vault_token.log_in_method import LogInError, LogInRequest, json_object
from vaultsigner.custody.vault_token.secret_file import read_word
from vaultsigner.custody.vault_token.secret_id_unwrapping import Unwrapping
from vaultsigner.custody.wiping import wipe

LONGEST_SECRET_ID = 4096
_BRACE = ord("{")
_log = structlog.get_logger()


class AppRoleLogIn:
    """See `log_in_method.LogInMethod`.

    A wrapped secret id is unwrapped as soon as it is there, and once: what came out is kept for later log-ins, and what was
    unwrapped is remembered. A plain one is read for every log-in.

    Args:
        keepsake: where the secret id is kept for a custody process after this one.
        unwrapping: None: leave what is wrapped as it is.
    """

    def __init__(self, auth: AppRoleAuth, keepsake: Keepsake, unwrapping: Unwrapping) -> None:
        self._auth = auth
        self._keepsake = keepsake
        self._unwrapping = unwrapping
        self._given_up = b""
        """Digest of a wrapping token that gives nothing: to ask again would only hide in the log who took what it gave."""
        self._why = ""
        self.remedy = (
            f"{_another(auth)}; look whether role_id fits the role `{auth.role}` at auth/{auth.mount}/"
        )

    async def request(self) -> LogInRequest:
        """See `LogInMethod`."""
        secret_id = await self._unwrapped() if self._auth.wrapped else self._read()
        if secret_id is None:
            raise LogInError(f"{ID_FILE_MISSING} {self._auth.secret_id_file}: {_another(self._auth)}")
        try:
            body = json_object({"role_id": self._auth.role_id, "secret_id": secret_id})
        finally:
            wipe(secret_id)
        return LogInRequest(f"auth/{self._auth.mount}/login", body)

    def offers_more(self) -> bool:
        """A wrapping token lives for minutes: it is used while it does."""
        if not self._auth.wrapped:
            return False
        try:
            found = self._read()
        except LogInError:
            return False
        return found is not None and _digest_and_wipe(found) not in (self._keepsake.spent, self._given_up)

    async def _unwrapped(self) -> bytearray | None:
        """A copy of the secret id that is kept, after a new one was unwrapped if there is one."""
        wrapping_token = self._read()
        if wrapping_token is None:
            return self._keepsake.secret_id()
        digest = hashlib.sha256(wrapping_token).digest()
        try:
            if digest not in (self._keepsake.spent, self._given_up):
                await self._unwrap(wrapping_token, digest)
        except LogInError as error:
            _log.error("secret_id_not_unwrapped", reason=str(error))
            self._given_up, self._why = digest, str(error)
        finally:
            wipe(wrapping_token)
        kept = self._keepsake.secret_id()
        if kept is None and digest == self._given_up:
            raise LogInError(self._why)
        return kept

    async def _unwrap(self, wrapping_token: bytearray, digest: bytes) -> None:
        secret_id = await self._unwrapping.secret_id(wrapping_token)
        try:
            self._keepsake.keep_secret_id(secret_id, digest)
        finally:
            wipe(secret_id)
        removed = _remove(self._auth.secret_id_file, digest)
        _log.info("secret_id_unwrapped", file_removed=removed)

    def _read(self) -> bytearray | None:
        path = self._auth.secret_id_file
        try:
            found = read_word(path, LONGEST_SECRET_ID)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LogInError(f"the secret id in {path} cannot be read ({error.strerror})") from None
        if found is not None and found[0] == _BRACE:
            wipe(found)
            raise LogInError(
                f"{path} holds a JSON document: write the wrapping token alone (`-field=wrapping_token`, or "
                "`vaultsigner vault setup --wrapped-secret-id-out`)"
            )
        return found


def _digest_and_wipe(secret: bytearray) -> bytes:
    try:
        return hashlib.sha256(secret).digest()
    finally:
        wipe(secret)


def _remove(path: Path, digest: bytes) -> bool:
    """A spent wrapping token is removed, so that one that lies there and gives nothing is a reason for alarm."""
    try:
        found = read_word(path, LONGEST_SECRET_ID)
        if found is None or _digest_and_wipe(found) != digest:
            return False
        path.unlink()
    except OSError:  # a read-only mount
        return False
    return True


def _another(auth: AppRoleAuth) -> str:
    if auth.wrapped:
        return f"run `vaultsigner vault setup --wrapped-secret-id-out {auth.secret_id_file}`"
    return f"write a secret id into {auth.secret_id_file}"
