"""`vaultsigner policy replay`: the record under other rules."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from vaultsigner.audit.files.reading import Unreadable, read_intents, record_files
from vaultsigner.cli.configuration import config_option
from vaultsigner.cli.policy.explanation import make_console
from vaultsigner.cli.policy.options import (
    DEFAULT_RECORDS,
    json_option,
    policies_option,
    policy_directory,
    settings_if_any,
)
from vaultsigner.cli.policy.replay_report import progress_on, replay_document, show_replay
from vaultsigner.cli.policy.replaying import Replay
from vaultsigner.cli.policy.request import read_since
from vaultsigner.config.problems import UnusableValueError
from vaultsigner.policy import load


@click.command()
@click.option(
    "--records",
    type=click.Path(path_type=Path, file_okay=False),
    help=f"The directory of the record. Default: the configuration's, else {DEFAULT_RECORDS}/.",
)
@policies_option
@config_option
@click.option("--since", help="Leave out what is older: 30d, 12h, 2026-11-01, 2026-11-01T08:00:00Z.")
@json_option
def replay(
    records: Path | None, policies: Path | None, config_file: Path | None, since: str | None, as_json: bool
) -> None:
    """Decide every request on the record once more, under other rules, and tell which decisions change.

    All chains are read, also while the service writes. What was refused before policy was asked (no permission, malformed) is not
    on record as an intent, and so not replayed. Addresses and times are those of the record; of a memo it has the SHA-256 alone,
    and rules about memos are decided exactly all the same. Limits and approvals are shown as conditions and not replayed: only a
    request that is over a limit all by itself counts as refused. Whether the record was tampered with is not looked at.

    Exit status: 0 done, whatever changes; 1 it could not be done, or there were lines that are no records.

    \b
    Examples:
      vaultsigner policy replay --records audit/ --policies new/
      vaultsigner policy replay --policies new/ --since 30d
      vaultsigner policy replay --policies new/ --json | jq '.changes[] | select(.would_be.verdict == "deny")'
    """
    begin = _since(since)
    rules = load(policy_directory(policies, config_file))
    files = record_files(_records(records, config_file), since=begin.date() if begin is not None else None)
    run, unreadable = Replay(rules, begin), Unreadable()
    with progress_on(Console(stderr=True), sum(file.size for file in files)) as progress:
        for file in files:
            for line, record in read_intents(file, unreadable, progress):
                if not run.take(record):
                    unreadable.add(file.path, line)
    if as_json:
        click.echo(json.dumps(replay_document(run, unreadable), indent=2))
    else:
        show_replay(make_console(), run, unreadable)
    sys.exit(1 if unreadable.count else 0)


def _since(text: str | None) -> datetime | None:
    try:
        return None if text is None else read_since(text, datetime.now(UTC))
    except UnusableValueError as error:
        raise click.BadParameter(f"{error.message}; {error.hint}", param_hint="--since") from None


def _records(records: Path | None, config_file: Path | None) -> Path:
    if records is not None:
        return records
    settings = settings_if_any(config_file)
    return settings.audit.directory if settings is not None else DEFAULT_RECORDS
