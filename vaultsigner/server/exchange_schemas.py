"""The shapes of requests and answers of the routes of exchanges and Open API apps, as JSON Schema for the OpenAPI document."""

from collections.abc import Mapping
from types import MappingProxyType

from vaultsigner.server.json_schema import Schema, object_schema

_TEXT: Schema = {"type": "string"}
_VALUE: Schema = {
    "description": "A text, a number (its own characters count), true or false; an array or object becomes compact JSON.",
    "type": ["string", "number", "boolean", "array", "object"],
}
_PARAMETERS: Schema = {
    "type": "object",
    "description": "Names and values, without `timestamp`, `signature` and `apiKey`; `recvWindow` may be among them.",
    "additionalProperties": _VALUE,
}
_METHOD: Schema = {"type": "string", "enum": ["GET", "POST", "PUT", "DELETE"]}
_TEXTS: Schema = {"type": "object", "additionalProperties": _TEXT}


def _closed(required: tuple[str, ...], **properties: Schema) -> Schema:
    return object_schema(required, **properties) | {"additionalProperties": False}


SCHEMAS: Mapping[str, Schema] = MappingProxyType(
    {
        "exchange_parameters": {
            "type": "object",
            "description": "The parameters that the exchange knows, `timestamp` and, as the last, `signature`.",
            "additionalProperties": _TEXT,
        },
        "exchange_answer": {"description": "Whatever the exchange says."},
        "exchange_sign_request": {
            "oneOf": [
                _closed(
                    ("method", "path"),
                    method=_METHOD,
                    path={"type": "string", "examples": ["/api/v3/order"]},
                    params=_PARAMETERS,
                    query={
                        "type": "string",
                        "description": "Instead of params: percent-encoded, without the question mark.",
                    },
                    body={
                        "type": "string",
                        "description": "Instead of params: a form. Or JSON as text, beside them.",
                    },
                ),
                _closed(
                    ("ws",),
                    ws={"type": "string", "description": "The WebSocket API's method."},
                    params=_PARAMETERS,
                ),
            ]
        },
        "signed_exchange_request": {
            "oneOf": [
                _closed(
                    ("method", "url", "headers", "body"),
                    method=_METHOD,
                    url=_TEXT,
                    headers=_TEXTS,
                    body=_TEXT,
                ),
                _closed(
                    ("message",),
                    message=_closed(("method", "params"), method=_TEXT, params={"type": "object"}),
                ),
            ]
        },
        "open_api_token_request": _closed(
            ("method", "path"),
            method={"type": "string", "description": "In capitals."},
            path={"type": "string", "description": "Percent-encoded, without query."},
            query={
                "type": "string",
                "description": "Percent-encoded, without the question mark.",
                "default": "",
            },
            body={"type": "string", "default": ""},
        ),
        "open_api_token": _closed(
            ("token", "header", "headers", "url"), token=_TEXT, header=_TEXT, headers=_TEXTS, url=_TEXT
        ),
        "open_api_decrypt_request": _closed(("data",), data={"type": "string", "description": "Base64url."}),
        "open_api_plaintext": _closed(("plaintext",), plaintext=_TEXT),
    }
)
