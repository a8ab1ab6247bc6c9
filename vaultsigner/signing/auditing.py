"""What those who may read the record can ask of it. Who asks is known, and may, before anything here is called."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from vaultsigner.audit.searching.filters import Filters, moment_text
from vaultsigner.audit.searching.live import LiveRecords, Watch
from vaultsigner.audit.searching.overview import chains_overview
from vaultsigner.audit.searching.query_client import Export, QueryClient, QueryError
from vaultsigner.audit.searching.summaries import MOST_STEPS, period_of
from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import AuditError
from vaultsigner.signing.clock import Clock
from vaultsigner.signing.json_bodies import UnusableBodyError
from vaultsigner.signing.record_filters import (
    FILTERS,
    read_count,
    read_filters,
    read_parameters,
    unusable,
)
from vaultsigner.signing.vouching import Vouching

USUAL_PERIOD = timedelta(days=1)
USUAL_STEPS = 60
USUAL_RECORDS = 100
MOST_RECORDS = 1000
_LAST_MOMENT = datetime.max.replace(tzinfo=UTC) - timedelta(microseconds=1)
_CHAIN = re.compile(r"[0-9a-f]{16}")
_SEQ = re.compile(r"[1-9][0-9]{0,17}")
_PLACE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z[0-9a-f]{16}\d{20}", re.ASCII)
NO_SUCH_RECORD = Refusal("record_not_found", "There is no such record in this chain")


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, and what the record is to say of it."""

    body: JsonValue
    noted: str | None = None


class Auditing:
    """Answers about the record. A process of its own searches it; this one only reads the ends of files.

    Args:
        directory: where the chains are.
        own_chain: the one that this process writes.
        vouching: what vouches for the record.
        queries: asks the process that searches.
        live: finds what is new.
    """

    def __init__(
        self,
        directory: Path,
        own_chain: str,
        vouching: Vouching,
        clock: Clock,
        *,
        queries: QueryClient | None = None,
        live: LiveRecords | None = None,
    ) -> None:
        self._directory = directory
        self._own_chain = own_chain
        self._clock = clock
        self._vouching = vouching
        self._queries = queries or QueryClient(directory)
        self._live = live or LiveRecords(directory)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Auditing"]:
        """For `async with`: what is running for it ends with it."""
        try:
            yield self
        finally:
            await self._live.close()
            await self._queries.close()

    def hang_up(self) -> None:
        """End all live streams, for the service is about to stop."""
        self._live.hang_up()

    async def summary(self, query: bytes) -> Told | Refusal:
        """What happened over time.

        Raises:
            QueryError: the record cannot be searched now.
        """
        try:
            parameters = read_parameters(query, (*FILTERS, "buckets"))
            filters = read_filters(parameters)
            steps = read_count(parameters, "buckets", USUAL_STEPS, MOST_STEPS)
            until = filters.until or self._now()
            since = filters.since or until - USUAL_PERIOD
            if since >= until:
                raise unusable("since", "this is not before until")
            _check_steps(since, until, steps)
        except UnusableBodyError as error:
            return error.refusal
        asked = replace(filters, since=None, until=None).document()
        period = {"since": moment_text(since), "until": moment_text(until), "steps": steps}
        _, document = await self._queries.ask("summary", filters=asked, **period)
        return Told(document, f"a summary of {document['records']} records")

    async def records(self, query: bytes) -> Told | Refusal:
        """The latest records that fit, newest first.

        Raises:
            QueryError: as for `summary`.
        """
        try:
            parameters = read_parameters(query, (*FILTERS, "latest", "before"))
            filters = read_filters(parameters)
            latest = read_count(parameters, "latest", USUAL_RECORDS, MOST_RECORDS)
            before = parameters.get("before")
            narrowed = _until(filters, before)
        except UnusableBodyError as error:
            return error.refusal
        question: dict[str, Any] = {"filters": narrowed.document(), "latest": latest}
        if before is not None:
            question["before"] = before
        lines, end = await self._queries.ask("records", **question)
        return Told({"records": [json.loads(line) for line in lines], **end}, f"{len(lines)} records")

    async def export(self, query: bytes) -> Export | Refusal:
        """All records that fit, as a file for spreadsheets.

        Raises:
            QueryError: as for `summary`.
        """
        try:
            filters = read_filters(read_parameters(query, FILTERS))
        except UnusableBodyError as error:
            return error.refusal
        return await self._queries.export("csv", filters=filters.document())

    async def record(self, chain: str, seq: str) -> Told | Refusal:
        """One record in full, with its proof.

        Raises:
            QueryError: as for `summary`.
        """
        if _CHAIN.fullmatch(chain) is None or _SEQ.fullmatch(seq) is None:
            return NO_SUCH_RECORD
        _, found = await self._queries.ask("record", chain=chain, seq=int(seq))
        if found is None:
            return NO_SUCH_RECORD
        document: dict[str, JsonValue] = {
            "record": json.loads(found["line"]),
            **found,
            "keys": [*await self._vouching.keys()],
            "related": [json.loads(line) for line in found["related"]],
        }
        return Told(document, f"record {chain}:{seq}")

    async def chains(self) -> Told:
        """How the chains and the anchors are.

        Raises:
            QueryError: the files cannot be read.
        """
        try:
            chains = await asyncio.to_thread(chains_overview, self._directory, self._own_chain)
        except AuditError as error:
            raise QueryError(f"The chains cannot be looked at: {error}") from error
        document: dict[str, JsonValue] = {
            "problem": self._vouching.problem,
            "chains": [*chains],
            "anchors": [*self._vouching.anchors()],
            "keys": [*await self._vouching.keys()],
        }
        return Told(document)

    async def watch(self) -> Watch:
        """What is recorded from now on.

        Raises:
            QueryBusyError, QueryError: too many watch, or the files cannot be read.
        """
        return await self._live.watch()

    def _now(self) -> datetime:
        """Up to the whole second that is under way."""
        return datetime.fromtimestamp(self._clock.milliseconds() // 1000 + 1, UTC)


def _until(filters: Filters, before: str | None) -> Filters:
    """Files of later days need not be looked at.

    Raises:
        UnusableBodyError: `before` is no place.
    """
    if before is None:
        return filters
    try:
        moment = datetime.fromisoformat(before[:27]) if _PLACE.fullmatch(before) else None
    except ValueError:
        moment = None
    if moment is None:
        raise unusable("before", "this is no `next` of an earlier answer")
    moment = min(moment, _LAST_MOMENT) + timedelta(microseconds=1)
    return replace(filters, until=moment if filters.until is None else min(moment, filters.until))


def _check_steps(since: datetime, until: datetime, steps: int) -> None:
    """Raises:
    UnusableBodyError: the last step would end after all time that there is.
    """
    try:
        _ = period_of(since, until, steps).until
    except OverflowError:
        raise unusable("until", "this is too far away") from None
