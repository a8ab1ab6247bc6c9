"""`vaultsigner audit root`: one hash that stands for every record of a chain."""

import json
import sys
from pathlib import Path

import click

from vaultsigner.audit.verifying.proofs import root_of
from vaultsigner.cli.audit.options import (
    chains_in,
    chosen_chain,
    directories_argument,
    progress,
    record_directories,
)
from vaultsigner.cli.audit.verify_report import show_verdicts, verdict_document
from vaultsigner.cli.configuration import config_option
from vaultsigner.cli.policy.options import json_option


@click.command()
@directories_argument
@config_option
@click.option("--size", type=click.IntRange(min=1), help="Over the first SIZE records only (of one chain).")
@json_option
def root(directories: tuple[Path, ...], config_file: Path | None, size: int | None, as_json: bool) -> None:
    """Print the Merkle root of each chain as CHAIN, SIZE:HASH, and verify the chain on the way.

    The tree is that of RFC 6962, section 2.1; leaf i is the line of record i + 1, byte for byte, without its newline. Whoever
    has a root can check proofs that single records are in the chain (`audit prove`, `audit check-proof`) without the rest of it.

    Exit status: 0 done, 1 a chain is damaged and has no root.

    \b
    Examples:
      vaultsigner audit root
      vaultsigner audit root audit/00000000000000aa --size 1042
    """
    chains = chains_in(record_directories(directories, config_file))
    if size is not None:
        chains = (chosen_chain(chains, None),)
    with progress(chains) as told:
        found = [root_of(chain, size, told) for chain in chains]
    damaged = [verdict for verdict, of_chain in found if of_chain is None]
    roots = [(verdict.chain.name, of_chain) for verdict, of_chain in found if of_chain is not None]
    if as_json:
        listed = [{"chain": name, "size": each.size, "root": each.hash.hex()} for name, each in roots]
        click.echo(
            json.dumps(
                {"roots": listed, "damaged": [verdict_document(verdict) for verdict in damaged]}, indent=2
            )
        )
    else:
        for name, each in roots:
            click.echo(f"{name}  {each}")
        show_verdicts(damaged)
    sys.exit(1 if damaged else 0)
