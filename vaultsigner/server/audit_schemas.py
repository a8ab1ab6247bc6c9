"""The shapes of answers about the record, as JSON Schema for the OpenAPI document."""

from collections.abc import Mapping
from types import MappingProxyType

from vaultsigner.server.json_schema import Schema, object_schema


def _all_of(**properties: Schema) -> Schema:
    return object_schema(tuple(properties), **properties)


def _or_null(schema: Schema) -> Schema:
    return {"oneOf": [schema, {"type": "null"}]}


def _list_of(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


_TEXT: Schema = {"type": "string"}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_COUNTS: Schema = {"type": "object", "additionalProperties": _COUNT}
_CHAIN: Schema = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
_RECORD: Schema = {"$ref": "#/components/schemas/record"}
_UNREADABLE: Schema = _COUNT | {"description": "Lines that are no records: run `vaultsigner audit verify`."}
_AMOUNT: Schema = {"type": "string", "description": "A decimal."}
_KEYS: Schema = _list_of(_TEXT) | {
    "description": "The keys that sign checkpoints, as C2SP signed-note has them."
}
_CHECKPOINT = _all_of(size=_COUNT | {"description": "It covers records 1 to this one."}, time=_MOMENT)

SCHEMAS: Mapping[str, Schema] = MappingProxyType(
    {
        "record": {
            "type": "object",
            "description": "A record as it was written; what it has depends on its kind.",
            "required": ["v", "chain", "seq", "time", "kind", "prev", "hash"],
            "properties": {
                "v": {"type": "integer"},
                "chain": _CHAIN,
                "seq": {"type": "integer", "minimum": 1},
                "time": _MOMENT,
                "kind": {
                    "type": "string",
                    "enum": ["request", "intent", "outcome", "dispatch", "control", "checkpoint"],
                },
                "prev": _TEXT,
                "hash": _TEXT,
            },
        },
        "record_summary": _all_of(
            since=_MOMENT,
            until=_MOMENT,
            bucket_seconds={"type": "integer", "minimum": 1},
            buckets=_list_of(_all_of(start=_MOMENT, allowed=_COUNT, waiting=_COUNT, refused=_COUNTS)),
            by=_all_of(principal=_COUNTS, target=_COUNTS, operation=_COUNTS, rule=_COUNTS, code=_COUNTS),
            records=_COUNT,
            unreadable=_UNREADABLE,
        ),
        "records": _all_of(records=_list_of(_RECORD), next=_TEXT_OR_NULL, unreadable=_UNREADABLE),
        "record_rows": {
            "type": "string",
            "description": "A head, and a row for each record. What a spreadsheet would take for a formula has a ' before it.",
        },
        "proved_record": _all_of(
            record=_RECORD,
            line=_TEXT | {"description": "As it was written, without its newline: the leaf of the tree."},
            proof=_or_null(
                _all_of(
                    kind={"type": "string", "enum": ["inclusion"]},
                    version={"type": "integer"},
                    chain=_CHAIN,
                    seq=_COUNT,
                    tree_size=_COUNT,
                    root=_TEXT,
                    path=_list_of(_TEXT),
                    record=_TEXT,
                )
            ),
            checkpoint=_TEXT_OR_NULL | {"description": "The signed note over the proof's root."},
            why=_TEXT_OR_NULL | {"description": "Why there is no proof, for people."},
            keys=_KEYS,
            related=_list_of(_RECORD),
        ),
        "chains": _all_of(
            problem=_TEXT_OR_NULL,
            chains=_list_of(
                _all_of(
                    chain=_CHAIN,
                    own={"type": "boolean", "description": "This server writes it."},
                    records=_COUNT,
                    bytes=_COUNT,
                    files=_COUNT,
                    last=_or_null(_MOMENT),
                    checkpoint=_or_null(_CHECKPOINT),
                )
            ),
            anchors=_list_of(
                _all_of(
                    name=_TEXT,
                    kind={"type": "string", "enum": ["directory", "witness", "bucket"]},
                    problem=_TEXT_OR_NULL,
                    waiting=_COUNT | {"description": "Checkpoints that it has not got yet."},
                    last=_or_null(_all_of(chain=_CHAIN, size=_COUNT, time=_MOMENT)),
                )
            ),
            keys=_KEYS,
        ),
        "live_records": object_schema((), record=_RECORD)
        | {"description": "One line; without `record` it only says that the stream goes on."},
        "limits": _all_of(
            limits=_list_of(
                _all_of(
                    rule=_TEXT,
                    limit=_TEXT | {"description": "In words."},
                    subject=_TEXT_OR_NULL | {"description": "Whose window it is; null where all share one."},
                    used=_AMOUNT,
                    most=_AMOUNT,
                    unit=_TEXT | {"description": "requests, or the field that is summed."},
                    until=_or_null(_MOMENT),
                )
            ),
            left_out=_COUNT,
        ),
    }
)
