"""`vaultsigner state`: the database in which nonces, limits and sequences are counted, and what is done to it beside its use."""

import asyncio
import os
from pathlib import Path

import click

from vaultsigner.audit import open_recorder
from vaultsigner.audit.entries import Control
from vaultsigner.audit.writing.idle_chains import chains_with_records
from vaultsigner.cli import terminal
from vaultsigner.cli.command_group import CommandGroup
from vaultsigner.cli.configuration import config_option, load_settings
from vaultsigner.cli.live_state import who, with_state
from vaultsigner.config.settings import Settings
from vaultsigner.config.state_urls import is_postgresql, parse_postgresql
from vaultsigner.errors import StateError
from vaultsigner.signing.moments import told
from vaultsigner.signing.record_keeping import introduce
from vaultsigner.state import open_state
from vaultsigner.state.postgres_probe import what_to_accept
from vaultsigner.state.postgres_roles import WantedRole, create_role
from vaultsigner.state.upkeep import accept_state, migrate_state, newest_schema


@click.group(cls=CommandGroup)
def state() -> None:
    """Bring the state database up to date, make its role, see its replicas, accept a fail-over."""


@state.command()
@config_option
def migrate(config_file: Path | None) -> None:
    """Bring the tables to the schema that this vaultsigner knows.

    Every start does the same, under a lock, so that several replicas may start at once; run it before a rolling update, to see it
    done first. A database of a newer vaultsigner is refused and left as it is.

    \b
    Examples:
      vaultsigner state migrate
      vaultsigner state migrate --config /etc/vaultsigner/config.yml
    """
    settings = load_settings(config_file)
    before, after = migrate_state(settings.state_url, settings.state_options)
    where = _where(settings)
    if before == after:
        click.echo(f"{where} has schema {after}, the newest: nothing to do")
    else:
        click.echo(
            f"{where}: schema {after} of {newest_schema(settings.state_url)}, it had {before or 'none'}"
        )


@state.command()
@config_option
def replicas(config_file: Path | None) -> None:
    """List the services that share a PostgreSQL state, and when each was seen; one that runs is seen every 30 seconds.

    Each start is one of its own, kept for a week. The name is audit.replica of its configuration. Commands are not listed.

    \b
    Examples:
      vaultsigner state replicas
    """
    found = with_state(load_settings(config_file), lambda state: state.replicas())
    if not found:
        click.echo("nobody is known: an SQLite state is one machine's, and no service has used a new one")
    for each in found:
        click.echo(
            f"{each.name or '(no name)'}  last seen {told(each.seen_at_ms)}, vaultsigner {each.version}, "
            f"last commit {each.last_commit}, id {each.id}"
        )


@state.command()
@config_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--anyway",
    is_flag=True,
    help="Also where the database knows of no loss: a backup was put back while no replica ran.",
)
def accept(config_file: Path | None, *, yes: bool, anyway: bool) -> None:
    """Let the service go on with a database that may have lost its last commits, after you have looked.

    A standby that was promoted, a restored copy: either may have forgotten which signatures were used, what was counted against
    limits, suspensions and approvals. Until this is run every replica answers 503 and says why in /readyz. It needs no restart,
    and is on the record. For a minute afterwards no signed request is taken: none that may have been used before counts again.
    Approvals that wait or are granted end. Where nothing has to be accepted it says so, and changes nothing.

    \b
    Before: is the old primary shut off for good? Is this the newest copy?
    After:  vaultsigner suspensions      are those there that should be?
            POST /api/wallet/resync      for each wallet that broadcasts

    \b
    Examples:
      vaultsigner state accept
      vaultsigner state accept --anyway    # a backup was put back while no replica ran
    """
    settings = load_settings(config_file)
    if not is_postgresql(settings.state_url):
        raise StateError(
            "an SQLite state has no server that could have taken over: there is nothing to accept"
        )
    why = what_to_accept(settings.state_url, settings.state_options)
    if why is None and not anyway:
        click.echo(
            f"{_where(settings)}: nothing has to be accepted, no loss is known in it. "
            "Where a backup was put back while no replica ran: --anyway"
        )
        return
    question = f"{_where(settings)}: {why or 'no loss is known in it'}. Type yes to go on with it"
    if not yes and terminal.ask(question) != "yes":
        raise terminal.TerminalError("nothing was changed")
    place = asyncio.run(_accept(settings))
    click.echo(f"{_where(settings)} ({place}) is in use again; signed requests are taken again in a minute")


@state.command("create-role")
@click.argument("name")
@click.option(
    "--admin-url-env",
    metavar="VARIABLE",
    required=True,
    help="The environment variable with the URL of the service's database, as an administrator.",
)
@click.option(
    "--aws-iam", is_flag=True, help="On Amazon RDS: let it in with tokens of AWS IAM, without a password."
)
@click.option(
    "--password-stdin", is_flag=True, help="Read its password from standard input, or ask for it hidden."
)
@click.option(
    "--rows-only", is_flag=True, help="It makes no tables; they are made now, as the administrator."
)
def create_role_command(
    name: str, admin_url_env: str, *, aws_iam: bool, password_stdin: bool, rows_only: bool
) -> None:
    """Make the database role that the service logs in as, with rights in the schema vaultsigner alone.

    May be run again. The administrator's password may stand in PGPASSWORD or a .pgpass instead of the URL. Without a password or
    AWS IAM the role can log in by a certificate only, or by what you give it yourself.

    \b
    Examples:
      ADMIN_URL=postgresql://postgres@db/vaultsigner vaultsigner state create-role signer \\
        --admin-url-env ADMIN_URL --password-stdin < password
      vaultsigner state create-role signer --admin-url-env ADMIN_URL --aws-iam
    """
    if aws_iam and password_stdin:
        raise click.UsageError("a role with a token needs no password")
    admin_url = os.environ.get(admin_url_env, "")
    if not is_postgresql(admin_url):
        raise click.UsageError(f"{admin_url_env} holds no URL of a PostgreSQL database")
    password = terminal.read_secret(f"Password of {name} (not shown)") if password_stdin else None
    for line in create_role(admin_url, WantedRole(name, password, aws_iam=aws_iam, rows_only=rows_only)):
        click.echo(line)


async def _accept(settings: Settings) -> str:
    """On record before anything changes, in a chain of its own: the state does not yet say which one may go on."""
    audit = settings.audit
    closed = frozenset(await asyncio.to_thread(chains_with_records, audit.directory))
    async with open_recorder(audit.directory, closed=closed) as recorder:
        await recorder.record(Control("state_accepted", {"by": who(), "state": _where(settings)}))
        place = await asyncio.to_thread(accept_state, settings.state_url, settings.state_options)
        async with open_state(settings.state_url, settings.state_options, visiting=True) as opened:
            if audit.checkpoint_key is not None:
                await introduce(recorder, opened, audit.replica)
    return place


def _where(settings: Settings) -> str:
    """Without a password."""
    if is_postgresql(settings.state_url):
        return str(parse_postgresql(settings.state_url))
    return settings.state_url.removeprefix("sqlite:///")
