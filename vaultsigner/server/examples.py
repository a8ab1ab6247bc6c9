"""The example requests and answers of the OpenAPI document. Every value is made up; the addresses are of the test network."""

from collections.abc import Mapping
from types import MappingProxyType

from vaultsigner.domain.names import JsonValue

ACCESS_TOKEN = (
    "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJ1c2VybmFtZSI6InNhbSIsInN1YiI6ImFjY2VzcyJ9.c2lnbmF0dXJl"  # noqa: S105 - made up
)
SIGNED = (
    "c401f0625dee0a4c2a2c87fa0a220a147f756b1be93aa2e2fdc3d7cb713abc206f877802120a0a03424e421080c2d72f12220a147f756b1be93aa2e2"
    "fdc3d7cb713abc206f877802120a0a03424e421080c2d72f12700a26eb5ae9872102cce2ee4e37dc8c65d6445c966faf31ebfe578a90695138947ee7"
    "cab8ae9a2c0812403cf8029fa4b73faccf57b20eb5ac986ef9f08874ed307efb6684ae7ab2d93ad11606de8bfffda03820ebb892bb3f667dfe13e162"
    "f903a90bace6ccee73cd2a4f189cb7012002"
)
"""The transaction of the first transfer below, as the chain takes it."""
TRANSACTION_HASH = "3D9EC6BB14B9D5706F6EF47773A0197B4BCA5DE193C1FD4DDB1633A55076B520"
WALLET_ADDRESS = "tbnb10a6kkxlf823w9lwr6l9hzw4uyphcw7qzrud5rr"
RECEIVER = "tbnb1w508d6qejxtdg4y5r3zarvary0c5xw7kkvpjw8"
ORDER_ID = "7F756B1BE93AA2E2FDC3D7CB713ABC206F877802-3"

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
    "symbol": "ANN-457_BNB",
    "order_type": 2,
    "side": 1,
    "price": "0.000396",
    "quantity": "10",
    "time_in_force": 1,
}
_ORDER_IN_WORDS: dict[str, JsonValue] = {
    **_ORDER,
    "order_type": "LIMIT",
    "side": "buy",
    "time_in_force": "GTE",
}
_TRANSFER: dict[str, JsonValue] = {"to_address": WALLET_ADDRESS, "symbol": "BNB", "amount": "1"}


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
            "With a memo": _request(
                _TRANSFER | {"to_address": RECEIVER, "amount": "0.29", "memo": "invoice 42"}
            ),
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

NODE_ANSWER: JsonValue = [{"code": 0, "hash": TRANSACTION_HASH, "log": "Msg 0: ", "ok": True}]
WALLET: JsonValue = {
    "name": "wallet_1",
    "permissions": ["trade", "transfer"],
    "env": "TESTNET",
    "address": WALLET_ADDRESS,
    "public_key": "02cce2ee4e37dc8c65d6445c966faf31ebfe578a90695138947ee7cab8ae9a2c08",
}
SIGNED_DECISION = "rule=desk-transfers; policy=3b1f0c9a7d52; audit=a1b2c3d4e5f60718:1042"
