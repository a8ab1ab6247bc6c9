"""Getting a response-wrapped secret id: looked at first, unwrapped once.

A wrapping token gives what it wraps to whoever comes first, and to nobody else. So one that gives nothing may mean that somebody
else has the secret id; and one that was not made by the role's own endpoint may hold a secret id that somebody else chose.

Source: "Response wrapping" in the documentation of Vault and OpenBao, section on validation; their HTTP API, `sys/wrapping`.
"""

import re

from vaultsigner.config.vault_settings import AppRoleAuth
from vaultsigner.custody.json_scan import JsonScanError, find, text_of
from vaultsigner.custody.protocol import LEFT_WRAPPED
from vaultsigner.custody.vault.session import RefusedError, VaultSession
from vaultsigner.custody.vault.token_facts import SenselessAnswerError
from vaultsigner.custody.vault_token.log_in_method import LogInError, json_object
from vaultsigner.custody.wiping import wipe

_SECRET_ID = re.compile(rb"[!#-\[\]-~]{1,4096}")
_PLAIN_PATH = re.compile(rb"[A-Za-z0-9_./ -]{1,512}")


class Unwrapping:
    """Asks Vault for what is wrapped.

    Args:
        namespace: custody's own, which some versions put before the path.
        look_only: leave it wrapped for the process that is to use it.
    """

    def __init__(
        self, session: VaultSession, auth: AppRoleAuth, namespace: str | None, *, look_only: bool = False
    ) -> None:
        self._session = session
        self._auth = auth
        self._look_only = look_only
        self._path = f"auth/{auth.mount}/role/{auth.role}/secret-id"
        self._paths = {self._path, f"{(namespace or '').strip('/')}/{self._path}"}

    async def secret_id(self, wrapping_token: bytearray) -> bytearray:
        """The secret id, in a buffer for the caller to wipe.

        Raises:
            LogInError: there is none to be had for this token, now or ever.
            NoAnswerError: Vault cannot be asked; the token is as it was.
        """
        await self._look(wrapping_token)
        if self._look_only:
            raise LogInError(
                f"the secret id in {self._auth.secret_id_file} is wrapped and was made for the role `{self._auth.role}`, as it "
                f"should be; {LEFT_WRAPPED}"
            )
        try:
            return await self._session.ask(
                "POST", "sys/wrapping/unwrap", _secret_id_in, token=wrapping_token, body=b"{}"
            )
        except RefusedError:
            raise LogInError(
                f"ALARM: between looking at the wrapping token in {self._auth.secret_id_file} and unwrapping it, somebody else "
                f"unwrapped it. {self._what_now()}"
            ) from None

    async def _look(self, wrapping_token: bytearray) -> None:
        body = json_object({"token": wrapping_token})
        try:
            made_by = await self._session.ask("POST", "sys/wrapping/lookup", _creation_path, body=body)
        except RefusedError:
            raise LogInError(
                f"ALARM: the wrapping token in {self._auth.secret_id_file} gives nothing any more. Unless it ran out before "
                f"custody came, or custody itself unwrapped it before a restart, somebody else unwrapped it. {self._what_now()}"
            ) from None
        finally:
            wipe(body)
        if made_by not in self._paths:
            raise LogInError(
                f"ALARM: what is wrapped in {self._auth.secret_id_file} was not made by {self._path}: it was not unwrapped. "
                f"Whoever wrote it there may have chosen the secret id. {self._what_now()}"
            )

    def _what_now(self) -> str:
        auth = self._auth
        return (
            f"Look into Vault's audit log, destroy the role's secret ids ({self._path}), and make another: "
            f"`vaultsigner vault setup --wrapped-secret-id-out {auth.secret_id_file}`"
        )


def _creation_path(body: memoryview) -> str:
    path = _text(body, "creation_path")
    return "" if _PLAIN_PATH.fullmatch(path) is None else bytes(path).decode("ascii")


def _secret_id_in(body: memoryview) -> bytearray:
    secret_id = _text(body, "secret_id")
    if _SECRET_ID.fullmatch(secret_id) is None:
        raise SenselessAnswerError("what was wrapped holds no secret id")
    return bytearray(secret_id)


def _text(body: memoryview, member: str) -> memoryview:
    try:
        span = find(body, {"data": {member: None}}).get(("data", member), (0, 0))
    except JsonScanError as error:
        raise SenselessAnswerError(f"Vault's answer makes no sense: {error}") from None
    inside = text_of(body, span)
    return body[0:0] if inside is None else body[slice(*inside)]
