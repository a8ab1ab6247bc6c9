"""Where a chain goes on after a restart: the first free chain, its last whole line, and what a crash left behind it."""

import mmap
import os
import secrets
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from vaultsigner.audit.chain import Damage, DamagedChainError, Head, read_line, seal
from vaultsigner.audit.entries import Control
from vaultsigner.audit.files.file_names import GZIPPED, in_order, is_chain
from vaultsigner.audit.files.line_files import open_lines, open_regular
from vaultsigner.audit.files.reading import LONGEST_LINE
from vaultsigner.audit.writing.chain_lock import ChainLock
from vaultsigner.domain.names import JsonValue
from vaultsigner.durable_files import make_directory, sync_directory
from vaultsigner.errors import AuditError

LONGEST_TEAR = 256 * 1024 * 1024
"""Bytes behind the last record. No interrupted write leaves as many, and to read without end would keep a start waiting."""
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Torn:
    """Bytes behind the last whole line: a write that never finished, so nobody was told of it."""

    path: Path
    offset: int
    size: int
    sha256: str


def claim_chain(directory: Path, closed: Collection[str] = ()) -> tuple[Path, ChainLock]:
    """The first chain in `directory` that no running process holds and that is not closed for good, or a new one; locked.

    Raises:
        OSError: as the system says.
    """
    make_directory(directory)
    chains = sorted(path for path in directory.iterdir() if is_chain(path.name) and path.is_dir())
    for path in chains:
        lock = ChainLock(path)
        if path.name not in closed and lock.take():
            return path, lock
    path = directory / secrets.token_hex(8)
    make_directory(path)
    lock = ChainLock(path)
    return (path, lock) if lock.take() else claim_chain(directory, closed)


def find_head(chain: Path) -> tuple[Head, Torn | None]:
    """The chain's head as its files tell it, and the torn bytes behind it, if any.

    Raises:
        AuditError: the last whole line is damaged: a chain must not be continued from a line that somebody changed.
        OSError: as the system says.
    """
    sync_directory(chain)
    torn = None
    for path in reversed([chain / name for name in in_order(path.name for path in chain.iterdir())]):
        head, found = (
            _read_end(path, chain.name) if path.suffix != GZIPPED else _read_compressed(path, chain.name)
        )
        if found is not None and torn is not None:
            raise AuditError(f"{path} ends in half a line, and a later file begins after it")
        torn = torn or found
        if head is not None:
            return head, torn
    return Head(chain.name), torn


def repair(head: Head, torn: Torn, now_us: int) -> Head:
    """Put a record of the repair where the torn bytes stood.

    It is written over them before they are cut off, so that a crash in between leaves either the one or the other.

    Raises:
        OSError: as the system says.
    """
    details: dict[str, JsonValue] = {
        "file": torn.path.name,
        "torn_bytes": torn.size,
        "torn_sha256": torn.sha256,
    }
    line, repaired = seal(Control("repaired", details).members(), head, now_us)
    descriptor = os.open(torn.path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        written = 0
        while written < len(line):
            written += os.pwrite(descriptor, line[written:], torn.offset + written)
        os.ftruncate(descriptor, torn.offset + len(line))
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
    return repaired


def _read_end(path: Path, chain: str) -> tuple[Head | None, Torn | None]:
    """The head that the last whole line of a file gives, and what stands behind that line."""
    with ExitStack() as stack:
        file = stack.enter_context(open_regular(path))
        if os.fstat(file.fileno()).st_size == 0:
            return None, None
        data = stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        # A killed process may have written lines without syncing them; what follows must not survive a power cut they do not.
        os.fdatasync(file.fileno())
        end = _line_start(path, data, len(data) + 1)
        start = _line_start(path, data, end)
        head = None
        if end and (head := _head(path, data, start, end, chain)) is None:
            # A crash can leave blocks of zeros with a line's end behind them. One such line is a tear; two are damage.
            end, start = start, _line_start(path, data, start)
            if end and (head := _head(path, data, start, end, chain)) is None:
                raise _damaged(path, data, start, Damage.UNREADABLE)
        torn = Torn(path, end, len(data) - end, _digest(path, data, end)) if end < len(data) else None
    return head, torn


def _read_compressed(path: Path, chain: str) -> tuple[Head | None, None]:
    """The same of a compressed file, which nobody writes to: with half a line at its end it was never ours to compress."""
    last, number = b"", 0
    with open_lines(path, 0) as opened:
        while line := opened.lines.readline(LONGEST_LINE):
            last, number = line, number + 1
    try:
        head = read_line(last)[0] if last else None
        damage = Damage.OTHER_CHAIN if head is not None and head.chain != chain else None
    except DamagedChainError as error:
        head, damage = None, error.damage
    if damage is not None:
        raise AuditError(_refusal(path, number, damage))
    return head, None


def _line_start(path: Path, data: mmap.mmap, end: int) -> int:
    """Where the line begins that ends before `end`."""
    first = max(end - 1 - LONGEST_TEAR, 0)
    found = data.rfind(b"\n", first, max(end - 1, 0))
    if found < 0 and first:
        raise _too_long(path)
    return found + 1


def _digest(path: Path, data: mmap.mmap, begin: int) -> str:
    if len(data) - begin > LONGEST_TEAR:
        raise _too_long(path)
    digest = sha256()
    for offset in range(begin, len(data), _BLOCK):
        digest.update(data[offset : offset + _BLOCK])
    return digest.hexdigest()


def _too_long(path: Path) -> AuditError:
    return AuditError(
        f"{path} ends in more than {LONGEST_TEAR // 1024 // 1024} MiB that are no record, which no interrupted write leaves. "
        f"The chain is not continued; keep a copy and cut the file behind its last record (truncate --size), "
        f"or move {path.parent} away to begin a new one"
    )


def _head(path: Path, data: mmap.mmap, start: int, end: int, chain: str) -> Head | None:
    if end - start > LONGEST_LINE:
        return None
    try:
        head, _ = read_line(data[start:end])
    except DamagedChainError as error:
        if error.damage is Damage.UNREADABLE:
            return None
        raise _damaged(path, data, start, error.damage) from None
    if head.chain != chain:
        raise _damaged(path, data, start, Damage.OTHER_CHAIN)
    return head


def _damaged(path: Path, data: mmap.mmap, start: int, damage: Damage) -> AuditError:
    before = sum(data[begin : min(begin + _BLOCK, start)].count(b"\n") for begin in range(0, start, _BLOCK))
    return AuditError(_refusal(path, before + 1, damage))


def _refusal(path: Path, line: int, damage: Damage) -> str:
    return f"{path}, line {line}: {damage}. The chain is not continued; move {path.parent} away to begin a new one"
