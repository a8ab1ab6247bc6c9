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
    """Have the path typed; in front of it the kind of place may stand, as in config.yml.

    Args:
        place: mount and path, of KV or of Transit.
        told: what is there, and what will be different.

    Raises:
        TerminalError: it was not typed, or there is nobody to type it.
    """
    click.echo(told, err=True)
    if not terminal.has_terminal():
        # A secret may come through a pipe; the answer to this may not.
        raise terminal.TerminalError(
            f"--replace wants {place} typed on a terminal, even where the secret is piped in, and there is none: "
            "nothing was changed"
        )
    if not names_place(terminal.ask(f"Type {place} to replace it"), place):
        raise terminal.TerminalError("that is not the path: nothing was changed")


def names_place(typed: str, place: str) -> bool:
    """Whether what was typed is that mount and path, bare or as a reference: `transit:mount/key`, `vault:mount/path#field`."""
    for kind in ("transit:", "vault:"):
        if typed.startswith(kind):
            return typed.removeprefix(kind).partition("#")[0] == place
    return typed == place


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
