"""Chains that no process writes to any more: of the command line, of a replica that is gone.

Their last records want a checkpoint too.
"""

from collections.abc import Collection
from pathlib import Path

import structlog

from vaultsigner.audit.files.file_names import in_order, is_chain
from vaultsigner.audit.writing.chain_lock import ChainLock
from vaultsigner.audit.writing.writer import ChainWriter, ClockNs, continue_chain
from vaultsigner.errors import AuditError

log = structlog.get_logger(__name__)
_Look = tuple[str, int]
"""The newest file of a chain, and its size."""


class IdleChains:
    """Looks after the chains of a directory, but for those that somebody holds.

    Args:
        directory: of all chains.
        closed: chains that must not go on.
    """

    def __init__(self, directory: Path, clock: ClockNs, closed: Collection[str] = ()) -> None:
        self._directory = directory
        self._clock = clock
        self._closed = closed
        self._known: dict[str, _Look] = {}

    def changed(self) -> list[Path]:
        """Those that have changed since they were `covered`.

        Raises:
            AuditError: the directory cannot be read.
        """
        looks = {path: _look(path) for path in _chains(self._directory) if path.name not in self._closed}
        return [path for path, look in looks.items() if look and self._known.get(path.name) != look]

    def open(self, chain: Path) -> ChainWriter | None:
        """A chain, to put a checkpoint behind it, and to be closed then; None where that is not needed, or somebody else has it.

        A chain that is damaged is told in the log once, and left as it is.
        """
        lock = ChainLock(chain)
        try:
            writer = continue_chain(chain, lock, self._clock, with_tree=True) if lock.take() else None
        except (AuditError, OSError) as error:
            log.warning("chain_left_alone", chain=chain.name, problem=str(error))
            self.covered(chain)
            return None
        if writer is not None and _covered(writer):
            writer.close()
            self.covered(chain)
            return None
        return writer

    def free(self, chain: Path) -> bool:
        """Whether no process has it, this one included. One that cannot be looked at counts as free."""
        lock = ChainLock(chain)
        try:
            held = not lock.take()
        except OSError:
            return True
        lock.release()
        return not held

    def covered(self, chain: Path) -> None:
        """Nothing has to be done for a chain before it changes."""
        look = _look(chain)
        if look:
            self._known[chain.name] = look


def chains_with_records(directory: Path) -> list[str]:
    """The chains in a directory that have a file of records; none where there is no directory.

    Raises:
        AuditError: it cannot be read.
    """
    return [path.name for path in _chains(directory) if _look(path)]


def _chains(directory: Path) -> list[Path]:
    try:
        return [path for path in sorted(directory.iterdir()) if is_chain(path.name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise AuditError(f"{error.filename}: {error.strerror}") from error


def _covered(writer: ChainWriter) -> bool:
    """Whether the record of the last checkpoint is the only one that it does not cover."""
    state = writer.tree.state() if writer.tree is not None else None
    return state is None or (state.old_size > 0 and state.size == state.old_size + 1)


def _look(chain: Path) -> _Look | None:
    """None: there is nothing in it."""
    try:
        names = in_order(path.name for path in chain.iterdir())
        return (names[-1], (chain / names[-1]).stat().st_size) if names else None
    except OSError:
        return None
