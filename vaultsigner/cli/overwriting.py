"""What lies in Vault is never overwritten unasked: look first, refuse, or have its path typed."""

import click

from vaultsigner.cli import terminal
from vaultsigner.cli.held_secrets import Place, kept_beside
from vaultsigner.cli.key_store import NotedKey, look_up, require_kv_v2
from vaultsigner.cli.vault_admin import OperatorVault, VaultAccessError
from vaultsigner.config.settings import KvReference, Settings


def look_before_writing(
    vault: OperatorVault, reference: KvReference, *, replace: bool, again: str
) -> NotedKey:
    """What is there now; nothing may be, unless it is to be replaced.

    Args:
        reference: where something is to be written.
        replace: whether the operator asked for that.
        again: what to do otherwise, after "nothing was overwritten".

    Raises:
        VaultAccessError: something is there, or was, or Vault does not say.
    """
    require_kv_v2(vault, reference)
    before = look_up(vault, reference)
    if before.version and not replace:
        what = "already holds a secret" if before.live else "held a secret that was deleted"
        raise VaultAccessError(
            f"{reference.mount}/{reference.path} {what}, and nothing was overwritten: {again}"
        )
    return before


def confirm_replacing(place: str, told: str) -> None:
    """Have the path typed.

    Args:
        place: mount and path.
        told: what is there, and what will be different.

    Raises:
        TerminalError: it was not typed, or there is nobody to type it.
    """
    click.echo(told, err=True)
    if terminal.ask(f"Type {place} to replace it") != place:
        raise terminal.TerminalError("that is not the path: nothing was changed")


def refuse_shared_place(settings: Settings | None, place: Place, written: frozenset[str]) -> None:
    """A write replaces everything that lies at a path.

    Args:
        settings: the configuration, where there is one.
        place: mount and path.
        written: the fields that the write has.

    Raises:
        click.UsageError: the configuration has something else there, which would be gone.
    """
    others = kept_beside(settings, place, written) if settings else ()
    if others:
        raise click.UsageError(
            f"{others[0].what} {others[0].name} lies at {'/'.join(place)}, too, and would be gone: "
            "give each a path of its own"
        )
