"""`vaultsigner audit verify`: was anything in the record changed?"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from vaultsigner.audit.files.chain_files import ChainFiles
from vaultsigner.audit.verifying.anchored import AnchoredChain, anchored_heads, forks, read_anchor
from vaultsigner.audit.verifying.copies import forked_copies
from vaultsigner.audit.verifying.coverage import CHECKPOINT_EVERY, Demands
from vaultsigner.audit.verifying.findings import Finding
from vaultsigner.audit.verifying.noted_heads import NotedHead, NotedHeadError, read_noted_head
from vaultsigner.audit.verifying.verification import Verdict, missing_chain, verify_chain
from vaultsigner.cli.audit.options import (
    chains_in,
    directories_argument,
    each_once,
    keys_option,
    progress,
    record_directories,
    trust_option,
    trusted_keys,
)
from vaultsigner.cli.audit.verify_report import Report, report_document, show_report
from vaultsigner.cli.configuration import config_option
from vaultsigner.cli.policy.options import DEFAULT_RECORDS, json_option, settings_if_any
from vaultsigner.domain.signed_notes import VerifierKey
from vaultsigner.errors import AuditError


@click.command()
@directories_argument
@config_option
@keys_option
@trust_option
@click.option(
    "--anchors",
    "anchors",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIRECTORY",
    help="What an anchor keeps: its directory, or a copy of its bucket. May be given more than once.",
)
@click.option("--anchors-only", is_flag=True, help="Check the anchors alone, without any records.")
@click.option(
    "--head",
    "heads",
    multiple=True,
    metavar="[CHAIN:]SEQ:HASH",
    help="A record that was noted earlier, as this command prints it. May be given more than once.",
)
@click.option(
    "--every",
    type=click.IntRange(min=1),
    default=CHECKPOINT_EVERY,
    show_default=True,
    help="The service's audit.checkpoint_every: twice as many records without a checkpoint are told.",
)
@json_option
def verify(
    directories: tuple[Path, ...],
    config_file: Path | None,
    *,
    keys: tuple[str, ...],
    trust_files: tuple[Path, ...],
    anchors: tuple[Path, ...],
    anchors_only: bool,
    heads: tuple[str, ...],
    every: int,
    as_json: bool,
) -> None:
    """Check every record of every chain, and tell the first that is not as it was written.

    Each line is checked by itself (its hash, its one form as JSON) and against the one before: number, time, hash; and each
    checkpoint against the records before it. Nothing is needed but the files. DIRECTORY is the one that holds the chains, or a
    chain's own; a copy of it will do.

    What is told: bytes changed, records deleted, inserted, swapped, duplicated, taken from another chain or replaced by others
    with correct hashes; half a line at the end; files that are missing or of another chain. That all of a chain was written
    anew shows by the signatures of its checkpoints: give --key or --trust. That its end was cut off, or all of it rolled back
    to an older copy, shows by what is kept elsewhere: give --anchors, or a head that you noted (--head).

    With --anchors and no records here (or --anchors-only) the anchors are checked by themselves: signatures, and the proofs that
    the chain only grew from each checkpoint to the next.

    Exit status: 0 all chains and anchors are intact, 1 one is not, or it could not be told.

    \b
    Examples:
      vaultsigner audit verify
      vaultsigner audit verify --trust audit-keys.txt --anchors /mnt/anchors
      vaultsigner audit verify replica-1/audit replica-2/audit       or the directory that holds both
      vaultsigner audit verify /mnt/evidence/audit --key checkpoints.pem --json
      vaultsigner audit verify --anchors-only --anchors bucket-copy --trust audit-keys.txt
      vaultsigner audit verify audit/ --head 00000000000000aa:1042:9f2c… --head 00000000000000bb:7:03d1…
    """
    if anchors_only and (not anchors or directories or heads):
        raise click.UsageError("--anchors-only goes with --anchors, and with no records and no --head")
    demands = Demands(trusted_keys(keys, trust_files), every)
    problems: list[str] = []
    anchored = tuple(chain for anchor in anchors for chain in _anchored(anchor, demands.keys, problems))
    alone = anchors_only or (bool(anchors) and not heads and _nothing_names_records(directories, config_file))
    chains = None if alone else _chains(record_directories(directories, config_file), anchors, problems)
    noted = _placed(heads, chains) if chains is not None else []
    verdicts = _verdicts(chains or (), (*noted, *anchored_heads(anchored)), demands)
    names = {chain.name for chain in chains} if chains is not None else None
    report = Report(
        verdicts,
        _missing(noted, anchored, names),
        anchored,
        (*forks(anchored), *forked_copies(verdicts)),
        demands.keys,
        chains is None,
        tuple(problems),
    )
    if as_json:
        click.echo(json.dumps(report_document(report), indent=2))
    else:
        show_report(report)
    sys.exit(0 if report.intact else 1)


def _anchored(anchor: Path, keys: Sequence[VerifierKey], problems: list[str]) -> tuple[AnchoredChain, ...]:
    """What an anchor keeps. One that keeps nothing is told, and the records are looked at all the same."""
    try:
        return read_anchor(anchor, keys)
    except AuditError as error:
        problems.append(f"anchor: {error}")
        return ()


def _nothing_names_records(directories: tuple[Path, ...], config_file: Path | None) -> bool:
    return not directories and settings_if_any(config_file) is None and not DEFAULT_RECORDS.exists()


def _chains(
    directories: Sequence[Path], anchors: Sequence[Path], problems: list[str]
) -> tuple[ChainFiles, ...]:
    """With anchors, records that are gone are a finding like others: the anchors know of which chains.

    Raises:
        AuditError: a directory has no records, and there are no anchors to tell more.
    """
    found: list[ChainFiles] = []
    for directory in directories:
        try:
            found += chains_in((directory,))
        except AuditError as error:
            if not anchors:
                raise
            problems.append(f"records: {error}")
    return each_once(found)


def _verdicts(
    chains: Sequence[ChainFiles], noted: Sequence[NotedHead], demands: Demands
) -> tuple[Verdict, ...]:
    by_chain: dict[str | None, list[NotedHead]] = {}
    for head in noted:
        by_chain.setdefault(head.chain, []).append(head)
    with progress(chains) as told:
        return tuple(
            verify_chain(chain, by_chain.get(chain.name, ()), demands=demands, progress=told)
            for chain in chains
        )


def _missing(
    noted: Sequence[NotedHead], anchored: Sequence[AnchoredChain], names: set[str] | None
) -> tuple[Finding, ...]:
    """Chains that are not here: of an anchor the newest checkpoint is told."""
    if names is None:
        return ()
    newest = [head for chain in anchored for head in list(anchored_heads([chain]))[-1:]]
    return tuple(missing_chain(head) for head in (*noted, *newest) if head.chain not in names)


def _placed(heads: Sequence[str], chains: Sequence[ChainFiles]) -> list[NotedHead]:
    """Each with its chain: the only one, where none is named."""
    names = {chain.name for chain in chains}
    noted: list[NotedHead] = []
    for text in heads:
        try:
            head = read_noted_head(text)
        except NotedHeadError as error:
            raise click.BadParameter(str(error), param_hint="--head") from None
        if head.chain is None and len(names) != 1:
            raise click.BadParameter(
                f"there are {len(names)} chains: write CHAIN:{head.seq}:{head.hash[:8]}…", param_hint="--head"
            )
        noted.append(NotedHead(head.seq, head.hash, head.chain or next(iter(names))))
    return noted
