"""A wallet's key on its way into Vault: made by the operating system's generator, or read from a person and checked.

No message here ever repeats what was read: a mistyped key is still most of a key.
"""

import re
import secrets
from dataclasses import dataclass, field
from typing import Literal

from mnemonic import Mnemonic

from vaultsigner.custody.mnemonics import MnemonicError, derive_scalar
from vaultsigner.custody.secp256k1 import public_key_of
from vaultsigner.custody.wiping import wipe
from vaultsigner.errors import VaultsignerError

KeyKind = Literal["private_key", "mnemonic"]
GROUP_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_HEX_KEY = re.compile(r"[0-9a-fA-F]{64}")


class KeyTextError(VaultsignerError):
    """What was given is no key; says why without repeating any of it."""

    code = "key_malformed"


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """A key as it is written to Vault, and its public half (33 bytes, compressed)."""

    kind: KeyKind
    text: str = field(repr=False)
    public_key: bytes


def new_private_key() -> KeyMaterial:
    """A key from the operating system's generator, as 64 hex digits."""
    while not 0 < int.from_bytes(raw := secrets.token_bytes(32)) < GROUP_ORDER:
        pass
    return KeyMaterial("private_key", raw.hex(), _public_key(raw))


def new_mnemonic(words: int) -> KeyMaterial:
    """A BIP39 mnemonic (English list) with entropy from the operating system's generator.

    Args:
        words: 12 or 24 are usual; 15, 18 and 21 are BIP39 too.
    """
    return read_mnemonic(Mnemonic("english").to_mnemonic(secrets.token_bytes(words // 3 * 4)))


def read_key(kind: KeyKind, text: str) -> KeyMaterial:
    """Check what a person gave.

    Raises:
        KeyTextError: it is no key of that kind.
    """
    return read_private_key(text) if kind == "private_key" else read_mnemonic(text)


def read_private_key(text: str) -> KeyMaterial:
    """64 hex digits, a number from 1 to the group order less 1 (SEC 2, secp256k1).

    Raises:
        KeyTextError: it is not.
    """
    if text[:2] in ("0x", "0X"):
        raise KeyTextError("the key begins with 0x: leave that out, the 64 hex digits alone are the key")
    if _HEX_KEY.fullmatch(text) is None:
        if " " in text.strip():
            raise KeyTextError("that is no private key (64 hex digits); for a mnemonic use --kind mnemonic")
        raise KeyTextError(
            f"a private key is exactly 64 hex digits; {len(text)} characters were given, or some are not hex"
        )
    raw = bytes.fromhex(text)
    if not 0 < int.from_bytes(raw) < GROUP_ORDER:
        raise KeyTextError("these 64 hex digits are outside the range of secp256k1 keys")
    return KeyMaterial("private_key", text.lower(), _public_key(raw))


def read_mnemonic(text: str) -> KeyMaterial:
    """A BIP39 mnemonic from the English list, exactly as custody will insist on it.

    Raises:
        KeyTextError: it is not; names the position of a bad word, never the word.
    """
    if _HEX_KEY.fullmatch(text):
        raise KeyTextError("that is a private key, not a mnemonic: use --kind private_key")
    try:
        scalar = derive_scalar(memoryview(text.encode()))
    except (MnemonicError, ValueError) as error:
        raise KeyTextError(f"that is no usable mnemonic: {error}") from None
    try:
        return KeyMaterial("mnemonic", text, public_key_of(scalar))
    finally:
        wipe(scalar)


def _public_key(raw: bytes) -> bytes:
    return public_key_of(bytearray(raw))
