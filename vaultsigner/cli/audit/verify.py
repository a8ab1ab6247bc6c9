"""`vaultsigner audit verify`: was anything in the record changed?"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from vaultsigner.audit.chain_files import ChainFiles
from vaultsigner.audit.findings import Finding
from vaultsigner.audit.noted_heads import NotedHead, NotedHeadError, read_noted_head
from vaultsigner.audit.verification import Verdict, missing_chain, verify_chain
from vaultsigner.cli.audit.options import chains_in, directories_argument, progress, record_directories
from vaultsigner.cli.audit.verify_report import show_verdicts, verdicts_document
from vaultsigner.cli.configuration import config_option
from vaultsigner.cli.policy.options import json_option


@click.command()
@directories_argument
@config_option
@click.option(
    "--head",
    "heads",
    multiple=True,
    metavar="[CHAIN:]SEQ:HASH",
    help="A record that was noted earlier, as this command prints it. May be given more than once.",
)
@json_option
def verify(
    directories: tuple[Path, ...], config_file: Path | None, heads: tuple[str, ...], as_json: bool
) -> None:
    """Check every record of every chain, and tell the first that is not as it was written.

    Each line is checked by itself (its hash, its one form as JSON) and against the one before: number, time, hash. Nothing
    is needed but the files. DIRECTORY is the one that holds the chains, or a chain's own; a copy of it will do.

    What is told: bytes changed, records deleted, inserted, swapped, duplicated, taken from another chain or replaced by others
    with correct hashes; half a line at the end; files that are missing or of another chain. A chain by itself does not show that
    its end was cut off, or that all of it was written anew: note its head now and then, away from the machine, and give it
    with --head. The chain must then have exactly that record.

    Exit status: 0 all chains are intact, 1 one is not, or it could not be told.

    \b
    Examples:
      vaultsigner audit verify
      vaultsigner audit verify /mnt/evidence/audit --json
      vaultsigner audit verify audit/ --head 1042:9f2c…
      vaultsigner audit verify audit/ --head 00000000000000aa:1042:9f2c… --head 00000000000000bb:7:03d1…
    """
    chains = chains_in(record_directories(directories, config_file))
    noted = _placed(heads, chains)
    verdicts: list[Verdict] = []
    with progress(chains) as told:
        for chain in chains:
            mine = [head for head in noted if head.chain == chain.name]
            verdicts.append(verify_chain(chain, mine, progress=told))
    names = {chain.name for chain in chains}
    missing: list[Finding] = [missing_chain(head) for head in noted if head.chain not in names]
    if as_json:
        click.echo(json.dumps(verdicts_document(verdicts, missing), indent=2))
    else:
        show_verdicts(verdicts, missing)
    sys.exit(0 if all(verdict.intact for verdict in verdicts) and not missing else 1)


def _placed(heads: Sequence[str], chains: Sequence[ChainFiles]) -> list[NotedHead]:
    """Each with its chain: the only one, where none is named."""
    names = {chain.name for chain in chains}
    noted: list[NotedHead] = []
    for text in heads:
        try:
            head = read_noted_head(text)
        except NotedHeadError as error:
            raise click.BadParameter(str(error), param_hint="--head") from None
        if head.chain is None and len(names) > 1:
            raise click.BadParameter(
                f"there are {len(names)} chains: write CHAIN:{head.seq}:{head.hash[:8]}…", param_hint="--head"
            )
        noted.append(NotedHead(head.seq, head.hash, head.chain or next(iter(names))))
    return noted
