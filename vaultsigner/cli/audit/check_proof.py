"""`vaultsigner audit check-proof`: is this record in the chain that the root stands for?"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import click

from vaultsigner.audit.verifying.proofs import LARGEST_PROOF_BYTES, Proved, Root, read_root
from vaultsigner.audit.verifying.proofs import check_proof as check
from vaultsigner.audit.verifying.trust import judge
from vaultsigner.cli.audit.options import checkpoint_in, keys_option, trust_option, trusted_keys
from vaultsigner.cli.policy.options import json_option
from vaultsigner.cli.policy.words import printable
from vaultsigner.domain.checkpoints import Checkpoint
from vaultsigner.domain.merkle import ProofError
from vaultsigner.domain.signed_notes import VerifierKey

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("check-proof")
@click.argument("proof", type=click.File("rb"))
@click.option("--root", "root_text", metavar="SIZE:HASH", help="The root, as you noted it.")
@click.option(
    "--checkpoint",
    "checkpoint_file",
    type=_FILE,
    metavar="FILE",
    help="Instead: a signed checkpoint, or an anchor's file, whose root counts once --key or --trust has checked it.",
)
@click.option(
    "--grown-from",
    "first_text",
    metavar="SIZE:HASH",
    help="The earlier root, for a proof that the chain only grew.",
)
@click.option(
    "--grown-from-checkpoint",
    "first_file",
    type=_FILE,
    metavar="FILE",
    help="The earlier checkpoint, for such a proof.",
)
@keys_option
@trust_option
@json_option
def check_proof(
    proof: BinaryIO,
    *,
    root_text: str | None,
    checkpoint_file: Path | None,
    first_text: str | None,
    first_file: Path | None,
    keys: tuple[str, ...],
    trust_files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Check a proof against a root or a signed checkpoint that you have from elsewhere, and show the record that is proved.

    Nothing else is needed: no chain, no configuration, no network. What the proof says of roots and of chains counts for
    nothing; which chain it is shows by the record's own line, or by the checkpoint. PROOF is a file, or - for standard input.

    Exit status: 0 the proof is good, 1 it shows nothing.

    \b
    Examples:
      vaultsigner audit check-proof proof.json --checkpoint 00000000000000005000.checkpoint --trust audit-keys.txt
      vaultsigner audit check-proof proof.json --root 10000:9f2c…
      vaultsigner audit check-proof grown.json --root 10000:9f2c… --grown-from 1042:03d1…
    """
    if (root_text is None) == (checkpoint_file is None) or (first_text and first_file):
        raise click.UsageError(
            "give one root: --root or --checkpoint (and one earlier one, where the proof has two)"
        )
    trusted = trusted_keys(keys, trust_files)
    signed = [_signed(path, trusted) if path else None for path in (checkpoint_file, first_file)]
    root = _root(root_text, "--root") or _root_of(signed[0])
    if root is None:
        raise click.UsageError("give a root")
    first = _root(first_text, "--grown-from") or _root_of(signed[1])
    text = proof.read(LARGEST_PROOF_BYTES + 1)
    if len(text) > LARGEST_PROOF_BYTES:
        raise ProofError("that is no proof: it is too large")
    proved = check(text, root, first)
    _show(proved, _chain_of(proved, signed), signed[0], as_json=as_json)


def _chain_of(proved: Proved, signed: Sequence[Checkpoint | None]) -> str | None:
    """As the record's own line or a signed checkpoint names it; None: nobody but the proof does.

    Raises:
        ProofError: they name several.
    """
    named = [proved.chain, *(checkpoint.chain for checkpoint in signed if checkpoint is not None)]
    names = list(dict.fromkeys(name for name in named if name is not None))
    if len(names) > 1:
        raise ProofError(
            f"record and checkpoints are not of one chain, but of {' and '.join(map(printable, names))}"
        )
    return names[0] if names else None


def _show(proved: Proved, chain: str | None, checkpoint: Checkpoint | None, *, as_json: bool) -> None:
    good = click.style("proved", fg="green")
    if as_json:
        record = json.loads(proved.record) if proved.record is not None else None
        document = {"chain": chain, "tree_size": proved.size, "record": record}
        signed = checkpoint.time if checkpoint else None
        click.echo(
            json.dumps({**document, "grown_from": proved.first_size, "checkpoint_signed": signed}, indent=2)
        )
    elif proved.head is not None:
        head = proved.head
        click.echo(f"{good}: record {head.seq:,} is one of the {proved.size:,} of chain {head.chain}")
        if checkpoint is not None:
            click.echo(f"  as it was when checkpoint {checkpoint.size:,} was signed, {checkpoint.time}")
        click.echo(json.dumps(json.loads(proved.record or ""), indent=2))
    else:
        of_chain = f"chain {chain}" if chain else "a chain"
        which = f"the first {proved.first_size:,} of {proved.size:,} records of {of_chain}"
        click.echo(f"{good}: {which} are as they were")


def _signed(path: Path, keys: tuple[VerifierKey, ...]) -> Checkpoint:
    """The checkpoint in a file, signed by one of the keys.

    Raises:
        ProofError: it is not.
    """
    if not keys:
        raise click.UsageError(
            "a checkpoint counts by its signature: give its key with --key or --trust (`audit key`)"
        )
    signed = checkpoint_in(path)
    bad = judge(signed, keys)
    if bad is not None:
        raise ProofError(f"{path}: {bad.kind}: {bad.words}")
    return signed.checkpoint


def _root_of(checkpoint: Checkpoint | None) -> Root | None:
    return None if checkpoint is None else Root(checkpoint.root, checkpoint.size)


def _root(text: str | None, option: str) -> Root | None:
    try:
        return None if text is None else read_root(text)
    except ProofError as error:
        raise click.BadParameter(str(error), param_hint=option) from None
