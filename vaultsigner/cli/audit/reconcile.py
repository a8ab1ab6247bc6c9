"""`vaultsigner audit reconcile`: does the record agree with Vault's own audit log?"""

import json
import math
import sys
from dataclasses import asdict
from pathlib import Path

import click

from vaultsigner.audit.verifying.reconciliation import (
    SERVICE_POLICY,
    KnownKeys,
    Reconciliation,
    reconcile,
)
from vaultsigner.audit.verifying.recorded_reads import CHECKPOINT, LOG_IN, NamedRead, Recorded, read_recorded
from vaultsigner.audit.verifying.vault_log import VaultLog, read_vault_log
from vaultsigner.cli.audit.options import chains_in, directories_argument, record_directories
from vaultsigner.cli.configuration import config_option
from vaultsigner.cli.policy.options import json_option, settings_if_any
from vaultsigner.cli.policy.words import counted, printable
from vaultsigner.config.settings import KvReference, Settings, TransitReference
from vaultsigner.domain.record_time import record_time

MOST_SHOWN = 200
MOST_SLACK_SECONDS = 86_400
BY_TIME = "Those are in no record by their id. The record has, at that time, what would cause them, and each cause counts once."
CAUSES = {
    "asked for ahead": "a key asked for ahead and left unread, for a request that was then refused",
    "client's signature": "a client's secret that is none, or an older record of a client's signature",
    "first address": "a wallet's address after a start, by older records",
    "log-in": "a log-in, by older records",
    "checkpoint": "a checkpoint, by older records",
}


def _finite(ctx: click.Context, param: click.Parameter, seconds: float) -> float:
    if not math.isfinite(seconds):
        raise click.BadParameter("this is no number of seconds; write it like 5 or 0.5")
    return seconds


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
    type=click.FloatRange(min=0, max=MOST_SLACK_SECONDS),
    callback=_finite,
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
    signatures, decryptions, log-ins and checkpoints name Vault's request by its id, and so do those of clients' requests for the
    secret that verified them, and of the first request for a wallet's address. A key that was asked for ahead, and left unread
    because the request was refused, has no id: it is compared by key, number and time, and told apart; so is what older records
    do not name. A request whose authentication failed explains no more than what its record names; in older records, with a
    configuration, a key of the client that they name. `vaultsigner check` reads keys too and leaves no record.

    With a configuration, its keys are looked at, whoever used them, and a record that names a request of another key than its
    target's is told. Without one, those keys that a token with the service's policy has used in this log, whoever else did.

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
        _show(found, unreadable, spans=(_span(log), _span(recorded)))
    sys.exit(0 if found.agrees and found.begin_us <= found.end_us and not any(unreadable.values()) else 1)


def known_keys(settings: Settings) -> KnownKeys:
    """The paths of all keys of a configuration, as Vault's log has them."""
    wallets = {f"wallet:{each.name}": _paths(each.key) for each in settings.wallets.values()}
    exchanges = {f"exchange:{each.name}": _paths(each.secret) for each in settings.exchanges.values()}
    apps = {
        f"open_api:{each.name}": _paths(each.secret_key, each.private_key)
        for each in settings.open_api.values()
    }
    clients = _paths(*(client.secret for client in settings.clients.values()))
    log_in, checkpoint = _paths(settings.access_token_key), _paths(settings.audit.checkpoint_key)
    signing = {**wallets, **exchanges, **apps}
    of_clients = {
        str(client.name): _paths(client.secret).union(
            *(wallets.get(f"wallet:{name}", ()) for name in client.wallet_permissions),
            *(exchanges.get(f"exchange:{name}", ()) for name in client.exchanges),
            *(apps.get(f"open_api:{name}", ()) for name in client.open_api),
        )
        for client in settings.clients.values()
    }
    return KnownKeys(
        frozenset().union(*wallets.values()),
        frozenset().union(*signing.values()),
        clients,
        next(iter(log_in), None),
        next(iter(checkpoint), None),
        {**signing, LOG_IN: log_in, CHECKPOINT: checkpoint},
        of_clients,
    )


def _paths(*keys: KvReference | TransitReference | None) -> frozenset[str]:
    return frozenset(key.audited_path for key in keys if key is not None)


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
        "without_key_read": [_record(each) for each in found.unread],
        "of_another_key": [
            {**_record(each.named), "read": each.read.path, "read_time": record_time(each.read.time_us)}
            for each in found.misnamed
        ],
        "records_outside": found.outside,
        "unreadable": unreadable,
    }


def _record(named: NamedRead) -> dict[str, object]:
    return {**asdict(named), "time": record_time(named.time_us)}


def _span(log: VaultLog | Recorded) -> str:
    if log.first_us is None or log.last_us is None:
        return "nothing"
    return f"{record_time(log.first_us)} to {record_time(log.last_us)}"


def _show(found: Reconciliation, unreadable: dict[str, int], spans: tuple[str, str]) -> None:
    if found.begin_us > found.end_us:
        click.echo(click.style("There is no time that both logs cover.", fg="red"))
        click.echo(f"Vault's log covers {spans[0]}; the records cover {spans[1]}.")
        return
    click.echo(f"Both logs cover {record_time(found.begin_us)} to {record_time(found.end_us)}.")
    click.echo(
        f"{counted(found.reads, 'key read')} in Vault's log, {found.matched:,} of them named by a record."
    )
    for cause, count in sorted(found.explained.items()):
        click.echo(f"  {count:,} by time alone: {CAUSES[cause]}")
    if found.explained:
        click.echo(f"  {BY_TIME}")
    for read in found.unrecorded[:MOST_SHOWN]:
        what = f"{record_time(read.time_us)}  {read.use} of {read.path}, {read.who}, Vault request {read.request_id}"
        click.echo(f"{click.style('no record', fg='red')}: {printable(what, limit=500)}")
    for named in found.unread[:MOST_SHOWN]:
        click.echo(f"{click.style('no key read', fg='red')}: {printable(_told(named), limit=500)}")
    for wrong in found.misnamed[:MOST_SHOWN]:
        what = f"{_told(wrong.named)}, which is a {wrong.read.use} of {wrong.read.path}"
        click.echo(f"{click.style('another key', fg='red')}: {printable(what, limit=500)}")
    more = sum(len(each[MOST_SHOWN:]) for each in (found.unrecorded, found.unread, found.misnamed))
    if more:
        click.echo(f"and {more:,} more: --json tells all")
    if found.outside:
        click.echo(
            f"{counted(found.outside, 'record')} name requests of a time that Vault's log does not cover"
        )
    for name, count in unreadable.items():
        if count:
            click.echo(click.style(f"{counted(count, 'line')} of the {name} could not be read", fg="red"))
    click.echo(_conclusion(found, unreadable))


def _conclusion(found: Reconciliation, unreadable: dict[str, int]) -> str:
    if not found.agrees:
        return (
            f"{click.style('They do not agree', fg='red')}: {counted(len(found.unrecorded), 'key read')} without a record, "
            f"{counted(len(found.unread), 'record')} without a key read, "
            f"{counted(len(found.misnamed), 'record')} that name a read of another key."
        )
    if any(unreadable.values()):
        return "They agree as far as could be read, and the lines that could not may say otherwise."
    return click.style("They agree.", fg="green")


def _told(named: NamedRead) -> str:
    place = f"record {named.chain}:{named.seq}"
    return f"{place}  {record_time(named.time_us)}  {named.operation}, Vault request {named.vault_request_id}"
