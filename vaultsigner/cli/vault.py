"""`vaultsigner vault`: what Vault must have before the service can start."""

from pathlib import Path

import click

from vaultsigner.cli import terminal
from vaultsigner.cli.command_group import CommandGroup
from vaultsigner.cli.configuration import load_settings
from vaultsigner.cli.log_in_options import LogInOptions, log_in_options
from vaultsigner.cli.token_file import make_token_file, write_private
from vaultsigner.cli.vault_admin import OperatorVault, VaultAccessError
from vaultsigner.cli.vault_options import VaultOptions, read_token, vault_options
from vaultsigner.cli.vault_policy import POLICY_NAME, imported_keys, least_policy, transit_keys
from vaultsigner.cli.vault_roles import next_steps, set_up_log_in, wrapped_secret_id
from vaultsigner.cli.vault_setup import Step, no_longer_granted, set_up
from vaultsigner.config.settings import Settings
from vaultsigner.config.vault_settings import AppRoleAuth, TokenFileAuth, VaultAuth


@click.group(cls=CommandGroup)
def vault() -> None:
    """Give Vault the least policy and the Transit keys that the configuration needs."""


@vault.command()
@vault_options
@click.option("--print", "print_only", is_flag=True, help="Show the policy and the keys, and change nothing.")
@click.option(
    "--token-out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also make the service's own token and write it to this file, mode 0600.",
)
@click.option(
    "--period",
    default="72h",
    show_default=True,
    help="How long that token lives without renewal; the running service renews it.",
)
@click.option("--yes", is_flag=True, help="Do not ask before a path is no longer granted.")
@click.option(
    "--wrapped-secret-id-out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="approle: also make a secret id, response-wrapped, and write the wrapping token to this file, mode 0600.",
)
@click.option(
    "--wrap-ttl", default="5m", show_default=True, help="approle: within which time custody must unwrap it."
)
@log_in_options
def setup(
    *,
    options: VaultOptions,
    print_only: bool,
    token_out: Path | None,
    period: str,
    yes: bool,
    wrapped_secret_id_out: Path | None,
    wrap_ttl: str,
    log_in: LogInOptions,
) -> None:
    """Write the least Vault policy and make the mounts and the Transit key the configuration names.

    Shows the policy first. May be run again at any time, and must be after adding a wallet, a client, an exchange or an Open API
    app: it changes only what is missing or differs, and says so. There is one policy for all that uses this Vault: where it
    grants a path that this configuration does not name, setup asks before it takes that away.

    Where custody logs in by a method of its own (`vault.auth.method`), setup enables it and makes the role, bound to that policy
    and to what the options name.

    \b
    Examples:
      vaultsigner vault setup --print                    what would be written; needs no Vault
      vaultsigner vault setup --token-out /run/vault/token
      vaultsigner vault setup --wrapped-secret-id-out /run/vault/secret-id
      vaultsigner vault setup --service-account trading/vaultsigner --kubernetes-host https://kubernetes.default.svc
      vaultsigner vault setup --iam-principal arn:aws:iam::123456789012:role/vaultsigner-task
    """
    settings = load_settings(options.config_file)
    auth = settings.vault.auth
    _check_options(auth, token_out, wrapped_secret_id_out)
    _show_plan(settings)
    if print_only:
        return
    operator = options.open(settings)
    _ask_before_taking_away(settings, no_longer_granted(operator, settings), yes=yes)
    for step in set_up(operator, settings):
        _tell(step)
    if not isinstance(auth, TokenFileAuth):
        for step in set_up_log_in(operator, auth, log_in):
            _tell(step)
    elif token_out is not None:
        _warn_of_another_file(token_out, auth.path)
        _tell(_token_step(options, settings, operator, token_out, period))
    if isinstance(auth, AppRoleAuth) and wrapped_secret_id_out is not None:
        _tell(_secret_id_step(operator, auth, wrapped_secret_id_out, wrap_ttl))
    elif not isinstance(auth, TokenFileAuth):
        click.echo(next_steps(auth))


def _check_options(auth: VaultAuth, token_out: Path | None, wrapped_secret_id_out: Path | None) -> None:
    """A token or a secret id that nobody reads should not be made."""
    if token_out is not None and not isinstance(auth, TokenFileAuth):
        raise VaultAccessError(
            f"the service logs in by {auth.method} and reads no token: leave --token-out away"
        )
    if wrapped_secret_id_out is None:
        return
    if not isinstance(auth, AppRoleAuth):
        raise VaultAccessError(f"vault.auth.method is {auth.method}: only an approle has secret ids")
    if not auth.wrapped:
        raise VaultAccessError(
            "vault.auth.wrapped is false: the service would take a wrapping token for a secret id"
        )


def _secret_id_step(operator: OperatorVault, auth: AppRoleAuth, path: Path, wrap_ttl: str) -> Step:
    if path.resolve() != auth.secret_id_file.resolve():
        click.echo(
            f"warning: the service reads its secret id from {auth.secret_id_file} (vault.auth.secret_id_file), not from {path}",
            err=True,
        )
    token = wrapped_secret_id(operator, auth, wrap_ttl)
    try:
        write_private(path, token)
    except OSError as error:
        raise VaultAccessError(
            f"{path} cannot be written ({error.strerror}); the secret id stays wrapped, and is gone in {wrap_ttl}"
        ) from None
    return Step(True, f"wrote a wrapped secret id to {path}, mode 0600: start the service within {wrap_ttl}")


def _show_plan(settings: Settings) -> None:
    click.echo(f"# policy `{POLICY_NAME}`\n")
    click.echo(least_policy(settings))
    for key in transit_keys(settings):
        click.echo(f"# Transit key {key}: Ed25519, not exportable")
    for key in imported_keys(settings):
        click.echo(f"# Transit key {key}: as `vaultsigner exchanges import` brings it there")
    auth = settings.vault.auth
    if not isinstance(auth, TokenFileAuth):
        click.echo(
            f"# log-in by {auth.method} at auth/{auth.mount}/, role {auth.role}: this policy alone, not even `default`"
        )
    click.echo()


def _ask_before_taking_away(settings: Settings, dropped: tuple[str, ...], *, yes: bool) -> None:
    """Nothing was changed yet."""
    if not dropped:
        return
    paths = "".join(f"\n  {path}" for path in dropped)
    click.echo(
        f"The policy `{POLICY_NAME}` in Vault grants what {settings.source} does not name:{paths}\n"
        "A service that runs with another configuration, and needs it, could no longer read it from that moment on.",
        err=True,
    )
    if yes:
        return
    if not terminal.has_terminal():
        raise terminal.TerminalError(
            "nothing was changed: there is no terminal to ask on; add --yes if these paths are to be no longer granted"
        )
    if terminal.ask("No longer grant them? [y/N]").lower() not in ("y", "yes"):
        raise terminal.TerminalError("nothing was changed")


def _warn_of_another_file(path: Path, read_by_service: Path) -> None:
    """Of two files, the service reads the one that the configuration names."""
    if path.resolve() != read_by_service.resolve():
        there = " (there is one already)" if read_by_service.exists() else ""
        click.echo(
            f"warning: the service reads its token from {read_by_service}{there}, not from {path}: see vault.auth.path",
            err=True,
        )


def _token_step(
    options: VaultOptions, settings: Settings, operator: OperatorVault, path: Path, period: str
) -> Step:
    def as_holder(token: str) -> OperatorVault:
        return OperatorVault(
            operator.address,
            token,
            namespace=options.namespace or settings.vault.namespace,
            ca_cert=options.ca_cert or settings.vault.ca_cert,
        )

    return make_token_file(operator, path, period=period, read_token=read_token, as_holder=as_holder)


def _tell(step: Step) -> None:
    click.echo(f"{'changed' if step.changed else 'as is  '}  {step.text}")
