"""DuckDB, shut in: it reads the directories that it is given and nothing else, loads no extension, and keeps what does not fit
into memory in a directory of its own, for as long as it runs.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from vaultsigner.errors import AuditError

MEMORY = "512MB"
ROWS_AT_A_TIME = 500
WARM = "warm"
"""The engine's own database, in its scratch directory; ends with it."""


class Engine:
    """A running DuckDB. See `open_engine`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, scratch: Path) -> None:
        self._connection = connection
        self._links: dict[Path, Path] = {}
        self._scratch = scratch

    def within(self, directory: Path) -> Path:
        """Where the engine finds a directory: DuckDB takes a path for a pattern, and a directory may have a star in its name."""
        if directory not in self._links:
            link = self._scratch / f"chain-{len(self._links)}"
            link.symlink_to(directory.resolve(), target_is_directory=True)
            self._links[directory] = link
        return self._links[directory]

    def rows(self, query: str, parameters: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
        """What a query finds, some rows at a time.

        Raises:
            AuditError: it finds nothing, for what it needs cannot be read.
        """
        try:
            result = self._connection.cursor().execute(query, parameters)
            while rows := result.fetchmany(ROWS_AT_A_TIME):
                yield from rows
        except duckdb.Error as error:
            raise AuditError(f"the records cannot be searched: {self._told(error)}") from error

    def _told(self, error: duckdb.Error) -> str:
        """Its first line, with the directories as they were named."""
        words = str(error).splitlines()[0]
        for directory, link in self._links.items():
            words = words.replace(f"{link}/", f"{directory}/")
        return words


@contextmanager
def open_engine(directories: Sequence[Path], memory: str = MEMORY) -> Iterator[Engine]:
    """For `with`.

    Args:
        directories: what it may read, and all below.

    Raises:
        AuditError: DuckDB does not start.
    """
    with tempfile.TemporaryDirectory(prefix="vaultsigner-query-") as scratch:
        try:
            connection = duckdb.connect(
                config={
                    "autoinstall_known_extensions": False,
                    "autoload_known_extensions": False,
                    "memory_limit": memory,
                    "temp_directory": f"{scratch}/spill",
                }
            )
            connection.execute(f"ATTACH '{scratch}/{WARM}.db' AS {WARM}")
            # It looks where a link leads before it says yes.
            allowed = [f"{scratch}/", *(f"{directory.resolve()}/" for directory in directories)]
            connection.execute("SET allowed_directories = ?", [allowed])
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
        except duckdb.Error as error:
            raise AuditError(f"DuckDB does not start: {str(error).splitlines()[0]}") from error
        try:
            yield Engine(connection, Path(scratch))
        finally:
            connection.close()
