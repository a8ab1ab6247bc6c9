"""The shapes of requests and answers of the routes that steer the service, as JSON Schema for the OpenAPI document."""

from collections.abc import Mapping
from types import MappingProxyType

from vaultsigner.policy.operations import OPERATIONS
from vaultsigner.server.json_schema import Schema, object_schema
from vaultsigner.signing.explaining import READ_FROM_REQUEST
from vaultsigner.signing.suspensions import KINDS


def _all_of(**properties: Schema) -> Schema:
    return object_schema(tuple(properties), **properties)


_TEXT: Schema = {"type": "string"}
_BOOLEAN: Schema = {"type": "boolean"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_LINE: Schema = {"type": "string", "maxLength": 500, "description": "One line of text."}
_APPROVAL_ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
_PEOPLE: Schema = {
    "type": "array",
    "items": _TEXT,
    "description": "Who may decide, as policies name them, groups written out.",
}
_FIELDS: Schema = {
    "type": "object",
    "description": "Fields of an intent and their values; decimals as text.",
    "properties": {
        "parameters": {
            "type": "object",
            "description": "Of requests to exchanges: what has no field of its own, by the exchange's names; for no rule.",
        }
    },
    "additionalProperties": {"type": ["string", "integer", "boolean", "null"]},
}
_WRITTEN_FIELDS: Schema = {
    "type": "object",
    "description": "The fields as rules name them, e.g. quote_quantity; decimals as text.",
    "additionalProperties": {"type": ["string", "integer", "boolean"]},
}
_KIND: Schema = {"type": "string", "enum": [*KINDS]}
_PRINCIPAL: Schema = {"type": "string", "description": "Who asks, as policies name them, e.g. user:sam."}
_POLICY: Schema = {"type": "string", "description": "The digest of the policy that was in force."}
_ITEMS: Schema = {"type": "array", "items": _FIELDS}

_SUSPENSION: dict[str, Schema] = {
    "kind": _KIND,
    "name": _TEXT | {"description": "Empty where everything is suspended."},
    "reason": _TEXT,
    "by": _PRINCIPAL | {"description": "Who suspended it."},
    "since": _MOMENT,
}

SCHEMAS: Mapping[str, Schema] = MappingProxyType(
    {
        "approval_required": _all_of(
            code={"type": "string", "enum": ["approval_required"]},
            message=_TEXT,
            approval=_all_of(id=_APPROVAL_ID, needed=_COUNT, given=_COUNT, of=_PEOPLE, expires_at=_MOMENT),
            request_id=_TEXT,
        ),
        "approval": _all_of(
            id=_APPROVAL_ID,
            status={
                "type": "string",
                "enum": ["open", "granted", "rejected", "used", "expired"],
                "description": "A granted one is good for one request, and may still be rejected until then.",
            },
            needed=_COUNT,
            given=_COUNT,
            of=_PEOPLE,
            votes={"type": "array", "items": _all_of(by=_PRINCIPAL, approve=_BOOLEAN, at=_MOMENT)},
            may_approve=_BOOLEAN | {"description": "Whether you may."},
            may_reject=_BOOLEAN | {"description": "Whether you may."},
            requested_by=_PRINCIPAL,
            rule=_TEXT,
            policy=_POLICY,
            expires_at=_MOMENT,
            request=_all_of(
                operation=_TEXT, target=_TEXT, items=_ITEMS, memo=_TEXT, ip=_TEXT, asked_at=_MOMENT
            ),
        ),
        "approvals": _all_of(approvals={"type": "array", "items": {"$ref": "#/components/schemas/approval"}}),
        "vote_on_approval": object_schema((), comment=_LINE | {"description": "Why, for the record."}),
        "suspension_request": object_schema(
            ("kind", "reason"),
            kind=_KIND,
            name=_TEXT | {"description": "As config.yml has it; left out where kind is all."},
            reason=_LINE | {"description": "Why; operators alone are told."},
        ),
        "suspension": _all_of(**_SUSPENSION),
        "changed_suspension": _all_of(
            **_SUSPENSION,
            changed=_BOOLEAN | {"description": "False where it was so already."},
        ),
        "suspensions": _all_of(
            suspensions={"type": "array", "items": {"$ref": "#/components/schemas/suspension"}}
        ),
        "explain_request": object_schema(
            ("target",),
            principal=_PRINCIPAL
            | {"description": "Whose request it would be; yourself, unless you are an operator."},
            operation={"type": "string", "enum": [*OPERATIONS]},
            target=_TEXT
            | {"description": "On what, as policies name it, e.g. wallet:wallet_1 or exchange:main."},
            item=_WRITTEN_FIELDS,
            items={
                "type": "array",
                "items": _WRITTEN_FIELDS,
                "description": "Instead of item, where there are several.",
            },
            memo=_LINE,
            request={
                "description": "Instead of operation, item, items and memo: a request to an exchange as it would be sent: "
                "the body of POST /api/exchange/{name}/sign. What it means is found the way the service finds it.",
                "allOf": [{"$ref": "#/components/schemas/exchange_sign_request"}],
            },
            ip=_TEXT | {"description": "From where; your own address unless said."},
            at=_MOMENT | {"description": "When; now unless said."},
        )
        | {
            "oneOf": [
                {"required": ["operation"], "not": {"required": ["request"]}},
                {
                    "required": ["request"],
                    "not": {"anyOf": [{"required": [name]} for name in READ_FROM_REQUEST]},
                },
            ]
        },
        "explanation": _all_of(
            principal=_PRINCIPAL,
            operation=_TEXT,
            target=_TEXT,
            items=_ITEMS,
            ip=_TEXT,
            at=_MOMENT,
            permission={
                "description": "What config.yml permits, which comes before policy; null where it has no word on it.",
                "oneOf": [_all_of(needed=_TEXT, there=_BOOLEAN, why=_TEXT), {"type": "null"}],
            },
            note={
                "type": ["string", "null"],
                "description": "What the decision about a real request may depend on besides: for people.",
            },
            rules={
                "type": "array",
                "items": object_schema(
                    ("rule", "effect", "matched", "why"),
                    rule=_TEXT,
                    effect={"type": "string", "enum": ["allow", "deny"]},
                    matched=_BOOLEAN,
                    why=_TEXT | {"description": "The first reason why it does not match, or why it does."},
                    place=_TEXT | {"description": "File and line, for operators."},
                ),
            },
            decision=_all_of(
                effect={"type": "string", "enum": ["allow", "deny"]},
                rule={"type": ["string", "null"]},
                policy=_POLICY,
                reason=_TEXT,
                limits={"type": "array", "items": {"type": "object"}},
                approvals={"type": ["object", "null"]},
            ),
        ),
    }
)
