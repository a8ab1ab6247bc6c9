"""A KV answer of Vault in a buffer, as the reader hands it to those who use a secret."""

import json

from vaultsigner.config.settings import KvReference
from vaultsigner.custody.secret_view import SecretView

REFERENCE = KvReference("secret", "wallets/wallet_1", "value")


def kv_answer(fields: dict[str, object], noted: str | None = None) -> bytes:
    """What Vault answers to the read of a KV version 2 secret."""
    custom = None if noted is None else {"public_key": noted, "kind": "private_key"}
    metadata = {"created_time": "2026-11-21T08:15:30Z", "custom_metadata": custom, "version": 1}
    return json.dumps(
        {"request_id": "r-1", "data": {"data": fields, "metadata": metadata}, "auth": None}
    ).encode()


def secret_view(value: object, noted: str | None = None) -> tuple[SecretView, bytearray]:
    """A view of one value, and the buffer that it lies in."""
    buffer = bytearray(kv_answer({"value": value, "other": "x"}, noted))
    return SecretView(REFERENCE, memoryview(buffer)), buffer
