"""Bringing keys into Transit by import, so that they never leave it again.

Source: the Transit engine's pages of Vault and OpenBao, "Import key", "Import key version" and "Bring your own key": a fresh
AES-256 key, wrapped with RSA-OAEP (SHA-256) under Vault's wrapping key, wraps the key itself (AES-KWP, RFC 5649).
"""

import os
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from vaultsigner.cli.exchange_material import ExchangeMaterial
from vaultsigner.cli.key_material import KeyTextError
from vaultsigner.cli.vault_admin import OperatorVault, VaultAccessError
from vaultsigner.config.settings import TransitReference

HMAC_BYTES = (32, 512)
RSA_TYPES = ("rsa-2048", "rsa-3072", "rsa-4096")
_WRAPPING_BYTES = 32


@dataclass(frozen=True, slots=True)
class TransitKey:
    """What Transit tells of a key: nothing that is secret.

    Args:
        kind: `hmac`, `ed25519`, `rsa-2048`, ...
        version: the newest, which signs.
        exportable: whether Vault would give it out, by export or by backup; that can never be taken back.
        imported: it came from outside, and so may its next version.
    """

    kind: str
    version: int
    exportable: bool
    imported: bool


def look_up_transit(vault: OperatorVault, reference: TransitReference) -> TransitKey | None:
    """The key, or None where there is none.

    Raises:
        VaultAccessError: Vault does not answer this.
    """
    found = vault.read(_key_path(reference))
    if found is None:
        return None
    return TransitKey(
        kind=str(found.get("type")),
        version=int(found.get("latest_version") or 0),
        exportable=bool(found.get("exportable") or found.get("allow_plaintext_backup")),
        imported=bool(found.get("imported_key")),
    )


def refuse_unfit(material: ExchangeMaterial, reference: TransitReference) -> None:
    """Before Vault is asked: what Transit cannot hold.

    Raises:
        KeyTextError: its length is none that Transit takes.
    """
    least, most = HMAC_BYTES
    elsewhere = f"put it into KV: --path vault:secret/exchanges/{reference.key}#secret"
    if material.scheme == "hmac" and not least <= len(material.imported) <= most:
        raise KeyTextError(
            f"Transit takes secrets of {least} to {most} characters, and this one has {len(material.imported)}; {elsewhere}"
        )
    if material.scheme == "rsa" and material.transit_type not in RSA_TYPES:
        raise KeyTextError(
            f"Transit takes RSA keys of 2048, 3072 and 4096 bits, and this is none; {elsewhere}"
        )


def import_key(vault: OperatorVault, reference: TransitReference, material: ExchangeMaterial) -> int:
    """A new key, which nobody can export; answers its version. Vault refuses where there is one already.

    Raises:
        VaultAccessError: Vault did not take it.
    """
    body = {
        "type": material.transit_type,
        "exportable": False,
        "allow_plaintext_backup": False,
        # A version that Vault made by itself would be one that the exchange does not know.
        "allow_rotation": False,
        **_wrapped(vault, reference, material),
    }
    vault.write(f"{_key_path(reference)}/import", body)
    return 1


def import_version(vault: OperatorVault, reference: TransitReference, material: ExchangeMaterial) -> int:
    """The key's next version, and the end of those before it; answers its number.

    Raises:
        VaultAccessError: Vault did not take it, or does not end the old ones.
    """
    vault.write(f"{_key_path(reference)}/import_version", _wrapped(vault, reference, material))
    found = look_up_transit(vault, reference)
    version = found.version if found else 0
    least = {"min_decryption_version": version, "min_encryption_version": version}
    try:
        vault.write(f"{_key_path(reference)}/config", least)
    except VaultAccessError as error:
        raise VaultAccessError(
            f"the new version {version} is in Vault and signs, but the old one could not be ended ({error}). Run: "
            f"bao write {_key_path(reference)}/config min_decryption_version={version} min_encryption_version={version}"
        ) from None
    return version


def _wrapped(
    vault: OperatorVault, reference: TransitReference, material: ExchangeMaterial
) -> Mapping[str, Any]:
    wrapping = os.urandom(_WRAPPING_BYTES)
    under = wrapping_key(vault, reference.mount).encrypt(
        wrapping, OAEP(MGF1(SHA256()), algorithm=SHA256(), label=None)
    )
    ciphertext = under + aes_key_wrap_with_padding(wrapping, material.imported)
    return {"ciphertext": b64encode(ciphertext).decode("ascii"), "hash_function": "SHA256"}


def wrapping_key(vault: OperatorVault, mount: str) -> RSAPublicKey:
    """The key under which a mount takes others.

    Raises:
        VaultAccessError: there is no such mount, or it is not Transit.
    """
    found = vault.read(f"{mount}/wrapping_key")
    if found is None:
        raise VaultAccessError(f"Vault has no Transit mount `{mount}/`: `vaultsigner vault setup` makes it")
    try:
        key = load_pem_public_key(str(found["public_key"]).encode())
    except (KeyError, ValueError):
        key = None
    if not isinstance(key, RSAPublicKey):
        raise VaultAccessError(f"Vault's mount `{mount}/` has no wrapping key: is it Transit?")
    return key


def _key_path(reference: TransitReference) -> str:
    return f"{reference.mount}/keys/{reference.key}"
