"""`vaultsigner keys`: keys go into Vault here, and never come out again."""

import json
from typing import Any, cast

import click

from vaultsigner.cli import terminal
from vaultsigner.cli.command_group import CommandGroup
from vaultsigner.cli.configuration import load_settings
from vaultsigner.cli.key_material import KeyKind, KeyMaterial, new_mnemonic, new_private_key, read_key
from vaultsigner.cli.key_store import NotedKey, look_up, store
from vaultsigner.cli.key_target import KeyTarget, config_lines, find_target, why_not_configured
from vaultsigner.cli.known_names import names_of
from vaultsigner.cli.overwriting import confirm_replacing, look_before_writing
from vaultsigner.cli.private_memory import keep_memory_private
from vaultsigner.cli.vault_admin import OperatorVault, VaultAccessError
from vaultsigner.cli.vault_options import VaultOptions, vault_options
from vaultsigner.config.settings import Settings, Wallet
from vaultsigner.formats.bnb_beacon.address import address_of, encode_address

PREFIXES = ("tbnb", "bnb")
wallet_argument = click.argument("wallet", required=False, shell_complete=names_of("wallet"))
path_option = click.option(
    "--path", help="Mount and path in Vault. Default: as configured, else secret/wallets/WALLET."
)
kind_option = click.option(
    "--kind", type=click.Choice(["private_key", "mnemonic"]), help="Default: as configured, else private_key."
)
replace_option = click.option(
    "--replace", is_flag=True, help="Put it in place of the key that is there; asks you to type its path."
)


@click.group(cls=CommandGroup)
def keys() -> None:
    """Create, import and list wallet keys in Vault. A key that is there is never overwritten unasked."""


@keys.command()
@wallet_argument
@path_option
@kind_option
@click.option(
    "--words", type=click.Choice(["12", "24"]), default="24", show_default=True, help="Length of a mnemonic."
)
@click.option("--show-once", is_flag=True, help="Show the new key on this terminal, once, to write it down.")
@replace_option
@vault_options
def create(
    *,
    options: VaultOptions,
    wallet: str | None,
    path: str | None,
    kind: str | None,
    words: str,
    show_once: bool,
    replace: bool,
) -> None:
    """Make a new key and write it straight into Vault.

    Prints the address, the public key and the lines for config.yml. The key itself is not shown, unless you ask with
    --show-once, and then on the terminal's alternate screen only.

    \b
    Examples:
      vaultsigner keys create wallet_1
      vaultsigner keys create wallet_2 --kind mnemonic --words 24 --show-once
      vaultsigner keys create --path desk/wallets/hot --address https://vault.example.com:8200
    """
    keep_memory_private()
    if show_once and not terminal.has_terminal():
        raise click.UsageError("--show-once needs a terminal to show the key on, and there is none")
    target, vault, before = _open(options, wallet, path, kind, replace)
    material = new_private_key() if target.kind == "private_key" else new_mnemonic(int(words))
    _write(vault, target, material, before)
    if show_once:
        terminal.show_once(f"The {_word(target.kind)} of {target.name}, shown this once:", material.text)


@keys.command("import")
@wallet_argument
@path_option
@kind_option
@replace_option
@vault_options
def import_key(
    options: VaultOptions, wallet: str | None, path: str | None, kind: str | None, replace: bool
) -> None:
    """Read a key you have and write it into Vault.

    Asks for it without showing it, or reads it from standard input where that is a pipe; never from an argument, which every
    process on the machine could read. A private key is 64 hex digits; a mnemonic is checked against BIP39's English list.

    \b
    Examples:
      vaultsigner keys import wallet_1
      vaultsigner keys import wallet_2 --kind mnemonic
      gpg -d wallet_1.gpg | vaultsigner keys import wallet_1
    """
    keep_memory_private()
    target, vault, before = _open(options, wallet, path, kind, replace)
    material = read_key(
        target.kind, terminal.read_secret(f"{_word(target.kind).capitalize()} of {target.name} (not shown)")
    )
    _write(vault, target, material, before)


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@vault_options
def list_keys(options: VaultOptions, as_json: bool) -> None:
    """The wallets of the configuration: where each key lies and the address noted for it.

    Reads Vault's metadata alone, never a key.

    \b
    Examples:
      vaultsigner keys list
      vaultsigner keys list --json | jq '.[].address'
    """
    settings = load_settings(options.config_file)
    vault = options.open(settings)
    rows = [_row(wallet, look_up(vault, wallet.key)) for wallet in settings.wallets.values()]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(
            f"{row['name']}  ({row['environment']})\n  {row['address'] or row['state']}\n  {row['reference']}"
        )


def _open(
    options: VaultOptions, wallet: str | None, path: str | None, kind: str | None, replace: bool
) -> tuple[KeyTarget, OperatorVault, NotedKey]:
    """Everything that can be refused before a key is made or asked for."""
    found = options.settings()
    settings = found if isinstance(found, Settings) else None
    target = find_target(settings, wallet, path, cast("KeyKind | None", kind))
    place = f"the key goes to {target.reference.mount}/{target.reference.path}"
    note = why_not_configured(found, "wallet", target.name, place, configured=target.wallet is not None)
    if note is not None:
        click.echo(note, err=True)
    vault = options.open(settings)
    again = "choose another name, or add --replace"
    before = look_before_writing(vault, target.reference, replace=replace, again=again)
    if before.version:
        _confirm_replacing(target, before)
    return target, vault, before


def _confirm_replacing(target: KeyTarget, before: NotedKey) -> None:
    place = f"{target.reference.mount}/{target.reference.path}"
    shown = ", ".join(_addresses(before.public_key)) if before.public_key else "not noted"
    confirm_replacing(
        place,
        f"{place} holds version {before.version}; its address: {shown}.\n"
        "After this the service signs with another key. What that address owns can no longer be moved by it.",
    )


def _write(vault: OperatorVault, target: KeyTarget, material: KeyMaterial, before: NotedKey) -> None:
    _refuse_other_address(target, material)
    version = store(vault, target.reference, material, replacing=before)
    click.echo(f"{_word(target.kind)} of {target.name} written to {target.reference} (version {version})")
    click.echo(f"public key  {material.public_key.hex()}")
    if before.version:
        click.echo(
            "A running service remembers the old public key and refuses the new one: restart it.", err=True
        )
    if target.wallet is not None:
        environment = target.wallet.environment
        address = encode_address(address_of(material.public_key), environment.address_prefix)
        click.echo(f"address     {address}  ({environment.name})")
        return
    testnet, mainnet = _addresses(material.public_key)
    click.echo(f"address     {testnet}  (TESTNET)\n            {mainnet}  (PROD)")
    click.echo(f"\nFor config.yml, under `wallets:`\n\n{config_lines(target, testnet)}")
    click.echo("Then run `vaultsigner vault setup`, which lets the service read it.")


def _refuse_other_address(target: KeyTarget, material: KeyMaterial) -> None:
    """Where config.yml notes the wallet's address, a key of another address would only ever be refused."""
    if target.wallet is None or target.wallet.address is None:
        return
    address = encode_address(address_of(material.public_key), target.wallet.environment.address_prefix)
    if address != target.wallet.address:
        raise VaultAccessError(
            f"config.yml says the address of {target.name} is {target.wallet.address}, but this key's is {address}: "
            "nothing was written. Another key was given, or the line `address` must go first"
        )


def _row(wallet: Wallet, noted: NotedKey) -> dict[str, Any]:
    address = None
    if noted.public_key is not None and noted.live:
        address = encode_address(address_of(noted.public_key), wallet.environment.address_prefix)
    return {
        "name": wallet.name,
        "environment": wallet.environment.name,
        "address": address,
        "state": "noted" if address else _state(noted),
        "kind": wallet.key_kind,
        "reference": str(wallet.key),
    }


def _state(noted: NotedKey) -> str:
    if noted.live:
        return "not noted"
    return "deleted" if noted.version else "no key there yet"


def _addresses(public_key: bytes) -> tuple[str, ...]:
    return tuple(encode_address(address_of(public_key), prefix) for prefix in PREFIXES)


def _word(kind: KeyKind) -> str:
    return "private key" if kind == "private_key" else "mnemonic"
