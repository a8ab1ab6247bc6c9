"""`vaultsigner suspend`, `resume`, `suspensions`: stopping what is served, at the state itself, whatever else is down."""

import json
import time
from pathlib import Path

import click

from vaultsigner.audit import open_recorder
from vaultsigner.audit.entries import Control
from vaultsigner.cli.configuration import config_option, load_settings
from vaultsigner.cli.known_names import names_of_kind_before
from vaultsigner.cli.live_state import who, with_state
from vaultsigner.config.settings import Settings
from vaultsigner.domain.names import JsonValue
from vaultsigner.errors import VaultsignerError
from vaultsigner.signing.json_bodies import LONGEST_TEXT, UnusableBodyError, read_text
from vaultsigner.signing.moments import told
from vaultsigner.signing.record_keeping import introduce, unknown_chains
from vaultsigner.signing.suspensions import KINDS, suspendable, suspension_of
from vaultsigner.state import State, Suspension, SuspensionKind

IN_FORCE = "in force within a second on every server that uses this state"


class NotSuspendedError(VaultsignerError):
    """There is nothing to resume."""


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name", required=False, shell_complete=names_of_kind_before)
@click.option("--reason", required=True, help="Why; for the record, and for whoever is to resume it.")
@config_option
def suspend(config_file: Path | None, kind: SuspensionKind, name: str | None, reason: str) -> None:
    """Stop a wallet, a client, a user, an exchange, or everything.

    Works on the state database alone: with Vault down, and with the service stopped or running, which needs no restart. What is
    being signed at that moment may still get out; nothing after a second. While everything is suspended, operators can still
    log in to resume it.

    \b
    Examples:
      vaultsigner suspend client bot-1 --reason "its key is in a leaked backup"
      vaultsigner suspend wallet wallet_1 --reason "audit"
      vaultsigner suspend all --reason "drill"
    """
    settings = load_settings(config_file)
    wanted = suspension_of(
        suspendable(settings), kind, name, _one_line(reason), by=who(), at_ms=time.time_ns() // 1_000_000
    )
    new = with_state(settings, lambda state: _suspend(settings, state, wanted))
    if new:
        click.echo(f"{_words(wanted.kind, wanted.name)} suspended: {IN_FORCE}")
    else:
        click.echo(f"{_words(wanted.kind, wanted.name)} suspended already; the first reason stays")


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name", required=False, shell_complete=names_of_kind_before)
@config_option
def resume(config_file: Path | None, kind: SuspensionKind, name: str | None) -> None:
    """End a suspension. That of everything ends none of the others.

    \b
    Examples:
      vaultsigner resume client bot-1
      vaultsigner resume all
    """
    settings = load_settings(config_file)
    if (name is None) != (kind == "all"):
        raise click.UsageError("all has no name, and everything else has one")
    with_state(settings, lambda state: _resume(settings, state, kind, name or ""))
    click.echo(f"{_words(kind, name or '')} resumed: {IN_FORCE}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@config_option
def suspensions(config_file: Path | None, as_json: bool) -> None:
    """List what is suspended, since when, by whom and why.

    \b
    Examples:
      vaultsigner suspensions
      vaultsigner suspensions --json | jq -r '.[] | select(.kind == "client").name'
    """
    found = with_state(load_settings(config_file), lambda state: state.suspensions()).suspended
    if as_json:
        click.echo(json.dumps([_document(each) for each in found], indent=2, ensure_ascii=False))
    elif not found:
        click.echo("nothing is suspended")
    else:
        for each in found:
            what = "everything" if each.kind == "all" else f"{each.kind} {each.name}"
            click.echo(f"{what}\n  since {told(each.at_ms)}, by {each.by}: {each.reason}")


async def _suspend(settings: Settings, state: State, wanted: Suspension) -> bool:
    await _record(settings, state, "suspend", wanted)
    return await state.suspend(wanted)


async def _resume(settings: Settings, state: State, kind: SuspensionKind, name: str) -> None:
    known = [each for each in (await state.suspensions()).suspended if (each.kind, each.name) == (kind, name)]
    if not known:
        words = _words(kind, name).replace(" is", " is not")
        raise NotSuspendedError(f"{words} suspended; `vaultsigner suspensions` lists what is")
    await _record(settings, state, "resume", known[0])
    await state.resume(kind, name)


async def _record(settings: Settings, state: State, event: str, suspension: Suspension) -> None:
    """In a chain of this process's own, before anything changes."""
    details: dict[str, JsonValue] = {
        "kind": suspension.kind,
        "name": suspension.name,
        "reason": suspension.reason,
        "by": who(),
    }
    closed = await unknown_chains(settings.audit, state)
    async with open_recorder(settings.audit.directory, closed=closed) as recorder:
        await recorder.record(Control(event, details))
        if settings.audit.checkpoint_key is not None:
            await introduce(recorder, state, settings.audit.replica)


def _one_line(reason: str) -> str | None:
    """As over HTTP."""
    try:
        return read_text({"reason": reason}, "reason", longest=LONGEST_TEXT)
    except UnusableBodyError as error:
        raise click.UsageError(str(error)) from None


def _words(kind: SuspensionKind, name: str) -> str:
    return "everything is" if kind == "all" else f"{kind} {name} is"


def _document(suspension: Suspension) -> dict[str, JsonValue]:
    return {
        "kind": suspension.kind,
        "name": suspension.name,
        "reason": suspension.reason,
        "by": suspension.by,
        "since": told(suspension.at_ms),
    }
