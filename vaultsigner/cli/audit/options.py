"""What the commands of `vaultsigner audit` have in common: where the records lie, which keys count, how long it takes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from vaultsigner.audit.anchors.anchor import size_in
from vaultsigner.audit.files.chain_files import ChainFiles, find_chains
from vaultsigner.audit.files.record_directories import holding_chains
from vaultsigner.audit.verifying.trust import TrustError, read_key, read_trust_file
from vaultsigner.cli.policy.options import DEFAULT_RECORDS, settings_if_any
from vaultsigner.cli.policy.replay_report import progress_on
from vaultsigner.cli.policy.words import printable
from vaultsigner.domain.checkpoints import (
    CheckpointError,
    SignedCheckpoint,
    read_anchor_document,
    read_checkpoint,
)
from vaultsigner.domain.signed_notes import VerifierKey
from vaultsigner.errors import AuditError

LARGEST_KEY_FILE = LARGEST_CHECKPOINT_FILE = 1 << 20

directories_argument = click.argument(
    "directories",
    nargs=-1,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="[DIRECTORY]...",
)
records_option = click.option(
    "--records",
    "directories",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIRECTORY",
    help=f"Where the chains are; may be given more than once. Default: the configuration's, else {DEFAULT_RECORDS}/.",
)


def directories_or_records(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command be told its directories as arguments or with --records; it gets all of them as `directories`."""

    @wraps(command)
    def joined(*, directories: tuple[Path, ...], named: tuple[Path, ...], **given: Any) -> None:
        command(directories=(*directories, *named), **given)

    argument = click.argument(
        "named",
        nargs=-1,
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        metavar="[DIRECTORY]...",
    )
    return argument(records_option(joined))


keys_option = click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="KEY",
    help="A key that signs checkpoints: as `audit key` prints it, or its public key as base64 or in a PEM file. "
    "May be given more than once.",
)
trust_option = click.option(
    "--trust",
    "trust_files",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="A file of such keys, as `audit key` writes it. May be given more than once.",
)


def trusted_keys(keys: Sequence[str], trust_files: Sequence[Path]) -> tuple[VerifierKey, ...]:
    """The keys of both options, each once.

    Raises:
        BadParameter: one cannot be read.
    """
    found: dict[VerifierKey, None] = {}
    for text in keys:
        try:
            found[read_key(_file_or_itself(text))] = None
        except TrustError as error:
            raise click.BadParameter(str(error), param_hint="--key") from None
    for path in trust_files:
        try:
            found |= dict.fromkeys(read_trust_file(_text_of(path, LARGEST_KEY_FILE)))
        except (TrustError, ValueError) as error:
            raise click.BadParameter(f"{path}: {error}", param_hint="--trust") from None
    return tuple(found)


def checkpoint_in(path: Path) -> SignedCheckpoint:
    """The checkpoint in a file: a signed note, or what an anchor keeps.

    Raises:
        BadParameter: it is neither.
    """
    try:
        text = _text_of(path, LARGEST_CHECKPOINT_FILE)
        return read_anchor_document(text).signed if text.startswith("old ") else read_checkpoint(text)
    except (CheckpointError, ValueError) as error:
        raise click.BadParameter(f"{path}: {error}", param_hint="a checkpoint") from None


def record_directories(directories: Sequence[Path], config_file: Path | None) -> tuple[Path, ...]:
    """The directories named, else the one of the configuration, else `audit`.

    Raises:
        AuditError: there is none of these.
        ConfigError: the configuration cannot be used; it is not looked at where directories are named.
    """
    if directories:
        return tuple(directories)
    settings = settings_if_any(config_file)
    if settings is None and not DEFAULT_RECORDS.exists():
        raise AuditError(
            f"there is neither a configuration nor a directory {DEFAULT_RECORDS} here: name the directory that holds the chains"
        )
    return (settings.audit.directory if settings is not None else DEFAULT_RECORDS,)


def chains_in(directories: Sequence[Path]) -> tuple[ChainFiles, ...]:
    """The chains in all of them, or in the directories below them: of several replicas, say.

    Raises:
        AuditError: one has none.
    """
    holding = (each for directory in directories for each in holding_chains(directory))
    return each_once(chain for directory in holding for chain in find_chains(directory))


def each_once(chains: Iterable[ChainFiles]) -> tuple[ChainFiles, ...]:
    """One directory that is named twice, or that a link leads to as well, holds one chain."""
    found: dict[Path, ChainFiles] = {}
    for chain in chains:
        found.setdefault(chain.directory.resolve(), chain)
    return tuple(found.values())


def tell_unusable(chains: Sequence[ChainFiles]) -> bool:
    """Say on standard error which files have the name of a day's and are none, so that nothing of them is found, and which
    directories hold an anchor's checkpoints instead of records; whether any."""
    unusable = [path for chain in chains for path in chain.unusable]
    anchors = [chain.directory for chain in chains if not chain.files and any(map(size_in, chain.others))]
    for path in anchors:
        click.echo(
            f"no records: {printable(str(path))} holds an anchor's checkpoints: vaultsigner audit verify --anchors",
            err=True,
        )
    for path in unusable:
        click.echo(
            f"file unusable: {printable(str(path))} is a link, a pipe or a directory: vaultsigner audit verify",
            err=True,
        )
    return bool(unusable or anchors)


def write_out(path: Path, text: str) -> None:
    """Write what a command made into the file of its option --out.

    Raises:
        AuditError: it cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise AuditError(f"--out {path}: {error.strerror}") from error


def chosen_chain(chains: Sequence[ChainFiles], name: str | None) -> ChainFiles:
    """The chain of that name; where none is named, the only one."""
    found = [chain for chain in chains if name is None or chain.name == name]
    if len(found) == 1:
        return found[0]
    there = ", ".join(sorted({chain.name for chain in chains}))
    if not found:
        raise click.UsageError(f"there is no chain {name}; there are {there}")
    raise click.UsageError(f"which chain is meant? There are {there}")


@contextmanager
def progress(chains: Sequence[ChainFiles]) -> Iterator[Callable[[int], None]]:
    """A bar on standard error, where that is a terminal."""
    with progress_on(Console(stderr=True), sum(chain.size for chain in chains)) as told:
        yield told


def _file_or_itself(text: str) -> str:
    try:
        return _text_of(Path(text), LARGEST_KEY_FILE) if Path(text).is_file() else text
    except (OSError, ValueError):
        return text


def _text_of(path: Path, most: int) -> str:
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError("it is too large")
    return data.decode("utf-8")
