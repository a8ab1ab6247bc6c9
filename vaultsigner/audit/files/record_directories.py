"""Where records are below a directory: several replicas' directories may lie side by side in one, as a collector puts them."""

from pathlib import Path

from vaultsigner.audit.files.file_names import is_chain, parse
from vaultsigner.errors import AuditError

DEEPEST = 2
"""`records/replica-1/audit/<chain>`, say."""


def holding_chains(directory: Path) -> tuple[Path, ...]:
    """The directory itself where it holds chains or is one, else those below it that do. Follows no links.

    Returns:
        The directory itself where there are none at all: whoever looks for chains in it says so.

    Raises:
        AuditError: one cannot be read.
    """
    try:
        return tuple(_below(directory, DEEPEST)) or (directory,)
    except OSError as error:
        raise AuditError(f"{error.filename or directory}: {error.strerror}") from error


def _below(directory: Path, levels: int) -> list[Path]:
    entries = sorted(directory.iterdir())
    if any(parse(path.name) or (is_chain(path.name) and path.is_dir()) for path in entries):
        return [directory]
    if levels == 0:
        return []
    below = (path for path in entries if path.is_dir() and not path.is_symlink())
    return [found for path in below for found in _below(path, levels - 1)]
