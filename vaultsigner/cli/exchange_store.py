"""Writing an exchange's secret where config.yml says: into Transit, or into KV version 2."""

from dataclasses import dataclass

from vaultsigner.cli.exchange_material import ExchangeMaterial
from vaultsigner.cli.exchange_target import ExchangeTarget
from vaultsigner.cli.held_secrets import place_of
from vaultsigner.cli.key_material import KeyTextError
from vaultsigner.cli.key_store import look_up, put
from vaultsigner.cli.overwriting import confirm_replacing, look_before_writing, refuse_shared_place
from vaultsigner.cli.transit_store import (
    TransitKey,
    import_key,
    import_version,
    look_up_transit,
    refuse_unfit,
    wrapping_key,
)
from vaultsigner.cli.vault_admin import OperatorVault, VaultAccessError
from vaultsigner.config.settings import Exchange, ExchangeScheme, KvReference, Settings, TransitReference

AGAIN = "choose another name or --path, or add --replace"


@dataclass(frozen=True, slots=True)
class Found:
    """What lay there: its version, 0 for nothing; of a Transit key, what it is."""

    version: int
    key: TransitKey | None = None


def look_before_importing(
    vault: OperatorVault, settings: Settings | None, target: ExchangeTarget, *, replace: bool
) -> Found:
    """Everything that can be refused before a secret is asked for.

    Raises:
        VaultAccessError: something is there and is not to be replaced, or cannot be.
        click.UsageError: something else lies at the same path.
        TerminalError: nobody confirmed it.
    """
    if isinstance(target.reference, KvReference):
        before = look_before_writing(vault, target.reference, replace=replace, again=AGAIN)
        found = Found(before.version)
        if found.version:
            place = place_of(target.reference)
            refuse_shared_place(settings, place, frozenset({target.reference.field}))
    else:
        wrapping_key(vault, target.reference.mount)
        key = look_up_transit(vault, target.reference)
        found = Found(key.version if key else 0, key)
        if key is not None:
            _refuse_key(target.reference, key, replace=replace)
    if found.version:
        _confirm(settings, target, found)
    return found


def write(
    vault: OperatorVault, reference: KvReference | TransitReference, material: ExchangeMaterial, before: Found
) -> int:
    """Write it; answers its version.

    Args:
        before: what `look_before_importing` found.

    Raises:
        KeyTextError: Transit cannot hold this, or not as the next version of the key that is there.
        CheckAndSetError: something was written meanwhile.
        VaultAccessError: Vault did not take it.
    """
    if isinstance(reference, KvReference):
        return put(vault, reference, material.text, version=before.version)
    refuse_unfit(material, reference)
    if before.key is None:
        return import_key(vault, reference, material)
    if before.key.kind != material.transit_type:
        raise KeyTextError(
            f"{reference} is a key of type {before.key.kind}, and its next version must be, too; this is of type "
            f"{material.transit_type}: choose another --path, and name it in config.yml"
        )
    return import_version(vault, reference, material)


def state_of(vault: OperatorVault, exchange: Exchange) -> str:
    """In a few words, for a list; `there` is good."""
    if isinstance(exchange.secret, KvReference):
        return look_up(vault, exchange.secret).state
    key = look_up_transit(vault, exchange.secret)
    if key is None:
        return "not there yet"
    if not fits(key, exchange.scheme):
        return f"of type {key.kind}, not {exchange.scheme}"
    return "there, but Vault would export it" if key.exportable else "there"


def fits(key: TransitKey, scheme: ExchangeScheme) -> bool:
    """Whether a Transit key makes signatures of this scheme."""
    return key.kind.startswith("rsa-") if scheme == "rsa" else key.kind == scheme


def _refuse_key(reference: TransitReference, key: TransitKey, *, replace: bool) -> None:
    if not replace:
        raise VaultAccessError(
            f"{reference} holds a key (type {key.kind}), and nothing was overwritten: {AGAIN}"
        )
    if not key.imported:
        raise VaultAccessError(
            f"{reference} was made by Vault itself and takes nothing from outside: choose another --path"
        )
    if key.exportable:
        raise VaultAccessError(f"{reference} can be exported from Vault, for ever: choose another --path")


def _confirm(settings: Settings | None, target: ExchangeTarget, found: Found) -> None:
    users = [
        exchange.name
        for exchange in (settings.exchanges.values() if settings else ())
        if exchange.secret == target.reference
    ]
    named = f"the secret of {', '.join(users)}" if users else "a secret"
    reference = target.reference
    place = (
        f"{reference.mount}/{reference.path}"
        if isinstance(reference, KvReference)
        else f"{reference.mount}/{reference.key}"
    )
    confirm_replacing(
        place,
        f"{place} holds version {found.version} of {named}.\n"
        "A running service signs with the new one at once: until the exchange knows it, requests are refused there.",
    )
