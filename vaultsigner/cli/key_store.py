"""Writing keys and secrets into KV version 2, and what is noted beside a wallet's key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vaultsigner.cli.key_material import KeyMaterial
from vaultsigner.cli.vault_admin import CheckAndSetError, OperatorVault, VaultAccessError, VaultDeniedError
from vaultsigner.config.settings import KvReference


@dataclass(frozen=True, slots=True)
class NotedKey:
    """What Vault's metadata says of a secret, without reading it.

    Args:
        version: of the latest write, 0 where nothing was ever written.
        live: whether that version can be read (neither deleted nor destroyed).
        public_key: noted when the key was written; None where it was not, or the note is unusable.
        custom: the whole custom metadata.
    """

    version: int
    live: bool
    public_key: bytes | None
    custom: Mapping[str, str]

    @property
    def state(self) -> str:
        """In a word or two, for a list; `there` is good."""
        if self.live:
            return "there"
        return "deleted" if self.version else "not there yet"


def require_kv_v2(vault: OperatorVault, reference: KvReference) -> None:
    """Make sure of the mount before a key goes there: a version 1 mount would take the write, at another path and unprotected.

    Raises:
        VaultAccessError: the mount is missing, is no KV version 2, or the token may not see it.
    """
    try:
        mount = vault.read(f"sys/internal/ui/mounts/{reference.mount}/{reference.path}")
    except VaultDeniedError as error:
        # Vault denies, even to root, where there is no such mount: it does not say which mounts there are.
        raise VaultDeniedError(
            f"{error}; or there is no mount `{reference.mount}/`: `vaultsigner vault setup` makes it"
        ) from None
    if mount is None or str(mount.get("path", "")).strip("/") != reference.mount:
        raise VaultAccessError(
            f"Vault has no mount `{reference.mount}/`: `vaultsigner vault setup` makes it, "
            f"and so does `bao secrets enable -path={reference.mount} -version=2 kv`"
        )
    if mount.get("type") != "kv" or (mount.get("options") or {}).get("version") != "2":
        raise VaultAccessError(f"Vault's mount `{reference.mount}/` is not KV version 2, and keys need that")


def look_up(vault: OperatorVault, reference: KvReference) -> NotedKey:
    """What Vault notes about a secret. Never reads the secret itself.

    Raises:
        VaultAccessError: Vault does not answer this.
    """
    metadata = vault.read(_metadata_path(reference)) or {}
    version = int(metadata.get("current_version") or 0)
    latest: Mapping[str, Any] = (metadata.get("versions") or {}).get(str(version)) or {}
    custom = metadata.get("custom_metadata") or {}
    return NotedKey(
        version=version,
        live=bool(latest) and not latest.get("deletion_time") and not latest.get("destroyed"),
        public_key=_noted_public_key(custom),
        custom=custom,
    )


def store(vault: OperatorVault, reference: KvReference, material: KeyMaterial, *, replacing: NotedKey) -> int:
    """Write the key and note its public half beside it; answers the new version.

    The key goes first: were the note first, an operator who loses a race would leave the note of a key that was never written
    beside the winner's key. A replaced key whose note fails stands beside the old note, and custody refuses to use it.

    Args:
        replacing: what `look_up` found. The write succeeds only while that is still the latest version, so nothing that the
            operator has not seen is ever overwritten.

    Raises:
        CheckAndSetError: something was written meanwhile.
        VaultAccessError: Vault did not take the key, or took the key and not the note.
    """
    version = put(vault, reference, material.text, version=replacing.version)
    note = {**replacing.custom, "public_key": material.public_key.hex(), "created_by": "vaultsigner"}
    try:
        vault.write(_metadata_path(reference), {"custom_metadata": note})
    except VaultAccessError as error:
        raise VaultAccessError(
            f"the key is in Vault, but its public key could not be noted ({error}). Run: "
            f"bao kv metadata put -mount={reference.mount} -custom-metadata=public_key={material.public_key.hex()} "
            f"-custom-metadata=created_by=vaultsigner {reference.path}"
        ) from None
    return version


def put(vault: OperatorVault, reference: KvReference, secret: str, *, version: int) -> int:
    """Write a secret where Vault's latest version is still this one; answers the new version.

    Raises:
        CheckAndSetError: something was written meanwhile.
        VaultAccessError: Vault did not take it.
    """
    return put_fields(vault, {reference: secret}, version=version)


def put_fields(vault: OperatorVault, secrets: Mapping[KvReference, str], *, version: int) -> int:
    """Write secrets that are fields of one path, as `put` does: whatever else lies there is gone.

    Raises:
        CheckAndSetError: something was written meanwhile.
        VaultAccessError: Vault did not take them.
    """
    reference = next(iter(secrets))
    body = {
        "options": {"cas": version},
        "data": {each.field: secret for each, secret in secrets.items()},
    }
    try:
        return int(vault.write(f"{reference.mount}/data/{reference.path}", body).get("version") or 0)
    except CheckAndSetError:
        raise CheckAndSetError(
            f"{reference} was written by somebody else just now: nothing was overwritten"
        ) from None


def _metadata_path(reference: KvReference) -> str:
    return f"{reference.mount}/metadata/{reference.path}"


def _noted_public_key(custom: Mapping[str, str]) -> bytes | None:
    try:
        key = bytes.fromhex(custom.get("public_key", ""))
    except ValueError:
        return None
    return key if len(key) == 33 and key[0] in (2, 3) else None
