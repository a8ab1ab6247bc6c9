"""What filters look at of closed files, kept in a table of the engine's own for as long as it runs: they change no more.

The table is a file in the engine's scratch directory, some 25 bytes a record. It has no records: what a query finds there is read
from the chain's file, by its number.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vaultsigner.audit.files.chain_files import ChainFiles, DayFile, read_lines
from vaultsigner.audit.files.record_lines import first_seq, seq_of
from vaultsigner.audit.searching.engine import WARM, Engine
from vaultsigner.audit.searching.record_conditions import COLUMNS, MEMBERS
from vaultsigner.errors import AuditError

LOADING_SECONDS = 15.0
"""For one question. What is loaded by then stays, so that the question can be answered when it is asked again."""
TABLE = f"{WARM}.records"


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A file in the table, as it was then."""

    number: int
    size: int
    modified_ns: int
    inode: int


class WarmRecords:
    """The table, and which files are in it."""

    def __init__(self, engine: Engine, *, loading_seconds: float = LOADING_SECONDS) -> None:
        self._engine = engine
        self._loading_seconds = loading_seconds
        self._loaded: dict[Path, _Loaded] = {}
        self._inserted = 0
        columns = ", ".join(
            f"{name} {'UBIGINT' if name == 'seq' else 'DECIMAL(38, 18)' if name in ('most', 'least') else 'VARCHAR'}"
            for name in COLUMNS
        )
        self._run(f"CREATE TABLE {TABLE} (file INTEGER, broken BOOLEAN, {columns})", {})

    def load(self, wanted: Sequence[tuple[ChainFiles, DayFile]]) -> Mapping[DayFile, int]:
        """Have the closed ones of these files in the table; answers them with their numbers there.

        Raises:
            AuditError: that takes too long for one question, or a file cannot be read.
        """
        closed = [(chain, file) for chain, file in wanted if file != chain.files[-1]]
        begun, inserted = time.monotonic(), self._inserted
        found: dict[DayFile, int] = {}
        for chain, file in closed:
            if self._inserted > inserted and time.monotonic() - begun > self._loading_seconds:
                raise AuditError(
                    f"{len(found)} of {len(closed)} files have been looked through for the first time: "
                    "ask again, or narrow the time"
                )
            found[file] = self._number_of(chain, file)
        return found

    def lines(self, wanted: Sequence[tuple[int, int]]) -> dict[tuple[int, int], str]:
        """The lines of records.

        Args:
            wanted: each by its file's number and its own.

        Raises:
            AuditError: a file cannot be read.
        """
        paths = {loaded.number: path for path, loaded in self._loaded.items()}
        found: dict[tuple[int, int], str] = {}
        for number in {file for file, _ in wanted}:
            path = paths[number]
            seqs = {seq for file, seq in wanted if file == number}
            for seq, line in _lines_of(DayFile(path, path.stat().st_size), seqs).items():
                found[number, seq] = line
        return found

    def _number_of(self, chain: ChainFiles, file: DayFile) -> int:
        try:
            status = file.path.stat()
        except OSError as error:
            raise AuditError(f"{file.path}: {error.strerror}") from error
        known = self._loaded.get(file.path)
        now = (status.st_size, status.st_mtime_ns, status.st_ino)
        if known is not None and (known.size, known.modified_ns, known.inode) == now:
            return known.number
        if known is not None:
            del self._loaded[file.path]
            self._run(f"DELETE FROM {TABLE} WHERE file = $file", {"file": known.number})  # noqa: S608 - our own text
        self._inserted += 1
        loaded = _Loaded(self._inserted, *now)
        self._insert(str(self._engine.within(chain.directory) / file.path.name), loaded.number)
        self._loaded[file.path] = loaded
        return loaded.number

    def _insert(self, path: str, number: int) -> None:
        columns = ", ".join(COLUMNS.values())
        self._run(
            f"INSERT INTO {TABLE} SELECT $file, json IS NULL, {columns} "  # noqa: S608 - made of our own texts
            "FROM (SELECT json, json_transform(json, $members) AS r FROM read_ndjson_objects($path, ignore_errors = true))",
            {"file": number, "members": MEMBERS, "path": path},
        )

    def _run(self, query: str, parameters: dict[str, object]) -> None:
        for _ in self._engine.rows(query, parameters):
            pass


def _lines_of(file: DayFile, seqs: set[int]) -> dict[int, str]:
    """The lines with these numbers: where they should be, or (in a file that somebody was at) wherever they are."""
    first, last = first_seq(file), max(seqs)
    found: dict[int, str] = {}
    for place, line in enumerate(read_lines(file), start=first):
        if place in seqs and seq_of(line) == place:
            found[place] = _text(line)
        if place > last:
            break
    if len(found) < len(seqs):
        for line in read_lines(file):
            seq = seq_of(line)
            if seq in seqs:
                found[seq] = _text(line)
    return found


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\n")
