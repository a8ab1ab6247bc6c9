"""`vaultsigner audit prove`: a proof for somebody who has nothing but a root."""

import json
import re
import sys
from pathlib import Path

import click

from vaultsigner.audit.verifying.proofs import prove_growth, prove_record
from vaultsigner.cli.audit.options import (
    chains_in,
    checkpoint_in,
    chosen_chain,
    progress,
    record_directories,
    records_option,
    write_out,
)
from vaultsigner.cli.audit.verify_report import show_verdicts
from vaultsigner.cli.configuration import config_option

_WHICH = re.compile(r"(?:([0-9a-f]{16})(?::([1-9][0-9]{0,17}))?|([1-9][0-9]{0,14}))\Z")


@click.command()
@click.argument("record", metavar="[CHAIN:]SEQ")
@records_option
@config_option
@click.option(
    "--size", type=click.IntRange(min=1), help="For the tree over the first SIZE records. Default: all."
)
@click.option(
    "--checkpoint",
    "checkpoint_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="For the tree of this signed checkpoint (an anchor's file, say).",
)
@click.option(
    "--grown-from",
    type=click.IntRange(min=1),
    metavar="SIZE",
    help="Instead: that the chain CHAIN (no SEQ) of SIZE records only grew since.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The proof's file. Default: standard output.",
)
def prove(
    record: str,
    *,
    directories: tuple[Path, ...],
    config_file: Path | None,
    size: int | None,
    checkpoint_file: Path | None,
    grown_from: int | None,
    out: Path | None,
) -> None:
    """Write a proof, as JSON, that a record is in its chain. The chain is verified on the way.

    The proof has the record as it was written, and one hash for each level of the tree; nothing of other records. It is checked
    with `audit check-proof`, against a signed checkpoint or a root that was noted (`audit root`): the proof must be for a tree of
    that size, so give the checkpoint with --checkpoint; for a root over 1,042 records, say --size 1042.

    Exit status: 0 done, 1 the chain is damaged or has no such record.

    \b
    Examples:
      vaultsigner audit prove 4711 > proof.json
      vaultsigner audit prove 4711 --checkpoint /mnt/anchors/00000000000000aa/00000000000000005000.checkpoint > proof.json
      vaultsigner audit prove 00000000000000aa:4711 --size 5000 --out proof.json
      vaultsigner audit prove 00000000000000aa --grown-from 1042 > grown.json
    """
    match = _WHICH.match(record)
    seq = match and (match[2] or match[3])
    if match is None or (seq is None) == (grown_from is None):
        raise click.BadParameter(
            "write CHAIN:SEQ or SEQ, as in the header X-Vaultsigner-Decision; with --grown-from, CHAIN alone; "
            "where the chains are, say with --records",
            param_hint="'[CHAIN:]SEQ'",
        )
    name = match[1]
    if checkpoint_file is not None:
        checkpoint = checkpoint_in(checkpoint_file).checkpoint
        if size is not None or name not in {None, checkpoint.chain}:
            raise click.UsageError(
                f"the checkpoint is for {checkpoint.size} records of chain {checkpoint.chain}"
            )
        name, size = checkpoint.chain, checkpoint.size
    chain = chosen_chain(chains_in(record_directories(directories, config_file)), name)
    with progress([chain]) as told:
        if grown_from is not None:
            verdict, proof = prove_growth(chain, grown_from, size, told)
        else:
            verdict, proof = prove_record(chain, int(seq or 0), size, told)
    if proof is None:
        show_verdicts([verdict])
        sys.exit(1)
    text = json.dumps(proof, indent=2)
    if out is None:
        click.echo(text)
    else:
        write_out(out, text + "\n")
