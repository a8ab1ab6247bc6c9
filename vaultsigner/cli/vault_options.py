"""The options that every command talking to Vault as an operator has, and how they, config.yml and the environment combine."""

import functools
import os
import stat
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from vaultsigner.cli import terminal
from vaultsigner.cli.configuration import DEFAULT_CONFIG, config_option, load_settings
from vaultsigner.cli.vault_admin import OperatorVault, VaultAccessError
from vaultsigner.config import ConfigProblems, Settings

TOKEN_LIMIT_BYTES = 8192


@dataclass(frozen=True, slots=True)
class VaultOptions:
    """What was typed; None where nothing was."""

    config_file: Path | None
    address: str | None
    token_file: Path | None
    namespace: str | None
    ca_cert: Path | None

    def settings(self) -> Settings | ConfigProblems | None:
        """The configuration; what is wrong with it; or None where none was named and there is none at the default place."""
        if self.config_file is None and not DEFAULT_CONFIG.exists():
            return None
        try:
            return load_settings(self.config_file)
        except ConfigProblems as problems:
            return problems

    def usable_settings(self) -> Settings | None:
        """The configuration; None, with a note for the operator, where it cannot be used, and where there is none."""
        found = self.settings()
        if isinstance(found, ConfigProblems):
            click.echo(
                "note: config.yml cannot be used yet; `vaultsigner check` lists its problems", err=True
            )
            return None
        return found

    def open(self, settings: Settings | None) -> OperatorVault:
        """Log in as the operator. Options win over the configuration.

        Raises:
            VaultAccessError: no address, or no token.
        """
        vault = settings.vault if settings else None
        address = self.address or (vault.address if vault else None) or os.environ.get("VAULT_ADDR")
        if not address:
            raise VaultAccessError(
                "which Vault? Give --address or set VAULT_ADDR, or name a usable configuration with --config"
            )
        return OperatorVault(
            address,
            operator_token(self.token_file, os.environ),
            namespace=self.namespace or (vault.namespace if vault else None),
            ca_cert=self.ca_cert or (vault.ca_cert if vault else None),
        )


def vault_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add --config, --address, --token-file, --namespace and --ca-cert; the command receives them as `options`."""

    @functools.wraps(command)
    def with_options(
        config_file: Path | None,
        address: str | None,
        token_file: Path | None,
        namespace: str | None,
        ca_cert: Path | None,
        **others: object,
    ) -> None:
        command(options=VaultOptions(config_file, address, token_file, namespace, ca_cert), **others)

    decorated: Callable[..., None] = with_options
    existing = click.Path(path_type=Path, exists=True, dir_okay=False)
    for option in (
        click.option("--ca-cert", type=existing, help="PEM file of the authority to trust for Vault."),
        click.option("--namespace", help="Vault namespace."),
        click.option(
            "--token-file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="File with your Vault token. Default: ~/.vault-token (`bao login` writes it), else a hidden prompt.",
        ),
        click.option("--address", help="Vault's address. Default: $VAULT_ADDR, else from the configuration."),
        config_option,
    ):
        decorated = option(decorated)
    return decorated


def operator_token(token_file: Path | None, environ: Mapping[str, str]) -> str:
    """The operator's own token: from the file named, from ~/.vault-token, or typed. Never from the environment.

    Raises:
        VaultAccessError: none is to be had.
    """
    if environ.get("VAULT_TOKEN"):
        # Every child inherits the environment, and it stays readable in /proc for the life of the process.
        click.echo(
            "note: VAULT_TOKEN is set and is not read. Unset it; use `bao login` or --token-file.", err=True
        )
    if token_file is not None:
        return read_token(token_file)
    if (usual := Path.home() / ".vault-token").is_file():
        return read_token(usual)
    if not terminal.has_terminal():
        raise VaultAccessError(
            "no Vault token: give --token-file, or log in with `bao login` (or `vault login`)"
        )
    return _checked_token(terminal.ask_hidden("Vault token (not shown)"), "what was typed")


def read_token(path: Path) -> str:
    """A token from a file, with a warning where others may read it too.

    Raises:
        VaultAccessError: it cannot be read or holds no token.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(TOKEN_LIMIT_BYTES)
    except OSError as error:
        raise VaultAccessError(f"the token file {path} cannot be read: {error.strerror}") from None
    if stat.S_ISREG(mode) and mode & (stat.S_IRGRP | stat.S_IROTH):
        print(f"warning: others may read {path}; run: chmod 600 {path}", file=sys.stderr)
    return _checked_token(text.decode("ascii", "replace"), str(path))


def _checked_token(text: str, origin: str) -> str:
    token = text.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise VaultAccessError(f"there is no Vault token in {origin}")
    return token
