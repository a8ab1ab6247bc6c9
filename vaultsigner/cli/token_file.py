"""The custody process's own token, made and written for it: periodic, orphan, the one policy, not even `default`."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from vaultsigner.cli.vault_admin import OperatorVault, VaultAccessError, VaultDeniedError
from vaultsigner.cli.vault_policy import POLICY_NAME
from vaultsigner.cli.vault_setup import Step


def make_token_file(
    vault: OperatorVault,
    path: Path,
    *,
    period: str,
    read_token: Callable[[Path], str],
    as_holder: Callable[[str], OperatorVault],
) -> Step:
    """Leave a good token in the file: the one that is there, or a new one, readable by the owner alone.

    Args:
        period: how long the token lives after its last renewal, as Vault writes it: `72h`.
        read_token: reads a token from a file.
        as_holder: opens Vault with another token, to ask what the one in the file is.

    Raises:
        VaultAccessError: the file holds a token of another kind, or cannot be written; or Vault will not make one.
    """
    instead_of = ""
    if path.exists():
        held = as_holder(read_token(path))
        if _serves(held, path):
            return Step(
                False,
                f"{path} holds a good token with the policy `{POLICY_NAME}` already: no new one is made",
            )
        instead_of = ", in place of the older one there, which no longer serves"
    token = _new_token(vault, period)
    try:
        write_private(path, token)
    except OSError as error:
        # A token that nobody holds should not live on.
        with suppress(VaultAccessError):
            vault.write("auth/token/revoke", {"token": token})
        raise VaultAccessError(
            f"{path} cannot be written ({error.strerror}); the new token was revoked"
        ) from None
    return Step(
        True,
        f"wrote a new token to {path}{instead_of}: "
        f"policy `{POLICY_NAME}` alone, orphan, period {period}, mode 0600",
    )


def _serves(holder: OperatorVault, path: Path) -> bool:
    """Whether the token is alive and ours. One with other policies is somebody's, perhaps a root token: not ours to replace."""
    try:
        found = holder.read("auth/token/lookup-self") or {}
    except VaultDeniedError:
        return False
    if found.get("policies") != [POLICY_NAME]:
        raise VaultAccessError(
            f"{path} holds a living Vault token with the policies {found.get('policies')}: remove it first, or name another file"
        )
    return bool(found.get("orphan")) and bool(found.get("period"))


def _new_token(vault: OperatorVault, period: str) -> str:
    body = {
        "policies": [POLICY_NAME],
        "no_default_policy": True,
        "period": period,
        "display_name": "vaultsigner",
        "meta": {"created_by": "vaultsigner vault setup"},
    }
    try:
        token = vault.write("auth/token/create-orphan", body).get("client_token")
    except VaultDeniedError:
        raise VaultDeniedError(
            "your token may not make the service's token: a periodic orphan token needs "
            "`update` and `sudo` on auth/token/create-orphan"
        ) from None
    if not isinstance(token, str) or not token:
        raise VaultAccessError("Vault made a token but its answer does not hold it")
    return token


def write_private(path: Path, token: str) -> None:
    """Write a token into a file for its owner alone: beside it first, so that a reader sees the old one or the new one whole."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(token)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
