"""Looks things up in the files as they are, with DuckDB: any number of them, in bounded memory, over all cores.

Nothing is proved here, as in `reading`. Every value that somebody types is a bound parameter. DuckDB may read the chains'
directories and nothing else, loads no extension, and keeps what does not fit into memory in a directory of its own, for as long
as the query takes.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from heapq import merge
from pathlib import Path
from typing import Any, LiteralString

import duckdb

from vaultsigner.audit.chain_files import ChainFiles
from vaultsigner.audit.filters import Filters, moment_text
from vaultsigner.errors import AuditError

__all__ = ["Counts", "Filters", "Found", "RecordQueries", "open_queries"]

MEMORY = "512MB"
MOST_KEPT = 100_000
"""Of the latest records that a query may ask for; they are held in memory. All of them are not."""
ROWS_AT_A_TIME = 500
VALUES_TOLD = 50
_TARGET_KINDS = ("wallet", "exchange", "open_api")
# What filters look at. A member of another type, which no record of ours has, counts as absent.
_MEMBERS = """{
  "time": "VARCHAR", "chain": "VARCHAR", "seq": "UBIGINT", "kind": "VARCHAR", "request_id": "VARCHAR",
  "principal": {"type": "VARCHAR", "name": "VARCHAR"}, "operation": "VARCHAR",
  "wallet": "VARCHAR", "exchange": "VARCHAR", "open_api": "VARCHAR", "code": "VARCHAR",
  "decision": {"effect": "VARCHAR", "rule": "VARCHAR"},
  "intent": {"amount": "VARCHAR", "items": [{"amount": "VARCHAR"}]}
}"""
_RECORDS = "(SELECT json, json_transform(json, $members) AS r FROM read_ndjson_objects($files, ignore_errors = true))"
_AMOUNTS = """try_cast(list_concat([r.intent.amount], list_transform(r.intent.items, lambda item: item.amount))
  AS DECIMAL(38, 18)[])"""
_PLACE = "r.time || r.chain || lpad(r.seq::VARCHAR, 20, '0')"
_GROUPS: dict[str, LiteralString] = {
    "day": "r.time[:10]",
    "kind": "r.kind",
    "operation": "r.operation",
    "principal": "r.principal.type || ':' || r.principal.name",
    "target": "coalesce('wallet:' || r.wallet, 'exchange:' || r.exchange, 'open_api:' || r.open_api)",
    "effect": "r.decision.effect",
    "rule": "r.decision.rule",
    "code": "r.code",
}


@dataclass(slots=True)
class Found:
    """Lines, each a whole record as it was written, without its newline, in the order of their times.

    Args:
        unreadable: lines that are no JSON, and half a line at the end of a file; known once all others have been taken.
    """

    lines: Iterator[str] = field(default_factory=lambda: iter(()))
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records there are.

    Args:
        first, last: their times, as they are written.
        by: for each of day, kind, operation, principal, target, effect, rule and code, how many have which; the most frequent 50,
            days in their order.
        unreadable: see `Found`.
    """

    records: int
    first: str | None
    last: str | None
    by: dict[str, dict[str, int]]
    unreadable: int


class RecordQueries:
    """Asks the files of some chains. See `open_queries`."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, chains: Sequence[ChainFiles], links: Mapping[Path, Path]
    ) -> None:
        self._connection = connection
        self._chains = chains
        self._links = links

    def find(self, filters: Filters, latest: int | None = None) -> Found:
        """All records that fit, or the latest of them.

        Raises:
            AuditError: the files cannot be read.
        """
        if latest is None:
            found = Found()
            streams = [self._chain(chain, filters, found) for chain in self._chains]
            found.lines = (line for _, _, line in merge(*streams))
            return found
        parameters = self._parameters(filters, self._chains)
        if not parameters["files"]:
            return Found()
        where, parameters["latest"] = _where(filters, parameters), min(latest, MOST_KEPT)
        ((lines, unreadable),) = self._rows(
            f"SELECT arg_max(json, {_PLACE}, $latest) FILTER (WHERE json IS NOT NULL), "  # noqa: S608 - made of our own texts
            f"count(*) FILTER (WHERE json IS NULL) FROM {_RECORDS} WHERE json IS NULL OR ({where})",
            parameters,
        )
        return Found(reversed(lines or []), unreadable)

    def _chain(self, chain: ChainFiles, filters: Filters, found: Found) -> Iterator[tuple[str, str, str]]:
        """Time, chain and line of what fits in a chain. Its files are in the order of time already: nothing is sorted."""
        parameters = self._parameters(filters, [chain])
        if parameters["files"]:
            where = _where(filters, parameters)
            query = f"SELECT r.time, json FROM {_RECORDS} WHERE json IS NULL OR ({where})"  # noqa: S608 - as above
            for time, line in self._rows(query, parameters):
                if line is None:
                    found.unreadable += 1
                else:
                    yield time or "", chain.name, line

    def count(self, filters: Filters) -> Counts:
        """How many records fit, by what they are.

        Raises:
            AuditError: the files cannot be read.
        """
        parameters = self._parameters(filters, self._chains)
        by: dict[str, dict[str, int]] = {name: {} for name in _GROUPS}
        if not parameters["files"]:
            return Counts(0, None, None, by, 0)
        columns = ", ".join(f"{text} AS g{number}" for number, text in enumerate(_GROUPS.values()))
        names = [f"g{number}" for number in range(len(_GROUPS))]
        sets = ", ".join(f"({name})" for name in names)
        rows = self._rows(
            f"""SELECT grouping({", ".join(names)}) AS which, coalesce({", ".join(names)}) AS value, count(json) AS records,
                  min(time), max(time), count(*) - count(json) AS unreadable
                FROM (SELECT json, r.time AS time, {columns} FROM {_RECORDS}
                      WHERE json IS NULL OR ({_where(filters, parameters)}))
                GROUP BY GROUPING SETS ((), {sets})
                QUALIFY row_number() OVER (PARTITION BY which ORDER BY value IS NULL, records DESC, value) <= $values
                ORDER BY which, records DESC, value""",  # noqa: S608 - as above
            {**parameters, "values": VALUES_TOLD},
        )
        everything = (1 << len(_GROUPS)) - 1
        masks = {everything ^ 1 << len(_GROUPS) - 1 - number: name for number, name in enumerate(_GROUPS)}
        records, first, last, unreadable = 0, None, None, 0
        for which, value, count, begin, end, broken in rows:
            if which == everything:
                records, first, last, unreadable = count, begin, end, broken
            elif value is not None:
                by[masks[which]][value] = count
        by["day"] = dict(sorted(by["day"].items()))
        return Counts(records, first, last, by, unreadable)

    def _parameters(self, filters: Filters, chains: Sequence[ChainFiles]) -> dict[str, Any]:
        files = [
            str(self._links[chain.directory] / name) for chain in chains for name in _names(chain, filters)
        ]
        return {"files": files, "members": _MEMBERS}

    def _rows(self, query: str, parameters: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
        try:
            result = self._connection.cursor().execute(query, parameters)
            while rows := result.fetchmany(ROWS_AT_A_TIME):
                yield from rows
        except duckdb.Error as error:
            raise AuditError(f"the records cannot be searched: {str(error).splitlines()[0]}") from error


@contextmanager
def open_queries(chains: Sequence[ChainFiles], memory: str = MEMORY) -> Iterator[RecordQueries]:
    """For `with`.

    Raises:
        AuditError: DuckDB does not start.
    """
    with tempfile.TemporaryDirectory(prefix="vaultsigner-query-") as spill:
        try:
            connection = duckdb.connect(
                config={
                    "autoinstall_known_extensions": False,
                    "autoload_known_extensions": False,
                    "memory_limit": memory,
                    "temp_directory": f"{spill}/spill",
                }
            )
            links = _link(chains, Path(spill))
            # It looks where a link leads before it says yes.
            allowed = [f"{spill}/", *(f"{chain.directory.resolve()}/" for chain in chains)]
            connection.execute("SET allowed_directories = ?", [allowed])
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
        except duckdb.Error as error:
            raise AuditError(f"DuckDB does not start: {str(error).splitlines()[0]}") from error
        try:
            yield RecordQueries(connection, chains, links)
        finally:
            connection.close()


def _link(chains: Sequence[ChainFiles], directory: Path) -> dict[Path, Path]:
    """A link to each chain's directory: DuckDB takes a path for a pattern, and a directory may have a star in its name."""
    links: dict[Path, Path] = {}
    for number, chain in enumerate(chains):
        links[chain.directory] = directory / f"chain-{number}"
        links[chain.directory].symlink_to(chain.directory.resolve(), target_is_directory=True)
    return links


def _names(chain: ChainFiles, filters: Filters) -> list[str]:
    """Files that may have what is asked for. A repair is written into the file that was torn, on a later day perhaps."""
    names = [file.path.name for file in chain.files if file.size]
    if filters.until is not None:
        names = [name for name in names if name[:10] <= _day(filters.until)]
    if filters.since is not None:
        before = [name for name in names if name[:10] < _day(filters.since)]
        names = names[max(len(before) - 1, 0) :]
    return names


def _where(filters: Filters, parameters: dict[str, Any]) -> str:
    """The condition; its values are added to the parameters."""
    plain: dict[LiteralString, object] = {
        "r.time >= $since": filters.since and moment_text(filters.since),
        "r.time < $until": filters.until and moment_text(filters.until),
        "r.kind = $kind": filters.kind,
        "r.request_id = $request_id": filters.request_id,
        "r.operation GLOB $operation": filters.operation,
        "r.decision.effect = $effect": filters.effect,
        "r.decision.rule = $rule": filters.rule,
        "r.code = $code": filters.code,
        f"list_max({_AMOUNTS}) > $above::DECIMAL(38, 18)": _decimal(filters.amount_above),
        f"list_min({_AMOUNTS}) < $below::DECIMAL(38, 18)": _decimal(filters.amount_below),
    }
    conditions = [text for text, value in plain.items() if value is not None]
    for text, value in plain.items():
        if value is not None:
            parameters[text.rpartition("$")[2].partition(":")[0]] = value
    if filters.principal is not None:
        kind, colon, name = filters.principal.partition(":")
        conditions.append("r.principal.name = $principal")
        parameters["principal"] = name if colon else kind
        if colon:
            conditions.append("r.principal.type = $principal_type")
            parameters["principal_type"] = kind
    if filters.target is not None:
        kind, colon, name = filters.target.partition(":")
        known = [each for each in _TARGET_KINDS if not colon or each == kind]
        conditions.append(f"({' OR '.join(f'r.{each} = $target' for each in known) or 'false'})")
        if known:
            parameters["target"] = name if colon else kind
    return " AND ".join(conditions) or "true"


def _day(moment: datetime) -> str:
    return moment_text(moment)[:10]


def _decimal(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"
