"""The shapes of requests and answers, as JSON Schema for the OpenAPI document.

They describe the spellings to use and those that older clients use. Reading the requests is not theirs: that is done, and
refused in more words, by `vaultsigner.formats`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from vaultsigner.domain.permissions import Permission
from vaultsigner.server import audit_schemas, control_schemas, exchange_schemas
from vaultsigner.server.json_schema import Schema, object_schema

DECIMAL: Schema = {
    "description": "A decimal above 0 with at most 8 places, as text or as a number: 1 to 9223372036854775807 units of 10^-8. "
    "It is read from its own characters, never through a floating point number.",
    "oneOf": [{"type": "string", "maxLength": 30}, {"type": "number", "exclusiveMinimum": 0}],
}
MEMO: Schema = {"type": "string", "description": "At most 128 bytes of UTF-8.", "default": ""}
SYMBOL: Schema = {"type": "string", "description": "The asset, for example BNB or BUSD-BD1."}
ADDRESS: Schema = {"type": "string", "description": "bech32, with the prefix of the wallet's network."}


def _words(description: str, numbers: Mapping[str, int]) -> Schema:
    return {
        "description": description,
        "oneOf": [
            {"type": "integer", "enum": [*numbers.values()]},
            {"type": "string", "enum": [*numbers], "description": "In any letter case."},
        ],
    }


def _request(msg: Schema) -> Schema:
    return object_schema(
        ("msg", "wallet_name"),
        msg=msg,
        wallet_name={"type": "string", "description": "A wallet of config.yml."},
        memo=MEMO | {"description": "A memo may stand here or in msg; at most 128 bytes of UTF-8."},
    )


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_ORDER = object_schema(
    ("symbol", "order_type", "side", "price", "quantity", "time_in_force"),
    symbol={"type": "string", "description": "The trading pair, for example ANN-457_BNB."},
    order_type=_words("Limit orders only.", {"LIMIT": 2}),
    side=_words("1 buys, 2 sells.", {"BUY": 1, "SELL": 2}),
    price=DECIMAL,
    quantity=DECIMAL,
    time_in_force=_words("1 is good till expire, 3 immediate or cancel.", {"GTE": 1, "IOC": 3}),
)
_CANCEL = object_schema(
    ("symbol",),
    symbol={"type": "string", "description": "The trading pair."},
    order_id={"type": "string", "description": "The order's id."},
    refid={"type": "string", "description": "Another name for order_id, as the Python client sends it."},
)
_PAYMENT: dict[str, Schema] = {
    "to_address": ADDRESS,
    "symbol": SYMBOL,
    "denom": SYMBOL | {"description": "Another name for symbol, as the Python client sends it."},
    "amount": DECIMAL,
}
_TRANSFER = object_schema(
    (),
    **_PAYMENT,
    transfers={
        "type": "array",
        "description": "Several payments in one transaction, instead of one. to_address defaults to the one beside.",
        "items": object_schema(("amount",), **_PAYMENT),
    },
)
_FREEZE = object_schema(("symbol", "amount"), symbol=SYMBOL, amount=DECIMAL)
_VOTE = object_schema(
    ("proposal_id", "option"),
    proposal_id={"type": "integer", "minimum": 1},
    option=_words("The vote.", {"Yes": 1, "Abstain": 2, "No": 3, "NoWithVeto": 4}),
)

_FOR_EXCHANGE_CLIENTS = object_schema(
    ("msg",),
    msg={
        "type": "string",
        "description": "The message, for clients of exchanges; as JSON where success is there.",
    },
    success={"type": "boolean", "description": "There, and false, where it may work another time."},
)

SCHEMAS: Mapping[str, Schema] = MappingProxyType(
    {
        "credentials": object_schema(
            ("username", "password"), username={"type": "string"}, password={"type": "string"}
        ),
        "access_token": object_schema(
            ("access_token", "token_type"),
            access_token={"type": "string"},
            token_type={"type": "string", "enum": ["bearer"]},
        ),
        "who_asks": object_schema(
            ("principal",),
            principal=object_schema(
                ("type", "name", "scheme"),
                type={"type": "string", "enum": ["user", "client"]},
                name={"type": "string", "description": "As config.yml has it."},
                scheme={"type": "string", "enum": ["token", "hmac", "rsa", "ed25519", "open_api"]},
            ),
        ),
        "order_request": _request(_ORDER),
        "cancel_order_request": _request(_CANCEL),
        "transfer_request": _request(_TRANSFER),
        "freeze_request": _request(_FREEZE),
        "unfreeze_request": _request(_FREEZE),
        "vote_request": _request(_VOTE),
        "wallet_request": object_schema(("wallet_name",), wallet_name={"type": "string"}),
        "signed_transaction": object_schema(
            ("signed_msg",),
            signed_msg={"type": "string", "description": "The signed transaction, in lower-case hex."},
        ),
        "node_answer": {
            "type": "array",
            "description": "What the node said, as it said it.",
            "items": {"type": "object"},
        },
        "wallet": object_schema(
            ("name", "permissions", "env", "address", "public_key"),
            name={"type": "string"},
            permissions={"type": "array", "items": {"type": "string", "enum": [*Permission]}},
            env={"type": "string"},
            address=ADDRESS,
            public_key={"type": "string", "description": "The compressed public key, in lower-case hex."},
        ),
        "wallets": {"type": "array", "items": _reference("wallet")},
        "empty": {"type": "object", "description": "An empty object."},
        "error": object_schema(
            ("code", "message", "detail", "request_id"),
            code={"type": "string", "description": "Which error, for programs."},
            message={"type": "string", "description": "What is wrong and what to do, for people."},
            detail={
                "description": "The message again, in the old service's words, or a list of what is wrong with each field.",
                "oneOf": [{"type": "string"}, {"type": "array", "items": _reference("field_error")}],
            },
            request_id={"type": "string", "description": "Names the request in the audit record."},
        ),
        "exchange_error": {
            "description": "An error where exchanges are expected to answer.",
            "allOf": [_reference("error"), _FOR_EXCHANGE_CLIENTS],
        },
        "field_error": object_schema(
            ("loc", "msg", "type"),
            loc={
                "type": "array",
                "items": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
                "description": "Where: body or query, then the names down to the field.",
            },
            msg={"type": "string"},
            type={"type": "string"},
            ctx={"type": "object"},
        ),
        **exchange_schemas.SCHEMAS,
        **control_schemas.SCHEMAS,
        **audit_schemas.SCHEMAS,
    }
)
