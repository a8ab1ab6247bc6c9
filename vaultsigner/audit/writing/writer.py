"""Appends to one chain, on one thread: seals what waits, writes it, syncs once, and gets over every failure by itself."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path

from vaultsigner.audit.chain import Head, read_line, seal
from vaultsigner.audit.entries import Control
from vaultsigner.audit.writing.chain_lock import ChainLock, taken_over
from vaultsigner.audit.writing.chain_tree import ChainTree, read_tree
from vaultsigner.audit.writing.day_file import AppendError, DayFile, Interrupted, path_to_write
from vaultsigner.audit.writing.resumption import claim_chain, find_head, repair
from vaultsigner.domain.audit_position import AuditPosition
from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.record_time import record_time
from vaultsigner.durable_files import make_directory
from vaultsigner.errors import AuditError

ROTATE_BYTES = 256 * 1024 * 1024
"""How large a file may be when records are added to it."""

Members = Mapping[str, JsonValue]
ClockNs = Callable[[], int]
"""Nanoseconds since 1970."""

_Sealed = tuple[int, bytes, Head]


class UnrecordableError(AuditError):
    """An entry that JSON has no form for: a mistake of ours, which harms no other record."""


class ChainWriter:
    """The end of one chain.

    `problem` says why records cannot be written at present; None: all is well. `policy` is the digest of the policies in force,
    for the writer's own records; None: not known yet. `writing` is the name of the file that was opened last; every file before
    it is closed for good. `rotated` is called once another one has records.
    """

    def __init__(
        self,
        directory: Path,
        lock: ChainLock,
        head: Head,
        clock: ClockNs,
        *,
        rotate_bytes: int = ROTATE_BYTES,
        tree: ChainTree | None = None,
    ) -> None:
        """`rotated` is called when another file is opened than before; `tree` grows with what is written."""
        self.problem: str | None = None
        self.policy: str | None = None
        self.writing: str | None = None
        self.rotated: Callable[[], None] = lambda: None
        self.directory = directory
        self.tree = tree
        self._lock = lock
        self._head = head
        self._clock = clock
        self._rotate_bytes = rotate_bytes
        self._file: DayFile | None = None
        self._is_new = False
        self._interrupted: Interrupted | None = None
        self._findings: list[JsonValue] = []
        self._refused = 0
        self._in_doubt = False

    def commit(self, batch: Sequence[Members]) -> Sequence[AuditPosition | Exception]:
        """Make a batch durable with one sync.

        After a failure the first thing written is a record of it; an empty batch tries just that.

        Returns:
            For each entry its position, or why it is not recorded.
        """
        if self.problem is not None:
            try:
                self._recover()
            except AuditError as error:
                return self._refuse(error, batch)
        return self._append(batch)

    def is_ours(self) -> bool:
        """Whether the chain is still held by this process. For other threads."""
        return self._lock.is_ours()

    @property
    def chain(self) -> str:
        """Its name."""
        return self._head.chain

    @property
    def head(self) -> Head:
        """The last record that is on disk."""
        return self._head

    def close(self) -> None:
        """Leave the chain to the next process."""
        self._close_file()
        self._lock.release()

    def _append(self, batch: Sequence[Members]) -> list[AuditPosition | Exception]:
        sealed, results = self._seal(batch)
        try:
            for day, lines in groupby(sealed, key=_day):
                self._write(day, list(lines), results)
        except AuditError as error:
            unwritten = [index for index, result in enumerate(results) if result is None]
            for index, refusal in zip(unwritten, self._refuse(error, unwritten), strict=True):
                results[index] = refusal
        return [result for result in results if result is not None]

    def _seal(self, batch: Sequence[Members]) -> tuple[list[_Sealed], list[AuditPosition | Exception | None]]:
        sealed: list[_Sealed] = []
        results: list[AuditPosition | Exception | None] = [None] * len(batch)
        head = self._head
        for index, members in enumerate(batch):
            try:
                line, head = seal(members, head, self._clock() // 1000)
            except (TypeError, ValueError, RecursionError) as error:
                results[index] = UnrecordableError(f"an entry cannot be recorded: {error}")
            else:
                sealed.append((index, line, head))
        return sealed, results

    def _write(
        self, day: str, sealed: list[_Sealed], results: list[AuditPosition | Exception | None]
    ) -> None:
        self._open_day(day).append(b"".join(line for _, line, _ in sealed), self._lock.is_ours)
        for index, _, head in sealed:
            results[index] = AuditPosition(head.chain, head.seq)
            self._head = head
        if self._is_new:
            self._is_new = False
            self.rotated()
        if self.tree is not None:
            self.tree.add((line for _, line, _ in sealed), self._head)

    def _open_day(self, day: str) -> DayFile:
        file = self._file
        if file is not None and file.path.name.startswith(day) and file.size < self._rotate_bytes:
            return file
        return self._open(path_to_write(self.directory, date.fromisoformat(day), self._rotate_bytes))

    def _open(self, path: Path) -> DayFile:
        self._close_file()
        self._confirm()
        self._file = DayFile(path)
        self._is_new = self._is_new or self.writing != path.name
        self.writing = path.name
        return self._file

    def _refuse(self, error: AuditError, refused: Sequence[object]) -> list[Exception]:
        self.problem = str(error)
        self._refused += len(refused)
        if isinstance(error, AppendError):
            self._interrupted = error.interrupted
        self._close_file()
        return [AuditError(self.problem) for _ in refused]

    def _recover(self) -> None:
        """Take back what a failed write left, and put the failure on record.

        Raises:
            AuditError: not yet.
        """
        try:
            make_directory(self.directory)
        except OSError as error:
            raise AuditError(f"{self.directory}: {error.strerror}") from error
        self._confirm()
        if self._interrupted is not None:
            self._findings.append(self._open(self._interrupted.path).take_back(self._interrupted))
            self._interrupted = None
        details = {"problem": self.problem, "refused": self._refused, "found": self._findings[-10:]}
        sealed, results = self._seal([Control("recovered", details, self.policy).members()])
        self._write(_day(sealed[0]), sealed, results)
        self.problem, self._refused, self._findings = None, 0, []

    def _confirm(self) -> None:
        """Nothing is written, and nothing taken back, of a chain that another process has or went on with.

        Raises:
            AuditError: it has, or it cannot be known.
        """
        self._in_doubt = not self._lock.confirm() or self._in_doubt
        if self._in_doubt:
            self._require_end()
            self._in_doubt = False

    def _require_end(self) -> None:
        """The files may end in our last record, in one that a failed append left, or before: a lost one is a gap, not a fork."""
        attempted = self._interrupted.attempted if self._interrupted is not None else b""
        try:
            ours = {self._head.hash, *(read_line(line)[0].hash for line in _whole_lines(attempted))}
            found, _ = find_head(self.directory)
        except OSError as error:
            raise AuditError(f"{error.filename or self.directory}: {error.strerror}") from error
        if found.seq >= self._head.seq and found.hash not in ours:
            raise taken_over(self.directory)

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def open_writer(
    directory: Path,
    clock: ClockNs,
    *,
    rotate_bytes: int = ROTATE_BYTES,
    closed: Collection[str] = (),
    with_tree: bool = False,
) -> ChainWriter:
    """Continue the first free chain in `directory`, or begin one. See `ChainWriter`.

    Args:
        closed: chains that must not go on.
        with_tree: whether checkpoints are to be made of it.

    Raises:
        AuditError: no chain can be opened, or the one found is damaged.
    """
    try:
        chain, lock = claim_chain(directory, closed)
    except OSError as error:
        raise AuditError(f"{error.filename or directory}: {error.strerror}") from error
    return continue_chain(chain, lock, clock, rotate_bytes=rotate_bytes, with_tree=with_tree)


def continue_chain(
    chain: Path,
    lock: ChainLock,
    clock: ClockNs,
    *,
    rotate_bytes: int = ROTATE_BYTES,
    with_tree: bool = False,
) -> ChainWriter:
    """Go on with a chain whose lock is ours; the lock is released where that cannot be.

    Raises:
        AuditError: the chain is damaged.
    """
    try:
        head, torn = find_head(chain)
        if torn is not None:
            head = repair(head, torn, clock() // 1000)
        tree = read_tree(chain, head) if with_tree else None
    except BaseException as error:
        lock.release()
        if isinstance(error, OSError):
            raise AuditError(f"{error.filename or chain}: {error.strerror}") from error
        raise
    return ChainWriter(chain, lock, head, clock, rotate_bytes=rotate_bytes, tree=tree)


def _whole_lines(data: bytes) -> list[bytes]:
    return [line for line in data.splitlines(keepends=True) if len(line) > 1]


def _day(sealed: _Sealed) -> str:
    return record_time(sealed[2].time_us)[:10]
