"""Access tokens without a log-in: signed by the same Transit key, with the root token's rights."""

import time
from base64 import b64decode, b64encode

from vaultsigner.authentication.passwords import credential_fingerprint
from vaultsigner.authentication.token_minting import finish_token, issue_signing_input
from vaultsigner.config.settings import Settings
from vaultsigner.dev.openbao import OpenBao
from vaultsigner.domain.names import UserName


def mint(
    openbao: OpenBao, settings: Settings, username: str, *, minutes: int = 60, credential: str | None = None
) -> str:
    """A token that custody would have issued to this user.

    Args:
        minutes: until it expires; negative for one that has expired.
        credential: another fingerprint than that of the user's password.
    """
    key = settings.access_token_key
    signing_input = issue_signing_input(
        username=username,
        credential=credential or credential_fingerprint(settings.users[UserName(username)].password_hash),
        key_id="1",
        token_id="t",
        issued_at=int(time.time()),
        expiry_minutes=minutes,
    )
    answer = openbao.client.secrets.transit.sign_data(
        key.key, hash_input=b64encode(signing_input).decode(), key_version=1, mount_point=key.mount
    )
    return finish_token(signing_input, b64decode(answer["data"]["signature"].rpartition(":")[2]))
