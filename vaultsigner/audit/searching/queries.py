"""Looks things up in the files as they are, with DuckDB: any number of them, in bounded memory, over all cores.

Nothing is proved here, as in `reading`. Every value that somebody types is a bound parameter. DuckDB may read the chains'
directories and nothing else: see `engine`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from heapq import merge
from typing import Any, LiteralString

from vaultsigner.audit.files.chain_files import ChainFiles, DayFile
from vaultsigner.audit.searching.engine import MEMORY, Engine, open_engine
from vaultsigner.audit.searching.filters import Filters, moment_text
from vaultsigner.audit.searching.record_conditions import COLUMNS, MEMBERS, PLACE, hints, where
from vaultsigner.audit.searching.warm_records import TABLE, WarmRecords

__all__ = ["Counts", "Filters", "Found", "RecordQueries", "open_queries"]

MOST_KEPT = 100_000
"""Of the latest records that a query may ask for; they are held in memory. All of them are not."""
VALUES_TOLD = 50
_GROUPS: dict[str, LiteralString] = {
    "day": "time[:10]",
    "kind": "kind",
    "operation": "operation",
    "principal": "principal_type || ':' || principal_name",
    "target": "coalesce('wallet:' || wallet, 'exchange:' || exchange, 'open_api:' || open_api)",
    "effect": "effect",
    "rule": "rule",
    "code": "code",
}


@dataclass(slots=True)
class Found:
    """Lines, each a whole record as it was written, without its newline, in the order of their times.

    Args:
        unreadable: lines that are no JSON, and half a line at the end of a file; known once all others have been taken.
        places: of each line, where the latest were asked for: see `PLACE`.
    """

    lines: Iterator[str] = field(default_factory=lambda: iter(()))
    unreadable: int = 0
    places: Sequence[str] = ()


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
    """Asks the files of some chains, as they were when they were found. See `open_queries`."""

    def __init__(self, engine: Engine, chains: Sequence[ChainFiles], warm: WarmRecords | None = None) -> None:
        self.chains = chains
        self._engine = engine
        self._warm = warm

    def find(self, filters: Filters, latest: int | None = None, before: str | None = None) -> Found:
        """All records that fit, or the latest of them.

        Args:
            before: of the latest, those in front of this place, as an earlier answer tells it.

        Raises:
            AuditError: the files cannot be read.
        """
        if latest is None:
            found = Found()
            streams = [self._chain(chain, filters, found) for chain in self.chains]
            found.lines = (line for _, _, line in merge(*streams))
            return found
        parameters = self._parameters(filters, self.chains)
        if not parameters:
            return Found()
        condition, parameters["latest"] = where(filters, parameters), min(latest, MOST_KEPT)
        if before is not None:
            condition, parameters["before"] = f"{condition} AND {PLACE} < $before", before
        ((rows, unreadable),) = self._engine.rows(
            f"SELECT arg_max(struct_pack(json := json, file := file, seq := seq, place := {PLACE}), {PLACE}, $latest) "  # noqa: S608 - our own texts
            f"FILTER (WHERE NOT broken), count(*) FILTER (WHERE broken) FROM {self._source(filters, parameters)} "
            f"WHERE broken OR ({condition})",
            parameters,
        )
        in_order = [*reversed(self._lines(rows or []))]
        return Found((line for _, line in in_order), unreadable, [place for place, _ in in_order])

    def _chain(self, chain: ChainFiles, filters: Filters, found: Found) -> Iterator[tuple[str, str, str]]:
        """Time, chain and line of what fits in a chain. Its files are in the order of time already: nothing is sorted."""
        parameters = self._parameters(filters, [chain])
        if parameters:
            condition = where(filters, parameters)
            source = self._source(filters, parameters)
            query = f"SELECT time, json FROM {source} WHERE broken OR ({condition})"  # noqa: S608 - as above
            for time, line in self._engine.rows(query, parameters):
                if line is None:
                    found.unreadable += 1
                else:
                    yield time or "", chain.name, line

    def count(self, filters: Filters) -> Counts:
        """How many records fit, by what they are.

        Raises:
            AuditError: the files cannot be read.
        """
        parameters = self._parameters(filters, self.chains)
        by: dict[str, dict[str, int]] = {name: {} for name in _GROUPS}
        if not parameters:
            return Counts(0, None, None, by, 0)
        columns = ", ".join(f"{text} AS g{number}" for number, text in enumerate(_GROUPS.values()))
        names = [f"g{number}" for number in range(len(_GROUPS))]
        sets = ", ".join(f"({name})" for name in names)
        rows = self._engine.rows(
            f"""SELECT grouping({", ".join(names)}) AS which, coalesce({", ".join(names)}) AS value,
                  count(*) FILTER (WHERE NOT broken) AS records, min(time), max(time),
                  count(*) FILTER (WHERE broken) AS unreadable
                FROM (SELECT broken, time, {columns} FROM {self._source(filters, parameters)}
                      WHERE broken OR ({where(filters, parameters)}))
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

    def relation(self, filters: Filters) -> tuple[str, dict[str, Any]] | None:
        """What fits, for a query of somebody else's: a relation of `broken` and the `COLUMNS`, and its parameters.

        Lines that are no JSON are in it, as broken. None: there is nothing.
        """
        parameters = self._parameters(filters, self.chains)
        if not parameters:
            return None
        source = self._source(filters, parameters)
        text = f"(SELECT * FROM {source} WHERE broken OR ({where(filters, parameters)}))"  # noqa: S608 - as above
        return text, parameters

    def rows(self, query: str, parameters: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
        """See `Engine.rows`."""
        return self._engine.rows(query, parameters)

    def _parameters(self, filters: Filters, chains: Sequence[ChainFiles]) -> dict[str, Any]:
        """The files that may have what is asked for: those to be read, and those that are known already; nothing for none."""
        wanted = [(chain, file) for chain in chains for file in _files(chain, filters)]
        known = {} if self._warm is None else self._warm.load(wanted)
        files = [
            str(self._engine.within(chain.directory) / file.path.name)
            for chain, file in wanted
            if file not in known
        ]
        return {"files": files, "members": MEMBERS, "warm": [*known.values()]} if wanted else {}

    def _source(self, filters: Filters, parameters: dict[str, Any]) -> str:
        """The lines that may fit, each with what filters look at; lines that are no JSON are broken, and come without.

        `json` is null where the line has to be fetched from a file that is known already: `file` tells which.
        """
        read, known = parameters.pop("files"), parameters.pop("warm")
        parts = []
        if read:
            parameters["files"] = read
            columns = ", ".join(f"{text} AS {name}" for name, text in COLUMNS.items())
            parts.append(
                f"SELECT json, NULL::INTEGER AS file, json IS NULL AS broken, {columns} "  # noqa: S608 - as above
                "FROM (SELECT json, json_transform(json, $members) AS r "
                "FROM read_ndjson_objects($files, ignore_errors = true) "
                f"WHERE json IS NULL OR ({hints(filters, parameters)}))"
            )
        else:
            del parameters["members"]
        if known:
            parameters["warm"] = known
            parts.append(
                f"SELECT NULL AS json, file, broken, {', '.join(COLUMNS)} FROM {TABLE} "  # noqa: S608 - as above
                "WHERE file IN (SELECT unnest($warm))"
            )
        return f"({' UNION ALL '.join(parts)})"

    def _lines(self, rows: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
        """The places and the whole lines of what was found."""
        elsewhere = [(row["file"], row["seq"]) for row in rows if row["json"] is None]
        fetched = self._warm.lines(elsewhere) if self._warm is not None else {}
        lines = ((row["place"], row["json"] or fetched.get((row["file"], row["seq"]))) for row in rows)
        return [(place, line) for place, line in lines if line is not None]


@contextmanager
def open_queries(chains: Sequence[ChainFiles], memory: str = MEMORY) -> Iterator[RecordQueries]:
    """For `with`.

    Raises:
        AuditError: DuckDB does not start.
    """
    with open_engine([chain.directory for chain in chains], memory) as engine:
        yield RecordQueries(engine, chains)


def _files(chain: ChainFiles, filters: Filters) -> list[DayFile]:
    """Files that may have what is asked for. A repair is written into the file that was torn, on a later day perhaps."""
    files = [file for file in chain.files if file.size]
    if filters.until is not None:
        files = [file for file in files if file.path.name[:10] <= _day(filters.until)]
    if filters.since is not None:
        before = [file for file in files if file.path.name[:10] < _day(filters.since)]
        files = files[max(len(before) - 1, 0) :]
    return files


def _day(moment: datetime) -> str:
    return moment_text(moment)[:10]
