"""`vaultsigner audit key`: the keys by which others check checkpoints."""

import asyncio
import os
from pathlib import Path

import click

from vaultsigner.audit.verifying.trust import trust_file
from vaultsigner.cli.audit.options import trusted_keys, write_out
from vaultsigner.cli.configuration import DEFAULT_CONFIG, config_option, load_settings
from vaultsigner.cli.custody_session import custody_session
from vaultsigner.config.settings import Settings
from vaultsigner.domain.signed_notes import VerifierKey
from vaultsigner.errors import ConfigError


@click.command()
@config_option
@click.option(
    "--public-key",
    "public_keys",
    multiple=True,
    metavar="KEY",
    help="Write down this public key (PEM file or base64) instead of asking Vault. May be given more than once.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The trust file to write. Default: standard output.",
)
def key(config_file: Path | None, public_keys: tuple[str, ...], out: Path | None) -> None:
    """Print the keys of audit.checkpoint_key as a trust file, for `audit verify --trust` and other checkers of signed notes.

    A line for each version of the key, the newest last. They are public. Hand the file to reviewers over a way on which the
    machine that signs has no hand: whoever can change the file decides whose signatures count. Custody is asked as `serve`
    asks it; with --public-key nothing is.

    Exit status: 0 done, 1 Vault or the configuration does not have it.

    \b
    Examples:
      vaultsigner audit key --out audit-keys.txt
      vault read -field=keys -format=json transit/keys/audit-checkpoints    # the same keys, as Vault tells them
      vaultsigner audit key --public-key checkpoints.pem
    """
    if public_keys:
        keys, remark = trusted_keys(public_keys, ()), "given as public keys"
    else:
        settings = load_settings(config_file)
        if settings.audit.checkpoint_key is None:
            raise ConfigError("the configuration has no audit.checkpoint_key: nothing signs checkpoints")
        keys = asyncio.run(_ask(config_file or DEFAULT_CONFIG, settings))
        remark = f"{settings.audit.checkpoint_key} as told by {settings.vault.address}"
    text = trust_file(keys, remark)
    if out is None:
        click.echo(text, nl=False)
    else:
        write_out(out, text)


async def _ask(config_file: Path, settings: Settings) -> tuple[VerifierKey, ...]:
    async with custody_session(config_file, settings, os.environ) as custody:
        return await custody.checkpoint_keys()
