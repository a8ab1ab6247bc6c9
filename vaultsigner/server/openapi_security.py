"""The OpenAPI document's words on proving who asks: the ways, and the parameters of signed requests."""

from vaultsigner.domain.names import JsonValue
from vaultsigner.server.received import API_KEY, OPEN_API_TOKEN, PARTNER_SIGNATURE

Object = dict[str, JsonValue]

_ABOUT_SIGNED = """\
The API key of a client that signs its requests, as `vaultsigner clients create` issued it. The parameters `timestamp` and
`signature` go with it, `recvWindow` and `operation` may. They stand in the query, or, where the body is a form, all of them in
that form. The signature covers the query as sent, less `&signature=...` at its end, and the body behind it, as sent. Schemes:
`hmac` (HMAC-SHA256, hex), `rsa` (RSASSA-PKCS1-v1_5 with SHA-256, base64), `ed25519` (base64). Each signature counts once.
"""
_ABOUT_OPEN_API = """\
A JWT (HS256) over `iss`, the API key; `dig`, the hex SHA-256 of `method\\nuri\\nquery\\nsha256(body)`; and `ts`, the time in
seconds. Each token counts once.
"""
_ABOUT_PARTNER = """\
Base64 RSASSA-PKCS1-v1_5 signature with SHA-256 over the parameters as decoded, `name=value` joined by `&` in the order sent.
"""

SCHEMES: Object = {
    "access_token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "signed_request": {"type": "apiKey", "in": "header", "name": API_KEY, "description": _ABOUT_SIGNED},
    "open_api_token": {
        "type": "apiKey",
        "in": "header",
        "name": OPEN_API_TOKEN,
        "description": _ABOUT_OPEN_API,
    },
}
PARTNER_SCHEMES: Object = {
    "partner_signature": {
        "type": "apiKey",
        "in": "header",
        "name": PARTNER_SIGNATURE,
        "description": _ABOUT_PARTNER,
    }
}

PARAMETERS: Object = {
    "timestamp": {
        "name": "timestamp",
        "in": "query",
        "description": "Of signed requests: when it was made, in milliseconds since 1970, in digits and nothing else. Accepted "
        "from `recvWindow` ago up to a second ahead.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 999_999_999_999_999},
    },
    "recvWindow": {
        "name": "recvWindow",
        "in": "query",
        "description": "Of signed requests: for how many milliseconds after `timestamp` it is good.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 60_000, "default": 5_000},
    },
    "operation": {
        "name": "operation",
        "in": "query",
        "description": "Of signed requests: the operation, for example `freeze.broadcast`. The signature does not cover the "
        "path; with this parameter it holds for one operation alone. What differs from the path's is refused.",
        "schema": {"type": "string"},
    },
    "signature": {
        "name": "signature",
        "in": "query",
        "description": "Of signed requests: the signature, percent-encoded, as the last parameter.",
        "schema": {"type": "string"},
    },
}
"""In the order to send them: the signature is last."""

SECURITY: list[JsonValue] = [{name: []} for name in SCHEMES]
USERS_SECURITY: list[JsonValue] = [{"access_token": []}]
PARTNER_SECURITY: list[JsonValue] = [{name: []} for name in PARTNER_SCHEMES]


def parameter_references() -> list[JsonValue]:
    """The parameters that every route takes from those who sign."""
    return [{"$ref": f"#/components/parameters/{name}"} for name in PARAMETERS]
