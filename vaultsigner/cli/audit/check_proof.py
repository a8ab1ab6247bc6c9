"""`vaultsigner audit check-proof`: is this record in the chain that the root stands for?"""

import json
from typing import BinaryIO

import click

from vaultsigner.audit.proofs import LARGEST_PROOF_BYTES, Root, read_root
from vaultsigner.audit.proofs import check_proof as check
from vaultsigner.cli.policy.options import json_option
from vaultsigner.cli.policy.words import printable
from vaultsigner.domain.merkle import ProofError


@click.command("check-proof")
@click.argument("proof", type=click.File("rb"))
@click.option("--root", "root_text", required=True, metavar="[SIZE:]HASH", help="The root, as you noted it.")
@click.option(
    "--grown-from",
    "first_text",
    metavar="[SIZE:]HASH",
    help="The earlier root, for a proof that the chain only grew.",
)
@json_option
def check_proof(proof: BinaryIO, root_text: str, first_text: str | None, as_json: bool) -> None:
    """Check a proof against a root that you know from elsewhere, and show the record that is proved.

    Nothing else is needed: no chain, no configuration, no network. What the proof says of roots counts for nothing. PROOF is a
    file, or - for standard input.

    Exit status: 0 the proof is good, 1 it shows nothing.

    \b
    Examples:
      vaultsigner audit check-proof proof.json --root 10000:9f2c…
      vaultsigner audit check-proof grown.json --root 10000:9f2c… --grown-from 1042:03d1…
    """
    root, first = _root(root_text, "--root"), _root(first_text, "--grown-from") if first_text else None
    text = proof.read(LARGEST_PROOF_BYTES + 1)
    if len(text) > LARGEST_PROOF_BYTES:
        raise ProofError("that is no proof: it is too large")
    proved = check(text, root, first)
    if as_json:
        record = json.loads(proved.record) if proved.record is not None else None
        document = {"chain": proved.chain, "tree_size": proved.size, "record": record}
        click.echo(json.dumps({**document, "grown_from": proved.first_size}, indent=2))
    elif proved.head is not None:
        head = proved.head
        click.echo(
            f"{click.style('proved', fg='green')}: record {head.seq:,} is one of the {proved.size:,} of chain {head.chain}"
        )
        click.echo(json.dumps(json.loads(proved.record or ""), indent=2))
    else:
        click.echo(
            f"{click.style('proved', fg='green')}: the first {proved.first_size:,} of {proved.size:,} records of chain "
            f"{printable(proved.chain)} are as they were"
        )


def _root(text: str, option: str) -> Root:
    try:
        return read_root(text)
    except ProofError as error:
        raise click.BadParameter(str(error), param_hint=option) from None
