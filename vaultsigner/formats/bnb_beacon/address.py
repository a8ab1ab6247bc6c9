"""Addresses: the first 20 bytes that name an account, and their text in classic bech32 (BIP 173; not bech32m).

Source: BNB Beacon Chain documentation, "Address": RIPEMD-160 of SHA-256 of the compressed public key; prefix `bnb` on
the main network, `tbnb` on the test network.
"""

import hashlib
from functools import lru_cache

import bech32

from vaultsigner.formats.bnb_beacon.errors import AddressError
from vaultsigner.formats.bnb_beacon.ripemd160 import ripemd160

__all__ = ["AddressError", "address_of", "decode_address", "encode_address"]

ADDRESS_LENGTH = 20
PUBLIC_KEY_LENGTH = 33
MAX_TEXT_LENGTH = 90


@lru_cache(maxsize=4096)
def address_of(public_key: bytes) -> bytes:
    """The 20-byte address of a compressed secp256k1 public key of 33 bytes.

    Raises:
        AddressError: not 33 bytes that begin with 02 or 03.
    """
    if len(public_key) != PUBLIC_KEY_LENGTH or public_key[0] not in (2, 3):
        raise AddressError("a public key is 33 bytes and begins with 02 or 03")
    return ripemd160(hashlib.sha256(public_key).digest())


@lru_cache(maxsize=4096)
def encode_address(raw: bytes, prefix: str) -> str:
    """The address as text, in lower case: `tbnb1…` for prefix `tbnb`.

    Raises:
        AddressError: not 20 bytes.
    """
    if len(raw) != ADDRESS_LENGTH:
        raise AddressError(f"an address is {ADDRESS_LENGTH} bytes")
    groups = bech32.convertbits(raw, 8, 5) or []
    return bech32.bech32_encode(prefix, groups)


@lru_cache(maxsize=4096)
def decode_address(text: str, prefix: str) -> bytes:
    """The 20 bytes of an address of the network whose prefix is given.

    Raises:
        AddressError: not classic bech32 in lower case, not 20 bytes, or an address of another network.
    """
    # The checksum takes time in proportion to the length: an address of ten megabytes must not reach it.
    found, groups = bech32.bech32_decode(text) if len(text) <= MAX_TEXT_LENGTH else (None, None)
    payload = None if groups is None else bech32.convertbits(groups, 5, 8, False)
    if payload is None or len(payload) != ADDRESS_LENGTH:
        raise AddressError(f"not an address: expected one that begins with {prefix}1, as the wallet shows it")
    if text != text.lower():
        raise AddressError("the address is in upper case: write it in lower case")
    if found != prefix:
        raise AddressError(
            f"an address of another network: it begins with {found}1, this wallet's network uses {prefix}1"
        )
    return bytes(payload)
