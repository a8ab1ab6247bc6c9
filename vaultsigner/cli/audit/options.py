"""What the commands of `vaultsigner audit` have in common: where the records lie, which chain is meant, how long it takes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from vaultsigner.audit.chain_files import ChainFiles, find_chains
from vaultsigner.cli.policy.options import DEFAULT_RECORDS, settings_if_any
from vaultsigner.cli.policy.replay_report import progress_on

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


def record_directories(directories: Sequence[Path], config_file: Path | None) -> tuple[Path, ...]:
    """The directories named, else the one of the configuration, else `audit`.

    Raises:
        ConfigError: the configuration cannot be used; it is not looked at where directories are named.
    """
    if directories:
        return tuple(directories)
    settings = settings_if_any(config_file)
    return (settings.audit.directory if settings is not None else DEFAULT_RECORDS,)


def chains_in(directories: Sequence[Path]) -> tuple[ChainFiles, ...]:
    """The chains in all of them.

    Raises:
        AuditError: one has none.
    """
    return tuple(chain for directory in directories for chain in find_chains(directory))


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
