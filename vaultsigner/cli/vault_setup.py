"""Bringing Vault to what the configuration needs, step by step. Each step looks first, and says what it found or changed."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vaultsigner.cli.held_secrets import kv_references
from vaultsigner.cli.vault_admin import OperatorVault, VaultAccessError
from vaultsigner.cli.vault_policy import POLICY_NAME, imported_keys, least_policy, transit_keys
from vaultsigner.config.settings import Settings, TransitReference

UPGRADE_SECONDS = 10
USUAL_KV_MOUNT = "secret"
"""Where keys and clients' secrets go unless an operator says otherwise."""
_POLICY_PATH = f"sys/policies/acl/{POLICY_NAME}"
_PATH = re.compile(r'\bpath\s*"([^"]*)"')
_COMMENT = re.compile(r"^\s*(?:#|//).*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Step:
    """What one step found or did. `changed` is False where everything was as it should be."""

    changed: bool
    text: str


def set_up(vault: OperatorVault, settings: Settings) -> Iterator[Step]:
    """Mounts, Transit keys, policy: make what is missing, never alter a mount or a key that is there.

    A configuration that names nothing in KV gets the usual mount, if there is none: the first client's secret goes there.

    Raises:
        VaultAccessError: something that is there cannot serve, or the token may not do this.
    """
    mounts = vault.read("sys/mounts") or {}
    named = list(dict.fromkeys(reference.mount for reference in kv_references(settings)))
    if not named and f"{USUAL_KV_MOUNT}/" not in mounts:
        named = [USUAL_KV_MOUNT]
    for mount in named:
        yield _kv_mount(vault, mounts, mount)
    keys = transit_keys(settings)
    for mount in dict.fromkeys(key.mount for key in (*keys, *imported_keys(settings))):
        yield _transit_mount(vault, mounts, mount)
    for key in keys:
        yield _transit_key(vault, key)
    yield _policy(vault, least_policy(settings))


def _kv_mount(vault: OperatorVault, mounts: Mapping[str, Any], mount: str) -> Step:
    found = mounts.get(f"{mount}/")
    if found is None:
        vault.write(
            f"sys/mounts/{mount}", {"type": "kv", "options": {"version": "2"}, "description": "wallet keys"}
        )
        _await_upgrade(vault, mount)
        return Step(True, f"mounted KV version 2 at {mount}/")
    if found.get("type") != "kv" or (found.get("options") or {}).get("version") != "2":
        raise VaultAccessError(
            f"the mount {mount}/ is there but is not KV version 2; use another mount in config.yml, "
            f"or upgrade it: bao kv enable-versioning {mount}"
        )
    return Step(False, f"KV version 2 is mounted at {mount}/")


def _await_upgrade(vault: OperatorVault, mount: str) -> None:
    """A new KV mount refuses everything for an instant, while it makes itself version 2."""
    deadline = time.monotonic() + UPGRADE_SECONDS
    while True:
        try:
            vault.read(f"{mount}/config")
        except VaultAccessError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _transit_mount(vault: OperatorVault, mounts: Mapping[str, Any], mount: str) -> Step:
    found = mounts.get(f"{mount}/")
    if found is None:
        vault.write(f"sys/mounts/{mount}", {"type": "transit", "description": "keys that never leave Vault"})
        return Step(True, f"mounted Transit at {mount}/")
    if found.get("type") != "transit":
        raise VaultAccessError(
            f"the mount {mount}/ is there but is not Transit; use another mount in config.yml"
        )
    return Step(False, f"Transit is mounted at {mount}/")


def _transit_key(vault: OperatorVault, key: TransitReference) -> Step:
    path = f"{key.mount}/keys/{key.key}"
    found = vault.read(path)
    if found is None:
        vault.write(path, {"type": "ed25519", "exportable": False, "allow_plaintext_backup": False})
        return Step(True, f"made the Ed25519 key {key}, not exportable")
    if found.get("type") != "ed25519" or found.get("derived"):
        raise VaultAccessError(f"{key} is there but is no plain Ed25519 key; name another in config.yml")
    if found.get("exportable") or found.get("allow_plaintext_backup"):
        # Vault cannot take this back, and a key that can be exported may have been.
        raise VaultAccessError(
            f"{key} can be exported from Vault, for ever; name another in config.yml and let setup make it"
        )
    return Step(False, f"{key} is an Ed25519 key, not exportable")


def no_longer_granted(vault: OperatorVault, settings: Settings) -> tuple[str, ...]:
    """What the policy in Vault grants and the one for this configuration does not: a running service may live by it.

    Raises:
        VaultAccessError: the policy cannot be read.
    """
    return _dropped(_granted(vault), least_policy(settings))


def _granted(vault: OperatorVault) -> str | None:
    found = vault.read(_POLICY_PATH)
    return str(found.get("policy") or "") if found else None


def _dropped(before: str | None, text: str) -> tuple[str, ...]:
    """Paths as a policy names them, e.g. `path "secret/data/wallets/hot"`."""
    kept = set(_paths(text))
    return tuple(f'path "{path}"' for path in dict.fromkeys(_paths(before or "")) if path not in kept)


def _paths(policy: str) -> list[str]:
    """Somebody may have written it by hand, as HCL or as JSON."""
    try:
        return list(json.loads(policy)["path"])
    except (ValueError, LookupError, TypeError):
        return _PATH.findall(_COMMENT.sub("", policy))


def _policy(vault: OperatorVault, text: str) -> Step:
    before = _granted(vault)
    if before == text:
        return Step(False, f"the policy `{POLICY_NAME}` is as it should be")
    vault.write(_POLICY_PATH, {"policy": text})
    if before is None:
        return Step(True, f"wrote the policy `{POLICY_NAME}`")
    dropped = "".join(f"\n    no longer granted: {path}" for path in _dropped(before, text))
    return Step(True, f"replaced the policy `{POLICY_NAME}`, which differed{dropped}")
