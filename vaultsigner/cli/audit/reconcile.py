"""`vaultsigner audit reconcile`: does the record agree with Vault's own audit log?"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from vaultsigner.audit.reconciliation import (
    SERVICE_POLICY,
    KnownKeys,
    Reconciliation,
    read_recorded,
    reconcile,
)
from vaultsigner.audit.vault_log import read_vault_log
from vaultsigner.cli.audit.options import chains_in, directories_argument, record_directories
from vaultsigner.cli.configuration import config_option
from vaultsigner.cli.policy.options import json_option, settings_if_any
from vaultsigner.cli.policy.words import counted, printable
from vaultsigner.config.settings import KvReference, Settings, TransitReference
from vaultsigner.domain.record_time import record_time

MOST_SHOWN = 200
BY_TIME = "Those are in no record by their id. The record has, at that time, what would cause them, and each cause counts once."


@click.command("reconcile")
@directories_argument
@click.option(
    "--vault-log",
    "vault_logs",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Of Vault's file audit device; .gz too. May be given more than once.",
)
@config_option
@click.option(
    "--policy",
    "policies",
    multiple=True,
    default=(SERVICE_POLICY,),
    show_default=True,
    help="A Vault policy of the service's tokens. May be given more than once.",
)
@click.option(
    "--slack",
    type=click.FloatRange(min=0),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How far the clocks may be apart, and how long a record may come after its key read.",
)
@json_option
def reconcile_logs(
    *,
    directories: tuple[Path, ...],
    vault_logs: tuple[Path, ...],
    config_file: Path | None,
    policies: tuple[str, ...],
    slack: float,
    as_json: bool,
) -> None:
    """List key reads in Vault without a record, and records without a key read in Vault.

    Over the time that both logs cover. A key read is a read of KV data, or a signature, HMAC or decryption by Transit. Records of
    signatures and decryptions name Vault's request by its id. What the service does besides (tokens for log-ins, checkpoints,
    clients' signatures, a wallet's first address after a start, keys asked for ahead) is compared by kind, number and time, and
    told apart. `vaultsigner check` reads keys too and leaves no record.

    With a configuration, its keys are looked at, whoever used them. Without one, those that a token with the service's policy has
    used in this log, whoever else did.

    Exit status: 0 they agree, 1 they do not, or something could not be read.

    \b
    Examples:
      vaultsigner audit reconcile --vault-log /var/log/vault/audit.log
      vaultsigner audit reconcile --vault-log audit.log --vault-log audit.log.1.gz /mnt/evidence/audit --json
    """
    log = read_vault_log(vault_logs)
    settings = settings_if_any(config_file)
    recorded = read_recorded(chains_in(record_directories(directories, config_file)))
    found = reconcile(
        log,
        recorded,
        known=None if settings is None else known_keys(settings),
        policies=policies,
        slack_us=int(slack * 1_000_000),
    )
    unreadable = {"vault_log": log.unreadable, "records": recorded.unreadable}
    if as_json:
        click.echo(json.dumps(_document(found, unreadable), indent=2))
    else:
        _show(found, unreadable)
    sys.exit(0 if found.agrees and found.begin_us <= found.end_us and not any(unreadable.values()) else 1)


def known_keys(settings: Settings) -> KnownKeys:
    """The paths of all keys of a configuration, as Vault's log has them."""
    wallets = frozenset(_path(wallet.key) for wallet in settings.wallets.values())
    exchanges = frozenset(_path(exchange.secret) for exchange in settings.exchanges.values())
    apps = frozenset(
        _path(key) for app in settings.open_api.values() for key in (app.secret_key, app.private_key) if key
    )
    clients = frozenset(_path(client.secret) for client in settings.clients.values() if client.secret)
    log_in, checkpoint = settings.access_token_key, settings.audit.checkpoint_key
    return KnownKeys(
        wallets,
        wallets | exchanges | apps,
        clients,
        None if log_in is None else _path(log_in),
        None if checkpoint is None else _path(checkpoint),
    )


def _path(reference: KvReference | TransitReference) -> str:
    if isinstance(reference, TransitReference):
        return f"{reference.mount}/{reference.key}"
    return f"{reference.mount}/data/{reference.path}"


def _document(found: Reconciliation, unreadable: dict[str, int]) -> dict[str, object]:
    return {
        "agrees": found.agrees,
        "since": record_time(found.begin_us),
        "until": record_time(found.end_us),
        "key_reads": found.reads,
        "matched": found.matched,
        "explained_by_time": found.explained,
        "without_record": [
            {**asdict(each), "time": record_time(each.time_us), "policies": [*each.policies]}
            for each in found.unrecorded
        ],
        "without_key_read": [{**asdict(each), "time": record_time(each.time_us)} for each in found.unread],
        "records_outside": found.outside,
        "unreadable": unreadable,
    }


def _show(found: Reconciliation, unreadable: dict[str, int]) -> None:
    if found.begin_us > found.end_us:
        click.echo(click.style("There is no time that both logs cover.", fg="red"))
        return
    click.echo(f"Both logs cover {record_time(found.begin_us)} to {record_time(found.end_us)}.")
    click.echo(
        f"{counted(found.reads, 'key read')} in Vault's log, {found.matched:,} of them named by a record."
    )
    for cause, count in sorted(found.explained.items()):
        click.echo(f"  {count:,} for: {cause}")
    if found.explained:
        click.echo(f"  {BY_TIME}")
    for read in found.unrecorded[:MOST_SHOWN]:
        what = f"{record_time(read.time_us)}  {read.use} of {read.path}, {read.who}, Vault request {read.request_id}"
        click.echo(f"{click.style('no record', fg='red')}: {printable(what, limit=500)}")
    for named in found.unread[:MOST_SHOWN]:
        what = f"{record_time(named.time_us)}  {named.operation}, Vault request {named.vault_request_id}"
        place = f"record {named.chain}:{named.seq}"
        click.echo(f"{click.style('no key read', fg='red')}: {printable(f'{place}  {what}', limit=500)}")
    more = len(found.unrecorded[MOST_SHOWN:]) + len(found.unread[MOST_SHOWN:])
    if more:
        click.echo(f"and {more:,} more: --json tells all")
    if found.outside:
        click.echo(
            f"{counted(found.outside, 'record')} name requests of a time that Vault's log does not cover"
        )
    for name, count in unreadable.items():
        if count:
            click.echo(click.style(f"{counted(count, 'line')} of the {name} could not be read", fg="red"))
    if found.agrees:
        click.echo(click.style("They agree.", fg="green"))
    else:
        click.echo(
            f"{click.style('They do not agree', fg='red')}: {counted(len(found.unrecorded), 'key read')} without a record, "
            f"{counted(len(found.unread), 'record')} without a key read."
        )
