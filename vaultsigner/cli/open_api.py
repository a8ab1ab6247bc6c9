"""`vaultsigner open-api`: the secrets of mini-programs' Open API accounts go into Vault here, and never come out again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from vaultsigner.cli import secret_input
from vaultsigner.cli.command_group import CommandGroup
from vaultsigner.cli.configuration import load_settings
from vaultsigner.cli.exchange_material import public_pem, read_private_key, read_shared_secret
from vaultsigner.cli.held_secrets import place_of
from vaultsigner.cli.key_store import look_up, put_fields
from vaultsigner.cli.key_target import checked_name, place_in_vault, why_not_configured
from vaultsigner.cli.known_names import names_of
from vaultsigner.cli.overwriting import confirm_replacing, look_before_writing, refuse_shared_place
from vaultsigner.cli.private_memory import keep_memory_private
from vaultsigner.cli.vault_admin import OperatorVault
from vaultsigner.cli.vault_options import VaultOptions, vault_options
from vaultsigner.config.public_keys import PARTNER_RSA_BITS
from vaultsigner.config.settings import KvReference, OpenApiApp, Settings

USUAL_FOLDER = "secret/open-api"
EXAMPLE = "secret/open-api/mini-app"


@dataclass(frozen=True, slots=True)
class AppTarget:
    """An app's name and where its secrets go.

    Args:
        private_key: None where config.yml has no place for one.
        app: None while config.yml does not name it.
    """

    name: str
    secret_key: KvReference
    private_key: KvReference | None
    app: OpenApiApp | None


@click.group(cls=CommandGroup)
def open_api() -> None:
    """Import and list the secrets of Open API apps. What is there is never overwritten unasked."""


@open_api.command("import")
@click.argument("name", shell_complete=names_of("open_api"))
@click.option("--path", help="Mount and path in Vault. Default: as configured, else secret/open-api/NAME.")
@click.option(
    "--private-key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="PEM file of the RSA key that opens what Binance encrypts for the app.",
)
@click.option(
    "--from-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read the secret key from this file.",
)
@click.option(
    "--replace",
    is_flag=True,
    help="Put them in place of the secrets that are there; asks you to type their path.",
)
@vault_options
def import_secrets(
    *,
    options: VaultOptions,
    name: str,
    path: str | None,
    private_key: Path | None,
    from_file: Path | None,
    replace: bool,
) -> None:
    """Read an app's secret key, and its RSA key if it has one, and write them into Vault.

    Asks for the secret key without showing it, or reads it from a file or from standard input where that is a pipe; never from
    an argument. What lies at one path is written together: give the RSA key again when the secret key changes.

    \b
    Examples:
      vaultsigner open-api import mini-app
      vaultsigner open-api import mini-app --private-key private.pem
      gpg -d secret-key.gpg | vaultsigner open-api import mini-app --replace --private-key private.pem
    """
    keep_memory_private()
    settings = options.usable_settings()
    target = _find_target(settings, name, path)
    wanted = _wanted(target, private_key)
    places = " and ".join("/".join(place_of(fields[0])) for fields in wanted)
    note = why_not_configured(
        settings, "Open API app", name, f"the secrets go to {places}", configured=bool(target.app)
    )
    if note is not None:
        click.echo(note, err=True)
    vault = options.open(settings)
    versions = [_look(vault, settings, target, fields, replace=replace) for fields in wanted]
    secrets, public_key = _read(target, from_file, private_key)
    for fields, before in zip(wanted, versions, strict=True):
        version = put_fields(vault, {each: secrets[each] for each in fields}, version=before)
        for each in fields:
            click.echo(f"{each.field} of {target.name} written to {each} (version {version})")
    _tell(target, public_key, replaced=any(versions))
    secret_input.tell_to_delete(from_file, private_key)


@open_api.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@vault_options
def list_apps(options: VaultOptions, as_json: bool) -> None:
    """The Open API apps of the configuration, and where their secrets lie.

    Reads Vault's metadata alone, never a secret.

    \b
    Examples:
      vaultsigner open-api list
      vaultsigner open-api list --json | jq '.[].secrets'
    """
    settings = load_settings(options.config_file)
    vault = options.open(settings) if settings.open_api else None
    rows = [_row(app, vault) for app in settings.open_api.values() if vault]
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    if not rows:
        click.echo(
            f"There are no Open API apps in {settings.source}: `vaultsigner open-api import NAME` takes the secrets "
            "and prints the lines."
        )
    for row in rows:
        secrets = "".join(f"\n  {reference}: {state}" for reference, state in row["secrets"].items())
        click.echo(
            f"{row['name']}  (app {row['app_id']}, {row['base_url']})\n  {row['access_key_id']}{secrets}"
        )


def _find_target(settings: Settings | None, name: str, path: str | None) -> AppTarget:
    app = settings.open_api.get(name) if settings else None
    if app is None:
        chosen = checked_name(name)
        place = path or f"{USUAL_FOLDER}/{chosen}"
        secret_key, private_key = (
            place_in_vault(place, field, example=EXAMPLE) for field in ("secret_key", "private_key")
        )
        return AppTarget(chosen, secret_key, private_key, None)
    if path is not None and place_in_vault(path, app.secret_key.field, example=EXAMPLE) != app.secret_key:
        raise click.UsageError(f"config.yml says {app.secret_key} for {name}: leave --path out")
    return AppTarget(app.name, app.secret_key, app.private_key, app)


def _wanted(target: AppTarget, private_key: Path | None) -> list[list[KvReference]]:
    """What is written: for each path, the fields that go there together.

    Raises:
        click.UsageError: a key is missing, or one is given that config.yml has no place for.
    """
    if target.app is not None and target.private_key is not None and private_key is None:
        raise click.UsageError(
            f"config.yml says {target.private_key} for {target.name}: give that key with --private-key private.pem"
        )
    if private_key is None:
        return [[target.secret_key]]
    if target.private_key is None:
        raise click.UsageError(
            f"config.yml has no private_key for {target.name}: write `private_key: vault:...` there first"
        )
    if place_of(target.private_key) == place_of(target.secret_key):
        return [[target.secret_key, target.private_key]]
    return [[target.secret_key], [target.private_key]]


def _look(
    vault: OperatorVault,
    settings: Settings | None,
    target: AppTarget,
    fields: list[KvReference],
    *,
    replace: bool,
) -> int:
    again = "choose another name or --path, or add --replace"
    before = look_before_writing(vault, fields[0], replace=replace, again=again)
    if before.version:
        refuse_shared_place(settings, place_of(fields[0]), frozenset(each.field for each in fields))
        place = "/".join(place_of(fields[0]))
        told = f"{place} holds version {before.version} of the secrets of {target.name}."
        confirm_replacing(place, f"{told}\nA running service uses the new ones at once.")
    return before.version


def _read(
    target: AppTarget, from_file: Path | None, private_key: Path | None
) -> tuple[Mapping[KvReference, str], bytes | None]:
    """The secrets by their places, and the public half of the RSA key."""
    text = secret_input.read_line(from_file, f"Secret key of {target.name} (not shown)")
    secrets = {target.secret_key: read_shared_secret(text).text}
    if private_key is None or target.private_key is None:
        return secrets, None
    pem = secret_input.read_lines(private_key, "the private key")
    # Binance has the public half, perhaps since long ago.
    key = read_private_key(pem, "rsa", least_bits=PARTNER_RSA_BITS)
    return {**secrets, target.private_key: key.text}, key.public_key


def _tell(target: AppTarget, public_key: bytes | None, *, replaced: bool) -> None:
    if public_key is not None:
        click.echo(f"\nThe public key, for Binance to encrypt with:\n\n{public_pem(public_key)}")
    if target.app is None:
        opening = "" if public_key is None else f"    private_key: {target.private_key}\n"
        click.echo(
            "\nFor config.yml, under `open_api:`\n\n"
            f"  - name: {target.name}\n"
            '    app_id: ""                # the mini-program\'s\n'
            '    access_key_id: ""         # that came with the secret key; no secret\n'
            '    base_url: ""              # where the Open API answers: https://...\n'
            f"    secret_key: {target.secret_key}\n{opening}"
        )
    if replaced:
        click.echo("The old ones count no more; nothing needs a restart.")
    else:
        click.echo(
            "Then run `vaultsigner vault setup`, which lets the service read them, and `vaultsigner check`."
        )


def _row(app: OpenApiApp, vault: OperatorVault) -> dict[str, Any]:
    references = [app.secret_key, *([app.private_key] if app.private_key else [])]
    return {
        "name": app.name,
        "app_id": app.app_id,
        "access_key_id": app.access_key_id,
        "base_url": app.base_url,
        "secrets": {str(reference): look_up(vault, reference).state for reference in references},
    }
