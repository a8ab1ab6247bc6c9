"""What the Open API answers to the call for user data. Pure.

Source: Binance Mini Program, "Get open data", sections "Response" and "ErrorCode".
"""

import json
from dataclasses import dataclass

SUCCESS = "000000"
_LONGEST_TOLD = 200


@dataclass(frozen=True, slots=True)
class EncryptedUserData:
    """base64url, encrypted for the app's private key."""

    ciphertext: str


@dataclass(frozen=True, slots=True)
class UserDataRefused:
    """The Open API will not have it. `code` and `message` are its own words, bounded; empty where it has none."""

    code: str
    message: str


def read_user_data_answer(body: bytes) -> EncryptedUserData | UserDataRefused | None:
    """`{"code": "000000", "data": {"userData": ...}}`, or its refusal; None for what is neither.

    Args:
        body: the whole answer.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not isinstance(document.get("code"), str):
        return None
    code, data = document["code"], document.get("data")
    if code != SUCCESS:
        return UserDataRefused(_bounded(code), _bounded(document.get("message")))
    ciphertext = data.get("userData") if isinstance(data, dict) else None
    return EncryptedUserData(ciphertext) if isinstance(ciphertext, str) and ciphertext else None


def _bounded(text: object) -> str:
    """It is shown to the caller and stands on the record."""
    return text[:_LONGEST_TOLD] if isinstance(text, str) and text.isprintable() else ""
