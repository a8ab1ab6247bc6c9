"""Exchanging a password for an access token, within the limits for strangers."""

from vaultsigner.custody.client import CustodyClient
from vaultsigner.custody.protocol import LogInAnswer, LogInRefused
from vaultsigner.domain.refusals import Refusal
from vaultsigner.signing.strangers import Strangers
from vaultsigner.signing.trail import Trail


class LogIns:
    """Custody checks the password; what it says is withheld from whoever has tried too often."""

    def __init__(self, custody: CustodyClient, strangers: Strangers) -> None:
        self._custody = custody
        self._strangers = strangers

    async def log_in(self, trail: Trail, body: bytearray) -> LogInAnswer | Refusal:
        """Try the credentials of a log-in's raw body, which is wiped.

        The attempt counts before it is made and stays counted unless the password was right, or none was tried.

        Raises:
            CustodyError, StateError: it cannot be tried, or not be counted.
        """
        ip = trail.call.ip
        limited = await self._strangers.log_in_from(ip)
        if limited is not None:
            return limited
        answer = await self._custody.log_in(body, trail.call.client_certificate)
        if isinstance(answer, LogInRefused):
            if answer.bucket is None:
                await self._strangers.not_tried(ip)
            return await self._strangers.failed_log_in(answer.subject, answer.bucket) or answer.refusal
        trail.key_used(answer.vault_request_id)
        return await self._strangers.right_password(ip, answer.subject, answer.bucket) or answer
