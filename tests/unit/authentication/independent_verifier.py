"""The rule of signed requests once more, in other words and with other parsers; nothing of vaultsigner is imported here.

Written from Binance's text ("SIGNED endpoints": totalParams is the query string concatenated with the request body; window:
timestamp < serverTime + 1000 and serverTime - timestamp <= recvWindow) and from what docs/signed-requests.md refuses of it.
"""

import base64
import re
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

Key = bytes | RSAPublicKey | Ed25519PublicKey


def accepts(query: bytes, body: bytes, key: Key, now_ms: int) -> bool:  # noqa: PLR0911 - a list of reasons to refuse, read from top to bottom
    """Whether a signed request is good."""
    json = re.match(rb"[ \t\n\r]*[{\[]", body) is not None
    if (query and body and not json) or any(byte <= 32 or byte in b"#\x7f" for byte in query):
        return False
    sent = (query if query or json else body).decode("latin-1")
    if len(sent) > 16384 or len(sent.split("&")) > 256 or re.search("%(?![0-9a-fA-F][0-9a-fA-F])", sent):
        return False
    pairs = parse_qsl(sent, keep_blank_values=True, encoding="latin-1", max_num_fields=1000)
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names) or "" in names:
        return False
    for own in ("timestamp", "recvWindow", "signature", "operation"):
        alike = [name for name in names if name.strip(" \t\r\n\0").lower() == own.lower()]
        if len(alike) > 1 or (alike and not re.search(f"(^|&){own}(=|&|$)", sent)):
            return False
    shape = re.fullmatch("(?:(?P<payload>.*)&)?signature=(?P<signature>[^&]+)", sent, re.DOTALL)
    payload = (shape and shape["payload"]) or ""
    time = re.search("(?:^|&)timestamp=(0|[1-9][0-9]{0,14})(?=&|$)(?P<rest>.*)", payload, re.DOTALL)
    window = re.search("(?:^|&)recvWindow=(0|[1-9][0-9]{0,14})(?=&|$)", payload)
    operation = re.search("(?:^|&)operation=[a-zA-Z0-9._-]{1,64}(?=&|$)", payload)
    if (
        shape is None
        or time is None
        or (window is None and "recvWindow" in names)
        or (operation is None and "operation" in names)
        or re.search(r"[\[{]", time["rest"])
    ):
        return False
    recv_window = int(window[1]) if window else 5000
    if recv_window > 60000 or int(time[1]) >= now_ms + 1000 or now_ms - int(time[1]) > recv_window:
        return False
    return verifies(key, payload.encode("latin-1") + (body if json else b""), dict(pairs)["signature"])


def verifies(key: Key, payload: bytes, signature: str) -> bool:
    """Whether the signature's text is that of the payload: hex for HMAC (the key is its secret), base64 for the others."""
    try:
        if isinstance(key, bytes):
            mac = HMAC(key, SHA256())
            mac.update(payload)
            return mac.finalize().hex() == signature.lower() and signature.isascii()
        raw = base64.b64decode(signature.encode("latin-1"), validate=True)
        if isinstance(key, RSAPublicKey):
            key.verify(raw, payload, PKCS1v15(), SHA256())
        else:
            key.verify(raw, payload)
    except (ValueError, InvalidSignature):
        return False
    return base64.b64encode(raw).decode() == signature
