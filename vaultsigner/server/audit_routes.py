"""The routes of those who review the record: what happened, one record with its proof, how chains and limits are."""

from vaultsigner.domain.names import JsonValue, Operation
from vaultsigner.server import audit_endpoints, audit_examples
from vaultsigner.server.edge import Endpoint
from vaultsigner.server.error_groups import ALWAYS, AUTHENTICATED
from vaultsigner.server.route import Documentation, Route, Variable

_COMMON = (*ALWAYS, *AUTHENTICATED, "no_permission")
_SEARCHED = (*_COMMON, "record_unreadable", "invalid_fields")
_FOR = "For users with the role auditor or operator."
_ONE_AT_A_TIME = (
    "Searches run one after the other, outside the process that serves; one that takes 30 s is given up."
)


def _filter(description: str, example: str) -> Variable:
    return Variable(description, example, optional=True)


FILTERS: dict[str, Variable] = {
    "since": _filter("From then on: a moment with its zone.", "2026-11-20T00:00:00Z"),
    "until": _filter("Before then.", "2026-11-21T00:00:00Z"),
    "kind": _filter("request, intent, outcome, dispatch, control or checkpoint.", "outcome"),
    "request_id": _filter("All records of one request.", "01KAJ0Y7W8F0N6Q3VZ2M5T9XBC"),
    "principal": _filter("Who asked: user:sam, client:bot-1, or the name alone.", "client:bot-1"),
    "target": _filter("On what: wallet:hot, exchange:main, or the name alone.", "wallet:wallet_1"),
    "operation": _filter("May have a star.", "transfer.*"),
    "effect": _filter("What policy decided, allow or deny; of records of kind intent.", "deny"),
    "rule": _filter("The rule that decided; of records of kind intent.", "large-transfers"),
    "code": _filter("How it ended: ok, or the refusal's code.", "policy_denied"),
    "amount_above": _filter("An amount of the request is more than that.", "100"),
    "amount_below": _filter("An amount of the request is less than that.", "0.5"),
}


def _route(
    path: str,
    operation: str,
    endpoint: Endpoint,
    *,
    summary: str,
    description: str,
    answer: str,
    example: JsonValue,
    errors: tuple[str, ...] = _SEARCHED,
    query: dict[str, Variable] | None = None,
    variables: dict[str, Variable] | None = None,
    media_type: str = "application/json",
) -> Route:
    documentation = Documentation(
        tag="Record",
        summary=summary,
        description=f"{description} {_FOR}",
        answer=answer,
        answer_example=example,
        errors=errors,
        query=query or {},
        variables=variables or {},
        media_type=media_type,
        users_only=True,
    )
    return Route("GET", (path,), Operation(operation), endpoint, documentation)


AUDIT_ROUTES: tuple[Route, ...] = (
    _route(
        "/api/audit/summary",
        "audit.summary",
        audit_endpoints.summary,
        summary="Say what happened over time",
        description="Counts answers (records of kind outcome, and of kind request where a request never meant anything) "
        "in steps of equal length: allowed, waiting for approval, refused by code; and who, on what, which "
        "operation and which code. `rule` counts what policy decided (records of kind intent). The most "
        "frequent 20 of each. What only looks at the record or at limits is on the record too, and left out "
        f"here unless `operation` asks for it. Without `since` the last day. {_ONE_AT_A_TIME}",
        answer="record_summary",
        example=audit_examples.SUMMARY,
        query={**FILTERS, "buckets": _filter("How many steps, at most 500; 60 unless said.", "60")},
    ),
    _route(
        "/api/audit/records",
        "audit.records",
        audit_endpoints.records,
        summary="List records",
        description="The latest that fit all filters, newest first, over all chains, each as it was written. `next` is "
        "the `before` of the next page; null where there is none. Nothing is proved by a list. "
        f"{_ONE_AT_A_TIME}",
        answer="records",
        example=audit_examples.RECORDS,
        query={
            **FILTERS,
            "latest": _filter("How many, at most 1000; 100 unless said.", "100"),
            "before": _filter("`next` of an earlier answer.", audit_examples.PLACE),
        },
    ),
    _route(
        "/api/audit/records.csv",
        "audit.export",
        audit_endpoints.csv,
        summary="Export records for spreadsheets",
        description="All that fit, oldest first, as `vaultsigner audit query --format csv` writes them. Comes as fast as "
        "it is taken, for at most 10 minutes; two exports at a time. An export that cannot be finished is cut "
        "off, by a reset of the connection.",
        answer="record_rows",
        example=audit_examples.CSV,
        query=FILTERS,
        media_type="text/csv",
    ),
    _route(
        "/api/audit/records/{chain}/{seq}",
        "audit.record",
        audit_endpoints.record,
        summary="Look up one record, with its proof",
        description="The record, the line as it was written, and the proof that it is in the tree of the first checkpoint "
        "that covers it, for `vaultsigner audit check-proof`; where there is none, `why`. `related` are the "
        "records of the same request, of an hour before and after.",
        answer="proved_record",
        example=audit_examples.PROVED,
        errors=(*_COMMON, "record_unreadable", "record_not_found"),
        variables={
            "chain": Variable("The chain's name.", audit_examples.CHAIN),
            "seq": Variable("The record's number.", "1042"),
        },
    ),
    _route(
        "/api/audit/chains",
        "audit.chains",
        audit_endpoints.chains,
        summary="Say how the record is",
        description="Each chain with its last record and its last checkpoint, each anchor with what it was given last, "
        "and the keys that sign checkpoints. `problem` says why this server cannot write "
        "records, or have them signed, at present.",
        answer="chains",
        example=audit_examples.CHAINS,
        errors=(*_COMMON, "record_unreadable"),
    ),
    _route(
        "/api/audit/live",
        "audit.live",
        audit_endpoints.live,
        summary="Watch the record",
        description='A line of JSON for each record that is written from now on, by whatever server: `{"record": …}`; a '
        "line `{}` at the beginning and every 15 s. Ends after 10 minutes, or where it is taken too slowly: "
        "ask anew. 16 at a time.",
        answer="live_records",
        example=audit_examples.LIVE,
        errors=(*_COMMON, "record_unreadable"),
        media_type="application/x-ndjson",
    ),
    _route(
        "/api/limits",
        "limit.list",
        audit_endpoints.limits,
        summary="Say how full the limits of policy are",
        description="Every limit of every rule: with each of its windows that something is used of, or with `subject` "
        "null and nothing used. Amounts as text. `until` is null: a window is rolling, and eases with each "
        "use that leaves it. `left_out` counts windows beyond the first 5,000, which are not looked at.",
        answer="limits",
        example=audit_examples.LIMITS,
        errors=_COMMON,
    ),
)
