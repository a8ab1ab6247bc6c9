"""The OpenAPI document's words on the partner family: parameters, forms, and answers in their envelope."""

from vaultsigner.domain.names import JsonValue
from vaultsigner.server import statuses
from vaultsigner.server.json_schema import Schema, object_schema
from vaultsigner.server.partner_envelope import MESSAGES, SUCCESS, envelope, partner_code
from vaultsigner.server.route import Documentation, Route

Object = dict[str, JsonValue]

_ERROR_CODES = tuple(code for code in MESSAGES if code != SUCCESS)
EXAMPLES: Object = {f"partner_{code}": {"value": envelope(code)} for code in _ERROR_CODES}

_PARAMETERS: dict[str, Schema] = {
    "walletAddress": {"type": "string", "description": "The wallet that is asked about."},
    "task": {
        "type": "string",
        "description": "Names of tasks, as a JSON array; all tasks where it is empty or missing.",
        "examples": ['["deposit","withdrawal"]'],
    },
    "recvWindow": {"type": "integer", "minimum": 0, "maximum": 10_000, "default": 5_000},
    "timestamp": {"type": "integer", "description": "Milliseconds since 1970."},
}
_REQUIRED = ("walletAddress", "timestamp")


def _enveloped(data: Schema) -> Schema:
    return object_schema(
        ("code", "message", "data"),
        code={"type": "string", "enum": [SUCCESS]},
        message={"type": "string"},
        data=data,
    )


SCHEMAS: dict[str, Schema] = {
    "partner_time": _enveloped({"type": "integer", "description": "Milliseconds since 1970."}),
    "partner_tasks": _enveloped({"type": "object", "additionalProperties": {"type": "boolean"}}),
    "partner_tasks_request": object_schema(_REQUIRED, **_PARAMETERS),
    "partner_error": object_schema(
        ("code", "message", "data"),
        code={"type": "string", "enum": [*_ERROR_CODES]},
        message={"type": "string"},
        data={"type": "null"},
    ),
}


def query_parameters() -> list[JsonValue]:
    """What a request without a body carries in its query."""
    return [
        {"name": name, "in": "query", "required": name in _REQUIRED, "schema": schema}
        for name, schema in _PARAMETERS.items()
    ]


def form(schema: str) -> Object:
    """The body of a request that carries them there; it may carry them in its query as well."""
    return {
        "required": False,
        "content": {"application/x-www-form-urlencoded": {"schema": _reference(schema)}},
    }


def responses(route: Route) -> Object:
    """Every answer, by HTTP status; what the specification has a code for is a 200, whatever it says."""
    refusals: dict[int, list[str]] = {statuses.OK: []}
    for refusal_code in route.documentation.errors:
        refusals.setdefault(statuses.status_of(refusal_code, route.operation), []).append(refusal_code)
    return {
        str(status): _response(route.documentation, status, refusals[status]) for status in sorted(refusals)
    }


def _response(told: Documentation, status: int, refusal_codes: list[str]) -> Object:
    codes = sorted({partner_code(code) for code in refusal_codes})
    good = status == statuses.OK
    schemas: list[JsonValue] = [_reference(told.answer)] if good else []
    examples: Object = {"answer": {"value": envelope(SUCCESS, told.answer_example)}} if good else {}
    if codes:
        schemas.append(_reference("partner_error"))
        examples.update(
            {f"partner_{code}": {"$ref": f"#/components/examples/partner_{code}"} for code in codes}
        )
    headers = ["X-Request-Id"]
    if any(statuses.retry_after_seconds(statuses.status_of(code), None) for code in refusal_codes):
        headers.append("Retry-After")
    words = [f"{code} ({MESSAGES[code]})" for code in ((SUCCESS, *codes) if good else codes)]
    return {
        "description": f"{' or '.join(words)}.",
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": {
            "application/json": {
                "schema": schemas[0] if len(schemas) == 1 else {"oneOf": schemas},
                "examples": examples,
            }
        },
    }


def _reference(schema: str) -> Object:
    return {"$ref": f"#/components/schemas/{schema}"}
