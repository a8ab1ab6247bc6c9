"""`vaultsigner exchanges`: the secrets of exchange accounts go into Vault here, and never come out again."""

import json
from pathlib import Path
from typing import Any, cast

import click

from vaultsigner.cli import secret_input
from vaultsigner.cli.command_group import CommandGroup
from vaultsigner.cli.configuration import load_settings
from vaultsigner.cli.exchange_material import ExchangeMaterial, public_pem, read_exchange_secret
from vaultsigner.cli.exchange_store import Found, look_before_importing, state_of, write
from vaultsigner.cli.exchange_target import ExchangeTarget, config_lines, find_target
from vaultsigner.cli.key_target import why_not_configured
from vaultsigner.cli.known_names import names_of
from vaultsigner.cli.private_memory import keep_memory_private
from vaultsigner.cli.vault_admin import OperatorVault, VaultAccessError
from vaultsigner.cli.vault_options import VaultOptions, vault_options
from vaultsigner.config.exchange_fields import EXCHANGE_SCHEMES
from vaultsigner.config.settings import Exchange, ExchangeScheme, TransitReference


@click.group(cls=CommandGroup)
def exchanges() -> None:
    """Import and list the secrets of exchange accounts. What is there is never overwritten unasked."""


@exchanges.command("import")
@click.argument("name", shell_complete=names_of("exchange"))
@click.option(
    "--scheme",
    type=click.Choice(EXCHANGE_SCHEMES),
    help="How the exchange has requests signed. Default: as configured.",
)
@click.option(
    "--path",
    help="transit:MOUNT/KEY, or vault:MOUNT/PATH#FIELD. Default: as configured, else transit:transit/NAME.",
)
@click.option(
    "--from-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read the secret, or the private key in PEM, from this file.",
)
@click.option(
    "--replace",
    is_flag=True,
    help="Put it in place of the secret that is there; asks you to type its path, on a terminal.",
)
@vault_options
def import_secret(
    *,
    options: VaultOptions,
    name: str,
    scheme: str | None,
    path: str | None,
    from_file: Path | None,
    replace: bool,
) -> None:
    """Read the secret of an exchange account and bring it into Vault.

    Into Transit, unless you say otherwise: it signs there, cannot be exported, and no process of ours ever holds it. Asks for the
    secret without showing it, or reads it from a file or from standard input where that is a pipe; never from an argument, which
    every process on the machine could read. rsa, ed25519: a private key in PEM, without a passphrase; its public half is
    shown, to be registered at the exchange.

    \b
    Examples:
      vaultsigner exchanges import binance-main --scheme hmac
      vaultsigner exchanges import binance-main --scheme ed25519 --from-file private.pem
      openssl genpkey -algorithm ed25519 | vaultsigner exchanges import binance-main --scheme ed25519
      vaultsigner exchanges import binance-main --scheme hmac --path vault:secret/exchanges/binance-main#secret
    """
    keep_memory_private()
    settings = options.usable_settings()
    target = find_target(settings, name, cast("ExchangeScheme | None", scheme), path)
    note = why_not_configured(
        settings, "exchange", name, f"the secret goes to {target.reference}", configured=bool(target.exchange)
    )
    if note is not None:
        click.echo(note, err=True)
    vault = options.open(settings)
    before = look_before_importing(vault, settings, target, replace=replace)
    material = _read(target, from_file)
    _refuse_other_key(target, material)
    _tell(target, material, before, write(vault, target.reference, material, before))
    secret_input.tell_to_delete(from_file)


@exchanges.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@vault_options
def list_exchanges(options: VaultOptions, as_json: bool) -> None:
    """The exchange accounts of the configuration, and where each secret lies.

    Reads Vault's metadata alone, never a secret.

    \b
    Examples:
      vaultsigner exchanges list
      vaultsigner exchanges list --json | jq '.[] | select(.state != "there")'
    """
    settings = load_settings(options.config_file)
    vault = options.open(settings) if settings.exchanges else None
    rows = [_row(exchange, vault) for exchange in settings.exchanges.values() if vault]
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    if not rows:
        click.echo(
            f"There are no exchanges in {settings.source}: `vaultsigner exchanges import NAME` takes a secret "
            "and prints the lines."
        )
    for row in rows:
        click.echo(
            f"{row['name']}  ({row['scheme']}, {row['base_url']})\n  {row['api_key']}\n  {row['reference']}: {row['state']}"
        )


def _read(target: ExchangeTarget, file: Path | None) -> ExchangeMaterial:
    what = f"secret of {target.name}" if target.scheme == "hmac" else f"private key of {target.name}"
    shown = f"{what.capitalize()} (not shown)"
    text = (
        secret_input.read_line(file, shown)
        if target.scheme == "hmac"
        else secret_input.read_lines(file, f"the {what}")
    )
    return read_exchange_secret(target.scheme, text)


def _refuse_other_key(target: ExchangeTarget, material: ExchangeMaterial) -> None:
    """Where config.yml has the public key, signatures of another private key would only ever be refused."""
    expected = target.exchange.public_key if target.exchange else None
    if expected is not None and material.public_key != expected:
        raise VaultAccessError(
            f"config.yml has another public key for {target.name} than this private key's: nothing was written. "
            "Another key was given, or the line `public_key` must go first"
        )


def _tell(target: ExchangeTarget, material: ExchangeMaterial, before: Found, version: int) -> None:
    what = "secret" if material.public_key is None else "private key"
    click.echo(f"{what} of {target.name} brought to {target.reference} (version {version})")
    if material.public_key is not None:
        click.echo(
            f"\nThe public key, to be registered at the exchange:\n\n{public_pem(material.public_key)}"
        )
    if target.exchange is None:
        click.echo(f"\nFor config.yml, under `exchanges:`\n\n{config_lines(target, material.public_key)}")
    if before.version:
        click.echo("The old one signs no more; nothing needs a restart.")
    else:
        click.echo(
            "Then run `vaultsigner vault setup`, which lets the service use it, and `vaultsigner check`."
        )


def _row(exchange: Exchange, vault: OperatorVault) -> dict[str, Any]:
    return {
        "name": exchange.name,
        "scheme": exchange.scheme,
        "base_url": exchange.base_url,
        "api_key": exchange.api_key,
        "reference": str(exchange.secret),
        "state": state_of(vault, exchange),
        "leaves_vault": not isinstance(exchange.secret, TransitReference),
    }
