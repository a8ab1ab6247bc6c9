"""What those who review the record ask for: users with the role auditor or operator. Every answer is on the record as well."""

from collections.abc import Awaitable, Callable
from typing import Any

from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.refusals import Refusal
from vaultsigner.signing.auditing import Auditing, Told
from vaultsigner.signing.calls import Answer, AnswerBody, Call, Streamed
from vaultsigner.signing.full_limits import FullLimits
from vaultsigner.signing.record_streams import LiveBody
from vaultsigner.signing.steering import Steering
from vaultsigner.signing.suspensions import NO_REVIEWER, is_reviewer
from vaultsigner.signing.trail import Trail

CSV_HEADERS = (
    ("Content-Type", "text/csv; charset=utf-8"),
    ("Content-Disposition", 'attachment; filename="records.csv"'),
)
LIVE_HEADERS = (("Content-Type", "application/x-ndjson"), ("X-Accel-Buffering", "no"))


class Reviewing(Steering):
    """The part of the service that shows its record."""

    def __init__(self, *, auditing: Auditing, full_limits: FullLimits, **steering: Any) -> None:
        super().__init__(**steering)
        self._auditing = auditing
        self._full_limits = full_limits

    async def audit_summary(self, call: Call) -> Answer | Refusal:
        """What happened over time."""
        return await self._review(call, lambda _trail: self._auditing.summary(call.query))

    async def audit_records(self, call: Call) -> Answer | Refusal:
        """The latest records that fit."""
        return await self._review(call, lambda _trail: self._auditing.records(call.query))

    async def audit_record(self, call: Call, chain: str, seq: str) -> Answer | Refusal:
        """One record, with its proof and the others of its request."""
        return await self._review(call, lambda _trail: self._auditing.record(chain, seq))

    async def audit_chains(self, call: Call) -> Answer | Refusal:
        """How each chain and each anchor is."""
        return await self._review(call, lambda _trail: self._auditing.chains())

    async def limits(self, call: Call) -> Answer | Refusal:
        """How full the limits of policy are."""

        async def told(trail: Trail) -> Told:
            found: JsonValue = await self._full_limits.listed(trail.policies)
            return Told(found)

        return await self._review(call, told)

    async def audit_csv(self, call: Call) -> Streamed | Refusal:
        """All records that fit, as a file for spreadsheets."""
        return await self._desk.serve(call, self._export)

    async def audit_live(self, call: Call) -> Streamed | Refusal:
        """The records that come."""
        return await self._desk.serve(call, self._watch_records)

    def hang_up(self) -> None:
        """No live stream goes on: the service is about to stop."""
        self._auditing.hang_up()

    async def _review(
        self, call: Call, step: Callable[[Trail], Awaitable[Told | Refusal]]
    ) -> Answer | Refusal:
        return await self._desk.serve(call, lambda trail: self._reviewed(trail, step))

    async def _reviewed(
        self, trail: Trail, step: Callable[[Trail], Awaitable[Told | Refusal]]
    ) -> Answer | Refusal:
        refused = await self._refuse_stranger(trail)
        if refused is not None:
            return refused
        found = await step(trail)
        if isinstance(found, Refusal):
            return await self._desk.refuse(trail, found)
        return Answer(found.body, audit=await self._journal.answered(trail, found.noted))

    async def _export(self, trail: Trail) -> Streamed | Refusal:
        refused = await self._refuse_stranger(trail)
        if refused is not None:
            return refused
        export = await self._auditing.export(trail.call.query)
        if isinstance(export, Refusal):
            return await self._desk.refuse(trail, export)
        return await self._streamed(trail, export, CSV_HEADERS, "an export of records")

    async def _watch_records(self, trail: Trail) -> Streamed | Refusal:
        refused = await self._refuse_stranger(trail)
        if refused is not None:
            return refused
        watch = await self._auditing.watch()

        async def ended(count: int) -> None:
            await self._journal.answered(trail, f"a live stream ended: {count} records")

        return await self._streamed(trail, LiveBody(watch, ended), LIVE_HEADERS, "a live stream begins")

    async def _streamed(
        self, trail: Trail, body: AnswerBody, headers: tuple[tuple[str, str], ...], noted: str
    ) -> Streamed:
        try:
            position = await self._journal.answered(trail, noted)
        except BaseException:
            body.close()
            raise
        return Streamed(200, headers, body, audit=position)

    async def _refuse_stranger(self, trail: Trail) -> Refusal | None:
        """None for reviewers; any other refusal is on the record already."""
        caller = await self._counted_caller(trail, fresh=True)
        if isinstance(caller, Refusal):
            return caller
        return None if is_reviewer(caller) else await self._desk.refuse(trail, NO_REVIEWER)
