"""`vaultsigner clients`: callers that sign their requests get their API key here, and a shared secret its place in Vault."""

import json
from pathlib import Path
from typing import Any, cast

import click

from vaultsigner.cli.client_credentials import as_document, config_lines, new_secret
from vaultsigner.cli.client_target import ClientTarget, find_target
from vaultsigner.cli.command_group import CommandGroup
from vaultsigner.cli.configuration import load_settings
from vaultsigner.cli.key_store import NotedKey, look_up, put
from vaultsigner.cli.known_names import names_of
from vaultsigner.cli.overwriting import confirm_replacing, look_before_writing
from vaultsigner.cli.private_memory import keep_memory_private
from vaultsigner.cli.vault_admin import OperatorVault
from vaultsigner.cli.vault_options import VaultOptions, vault_options
from vaultsigner.config.caller_fields import KEY_SCHEMES, SCHEMES
from vaultsigner.config.public_keys import fingerprint, making
from vaultsigner.config.settings import Client, ClientScheme, KvReference


@click.group(cls=CommandGroup)
def clients() -> None:
    """Make and list clients: callers that sign their requests."""


@clients.command()
@click.argument("name", required=False, shell_complete=names_of("client"))
@click.option("--scheme", type=click.Choice(SCHEMES), help="How it signs. Default: as configured.")
@click.option(
    "--public-key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="rsa, ed25519: PEM file of the client's public key.",
)
@click.option(
    "--path",
    help="hmac, open_api: mount and path in Vault. Default: as configured, else secret/clients/NAME.",
)
@click.option(
    "--replace",
    is_flag=True,
    help="A new secret for a client of config.yml, whose API key stays; asks you to type its path.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@vault_options
def create(
    *,
    options: VaultOptions,
    name: str | None,
    scheme: str | None,
    public_key: Path | None,
    path: str | None,
    replace: bool,
    as_json: bool,
) -> None:
    """Give a new client its API key, and print the lines for config.yml. Without NAME one is made up.

    hmac and open_api: also makes a secret, writes it into Vault and shows it, this once. Over a secret that is there only with
    --replace: a running service takes the new one at once, and the old one counts no more.
    ed25519 (best) and rsa: the client keeps its private key; give its public key, or see how it makes a pair.

    An API key of your own may stand in config.yml: write the client there first, then `clients create NAME` makes its secret.

    \b
    Examples:
      vaultsigner clients create bot-1 --scheme hmac
      vaultsigner clients create bot-2 --scheme ed25519 --public-key config/bot-2.pem
      vaultsigner clients create mini-app --scheme open_api --path desk/clients/mini-app
      vaultsigner clients create bot-1 --replace
      vaultsigner clients create bot-3 --scheme hmac --json | jq '{api_key, secret, config}'
    """
    keep_memory_private()
    settings = options.usable_settings()
    target = find_target(
        settings, name, cast("ClientScheme | None", scheme), path, public_key, replace=replace
    )
    secret, replaced = None, False
    if isinstance(target.credential, KvReference):
        secret, replaced = _make_secret(options.open(settings), target, target.credential, replace=replace)
    if as_json:
        click.echo(_document(target, secret))
    else:
        _tell(target, secret, replaced=replaced)


@clients.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@vault_options
def list_clients(options: VaultOptions, as_json: bool) -> None:
    """The clients of the configuration: how each signs, its API key, and where its secret lies.

    Reads Vault's metadata alone, never a secret.

    \b
    Examples:
      vaultsigner clients list
      vaultsigner clients list --json | jq '.[] | select(.state != "there")'
    """
    settings = load_settings(options.config_file)
    shared = any(client.secret for client in settings.clients.values())
    vault = options.open(settings) if shared else None
    rows = [_row(client, vault) for client in settings.clients.values()]
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    if not rows:
        click.echo(f"There are no clients in {settings.source}: `vaultsigner clients create NAME` makes one.")
    for row in rows:
        where = (
            f"{row['reference']}: {row['state']}" if row["reference"] else f"public key {row['public_key']}"
        )
        click.echo(f"{row['name']}  ({row['scheme']})\n  {row['api_key']}\n  {where}")


def _make_secret(
    vault: OperatorVault, target: ClientTarget, reference: KvReference, *, replace: bool
) -> tuple[str, bool]:
    """Into Vault first: a secret that is shown but was never written would be of no use.

    Returns:
        The secret, and whether there was one before it.
    """
    again = "choose another name or --path" + (", or add --replace" if target.configured else "")
    before = look_before_writing(vault, reference, replace=replace, again=again)
    if before.version:
        _confirm_replacing(target, reference, before)
    secret = new_secret()
    put(vault, reference, secret, version=before.version)
    return secret, before.version > 0


def _confirm_replacing(target: ClientTarget, reference: KvReference, before: NotedKey) -> None:
    place = f"{reference.mount}/{reference.path}"
    confirm_replacing(
        place,
        f"{place} holds version {before.version} of the secret of {target.name}; its API key {target.api_key} stays.\n"
        "A running service takes the new secret at once: until the client has it, its requests are refused.",
    )


def _tell(target: ClientTarget, secret: str | None, *, replaced: bool) -> None:
    click.echo(f"API key     {target.api_key}   (no secret)")
    if secret is not None:
        click.echo(f"secret      {secret}")
        click.echo(
            f"\nThe secret is shown only this once: give it to the client now. It lies at {target.credential}."
        )
    elif not target.key_given:
        make, publish = making(KEY_SCHEMES[target.scheme])
        click.echo(
            "\nThe client makes a key pair on its own machine, keeps private.pem, and gives you public.pem:\n\n"
            f"  {make}\n  {publish}\n\nPut public.pem at {target.credential}, or name its place in the lines below."
        )
    if not target.configured:
        click.echo(f"\nFor config.yml, under `clients:`\n\n{_lines(target)}")
    if replaced:
        click.echo("The old secret counts no more; nothing needs a restart.")
    elif secret is not None:
        click.echo(
            "Then run `vaultsigner vault setup`, which lets the service read it, and `vaultsigner check`."
        )
    else:
        click.echo("Then run `vaultsigner check`.")


def _document(target: ClientTarget, secret: str | None) -> str:
    shared = isinstance(target.credential, KvReference)
    return as_document(
        {
            "name": target.name,
            "api_key": target.api_key,
            "scheme": target.scheme,
            "secret": secret,
            "reference": str(target.credential) if shared else None,
            "public_key": None if shared else str(target.credential),
            "config": None if target.configured else _lines(target),
        }
    )


def _lines(target: ClientTarget) -> str:
    return config_lines(target.name, target.api_key, target.scheme, target.credential, target.usable)


def _row(client: Client, vault: OperatorVault | None) -> dict[str, Any]:
    return {
        "name": client.name,
        "scheme": client.scheme,
        "api_key": client.api_key,
        "reference": str(client.secret) if client.secret else None,
        "public_key": fingerprint(client.public_key) if client.public_key else None,
        "state": look_up(vault, client.secret).state if vault and client.secret else "there",
    }
