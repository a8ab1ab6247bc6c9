"""What happened over time: requests allowed, waiting and refused, in steps of equal length, and who asked for what."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, LiteralString

from vaultsigner.audit.searching.filters import Filters, moment_text
from vaultsigner.audit.searching.queries import RecordQueries

MOST_STEPS = 500
VALUES_TOLD = 20
MOST_REQUESTS = 1_000_000
"""So many requests are told apart where a filter concerns intents."""
READING = ("audit.*", "limit.*")
"""Operations that only look. They are on the record too, and left out of summaries: a plot must not grow from being watched."""

# The answer to a request is in its outcome, or in a refusal of what never meant anything; what policy said is in the intent.
_ANSWER = "kind IN ('outcome', 'request')"
_GROUPS: dict[str, LiteralString] = {
    "principal": "CASE WHEN answer THEN principal_type || ':' || principal_name END",
    "target": "CASE WHEN answer THEN coalesce('wallet:' || wallet, 'exchange:' || exchange, 'open_api:' || open_api) END",
    "operation": "CASE WHEN answer THEN operation END",
    "rule": "CASE WHEN kind = 'intent' THEN rule END",
    "code": "CASE WHEN answer THEN code END",
}


@dataclass(frozen=True, slots=True)
class Period:
    """From `since`, in `steps` of `step_seconds` each."""

    since: datetime
    step_seconds: int
    steps: int

    @property
    def until(self) -> datetime:
        """Where the last step ends."""
        return self.since + timedelta(seconds=self.step_seconds * self.steps)


def period_of(since: datetime, until: datetime, steps: int) -> Period:
    """At most so many steps of whole seconds that cover the time between."""
    step_seconds = max(-(-int((until - since).total_seconds()) // steps), 1)
    return Period(since, step_seconds, max(-(-int((until - since).total_seconds()) // step_seconds), 1))


def summarise(queries: RecordQueries, filters: Filters, period: Period) -> dict[str, Any]:
    """What happened, as a document.

    Args:
        filters: `since` and `until` are the period's. What only intents have (rule, effect, amounts) chooses requests, whose
            answers are then counted.

    Raises:
        AuditError: the files cannot be read.
    """
    narrowed = replace(filters, since=period.since, until=min(period.until, filters.until or period.until))
    buckets: list[dict[str, Any]] = [
        {"start": moment_text(_start(period, number)), "allowed": 0, "waiting": 0, "refused": {}}
        for number in range(period.steps)
    ]
    by: dict[str, dict[str, int]] = {name: {} for name in _GROUPS}
    records = unreadable = 0
    relation = _relation(queries, narrowed)
    for name, step, value, count in [] if relation is None else _counted(queries, *relation, filters, period):
        if name == "records":
            records = count
        elif name == "unreadable":
            unreadable = count
        elif name != "answers":
            by[name][value] = count
        elif step is not None and 0 <= step < period.steps:
            _add(buckets[step], value, count)
    return {
        "since": moment_text(period.since),
        "until": moment_text(period.until),
        "bucket_seconds": period.step_seconds,
        "buckets": buckets,
        "by": by,
        "records": records,
        "unreadable": unreadable,
    }


def _relation(queries: RecordQueries, filters: Filters) -> tuple[str, dict[str, Any]] | None:
    """The records that count, and the query's parameters."""
    about_answers = replace(filters, rule=None, effect=None, amount_above=None, amount_below=None)
    if about_answers == filters:
        return queries.relation(filters)
    # The code is the answer's, and the rule is the intent's: no record has both.
    chosen = queries.relation(replace(filters, code=None))
    relation = queries.relation(about_answers)
    if chosen is None or relation is None:
        return None
    intents, parameters = chosen
    ids = [
        request_id
        for (request_id,) in queries.rows(
            f"SELECT DISTINCT request_id FROM {intents} WHERE NOT broken AND kind = 'intent' LIMIT {MOST_REQUESTS}",  # noqa: S608 - our own texts
            parameters,
        )
    ]
    text, parameters = relation
    chosen_too = f"(SELECT * FROM {text} WHERE broken OR request_id IN (SELECT unnest($request_ids)))"  # noqa: S608 - as above
    return chosen_too, {**parameters, "request_ids": ids}


def _counted(
    queries: RecordQueries, relation: str, parameters: dict[str, Any], filters: Filters, period: Period
) -> list[tuple[str, int | None, str, int]]:
    """Name of the count, step, value, how many."""
    columns = ", ".join(f"{text} AS {name}" for name, text in _GROUPS.items())
    parts = " UNION ALL ".join(
        f"(SELECT '{name}', NULL, {name}, count(*) FROM told WHERE {name} IS NOT NULL "  # noqa: S608 - made of our own texts
        f"GROUP BY {name} ORDER BY count(*) DESC, {name} LIMIT {VALUES_TOLD})"
        for name in _GROUPS
    )
    looks = " OR ".join(f"operation GLOB '{pattern}'" for pattern in READING)
    left_out = "false" if filters.operation is not None else f"coalesce({looks}, false)"
    query = f"""WITH told AS MATERIALIZED (
        SELECT broken, kind, step, answer, {columns} FROM (
          SELECT *, {_ANSWER} AND code IS NOT NULL AS answer,
            (epoch_us(try_cast(time AS TIMESTAMP)) - $begin_us) // $step_us AS step
          FROM (SELECT broken, time, kind, code, rule, principal_type, principal_name, operation, wallet, exchange, open_api
                FROM {relation}) WHERE broken OR NOT {left_out}))
      SELECT 'answers', step, code, count(*) FROM told WHERE answer GROUP BY step, code
      UNION ALL SELECT 'records', NULL, NULL, count(*) FROM told WHERE NOT broken
      UNION ALL SELECT 'unreadable', NULL, NULL, count(*) FROM told WHERE broken
      UNION ALL {parts}"""  # noqa: S608 - as above
    begin_us = int(period.since.timestamp()) * 1_000_000 + period.since.microsecond
    step_us = period.step_seconds * 1_000_000
    return list(queries.rows(query, {**parameters, "begin_us": begin_us, "step_us": step_us}))


def _add(bucket: dict[str, Any], code: str, count: int) -> None:
    if code == "ok":
        bucket["allowed"] += count
    elif code == "approval_required":
        bucket["waiting"] += count
    else:
        bucket["refused"][code] = bucket["refused"].get(code, 0) + count


def _start(period: Period, number: int) -> datetime:
    return period.since + timedelta(seconds=period.step_seconds * number)
