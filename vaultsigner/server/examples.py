"""The example requests and answers of the OpenAPI document. Every value is made up; the addresses are of the test network."""

from collections.abc import Mapping
from types import MappingProxyType

from vaultsigner.domain.names import JsonValue

ACCESS_TOKEN = (
    "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJ1c2VybmFtZSI6InNhbSIsInN1YiI6ImFjY2VzcyJ9.c2lnbmF0dXJl"  # noqa: S105 - made up
)
SIGNED = "c601f0625dee0a4c2a2c87fa0a220a14"
WALLET_ADDRESS = "tbnb185tqzq3j6y7yep85lncaz9qeectjxqe5054cgn"
RECEIVER = "tbnb1hgm0p7khfk85zpz5v0j8wnej3a90w709zzlffd"
ORDER_ID = "3D1601091A27CC9A13CFCF3C22882733D3201338-16"

TITLES: Mapping[str, str] = MappingProxyType(
    {
        "order": "a limit order",
        "cancel_order": "the cancellation of an order",
        "transfer": "a transfer",
        "freeze": "a freeze",
        "unfreeze": "an unfreeze",
        "vote": "a vote",
    }
)

_ORDER: dict[str, JsonValue] = {
    "symbol": "ANN-457_BNB", "order_type": 2, "side": 1, "price": "0.00039600", "quantity": "10", "time_in_force": 1
}  # fmt: skip
_ORDER_IN_WORDS: dict[str, JsonValue] = {
    **_ORDER,
    "order_type": "LIMIT",
    "side": "buy",
    "time_in_force": "GTE",
}
_TRANSFER: dict[str, JsonValue] = {
    "to_address": RECEIVER,
    "symbol": "BNB",
    "amount": "1.5",
    "memo": "invoice 42",
}


def _request(msg: Mapping[str, JsonValue]) -> JsonValue:
    return {"msg": dict(msg), "wallet_name": "wallet_1"}


REQUESTS: Mapping[str, Mapping[str, JsonValue]] = MappingProxyType(
    {
        "order": {"Numbers": _request(_ORDER), "Words": _request(_ORDER_IN_WORDS)},
        "cancel_order": {
            "By order_id": _request({"symbol": "ANN-457_BNB", "order_id": ORDER_ID}),
            "By refid": _request({"symbol": "ANN-457_BNB", "refid": ORDER_ID}),
        },
        "transfer": {
            "One payment": _request(_TRANSFER),
            "Several payments": _request(
                {
                    "transfers": [
                        {"to_address": RECEIVER, "symbol": "BNB", "amount": "1.5"},
                        {"to_address": WALLET_ADDRESS, "symbol": "BUSD-BAF", "amount": "20"},
                    ],
                    "memo": "",
                }
            ),
        },
        "freeze": {"Freeze": _request({"symbol": "BNB", "amount": "10"})},
        "unfreeze": {"Unfreeze": _request({"symbol": "BNB", "amount": "10"})},
        "vote": {
            "Number": _request({"proposal_id": 370, "option": 1}),
            "Word": _request({"proposal_id": 370, "option": "Yes"}),
        },
    }
)

NODE_ANSWER: JsonValue = [
    {
        "code": 0,
        "hash": "E81BAB8E555819E4211D62E2E536B6D5812D3D91C105F998F5C6EB3AB8136482",
        "log": "Msg 0: ",
        "ok": True,
    }
]
WALLET: JsonValue = {
    "name": "wallet_1",
    "permissions": ["trade", "transfer"],
    "env": "TESTNET",
    "address": WALLET_ADDRESS,
    "public_key": "02cce2ee4e37dc8c65d6445c966faf31ebfe578a90695138947ee7cab8ae9a2c08",
}
