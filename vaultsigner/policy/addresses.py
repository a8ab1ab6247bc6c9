"""Addresses as texts: which spellings are one address, and what cannot be one. Pure.

Source: BIP 173 (bech32), BIP 350 (bech32m): letter case means nothing there, and mixed case is no address at all; ERC-55: the
case of a 0x address is a checksum over the same digits. Every other form, such as base58, means another address in other letters.
"""

import re
from collections.abc import Collection
from typing import Literal

from bech32 import bech32_hrp_expand, bech32_polymod, convertbits

BECH32 = 1
BECH32M = 0x2BC830A3
LONGEST = 128
"""Characters; no address in these forms is longer, and time for a checksum grows with the length."""
BEACON_BYTES = 20
_CHARACTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_HEX = re.compile(r"0x[0-9a-f]{2,126}")
_LIKE_BECH32 = re.compile(rf"(?P<prefix>[a-z][a-z_]{{0,19}})1[{_CHARACTERS}]{{6,107}}")
_OFTEN_MEANT = frozenset({"bnb", "tbnb", "bc", "tb", "ltc"})

Trouble = Literal["letter case", "checksum", "network", "no address"]


def comparable(text: str) -> str:
    """The text that stands for every spelling of the same address: small letters where letter case means nothing.

    A rule against an address must not be walked around by writing it in capitals, and a rule that has it in capitals must hold.
    """
    lower = text.lower()
    if text == lower or len(text) > LONGEST or not text.isascii():
        return text
    return lower if _HEX.fullmatch(lower) or _checksum_holds(lower) else text


def trouble_with_receiver(text: str, prefixes: Collection[str]) -> Trouble | None:
    """What keeps a text from being the address of a transfer's receiver as a request shows it; None where nothing does.

    Args:
        text: as somebody wrote it.
        prefixes: of addresses on the networks that there are, without the 1 that follows.
    """
    lower = text.lower()
    like = _LIKE_BECH32.fullmatch(lower)
    if like is None:
        return "no address"
    if like["prefix"] not in prefixes:
        return "network"
    if _checksum(lower) != BECH32 or not _holds_beacon_bytes(lower):
        return "checksum"
    return None if text == lower else "letter case"


def trouble_with_destination(text: str) -> Trouble | None:
    """The same for an address of any chain: only what looks like bech32 is judged, and what base58 may look like is not."""
    lower = text.lower()
    like = _LIKE_BECH32.fullmatch(lower)
    if like is None or _checksum_holds(lower):
        return None if like is None or text == lower else "letter case"
    one_case = text in (lower, text.upper())
    return "checksum" if one_case or like["prefix"] in _OFTEN_MEANT else None


def _checksum_holds(lower: str) -> bool:
    return _checksum(lower) in (BECH32, BECH32M)


def _checksum(lower: str) -> int | None:
    """What the checksum comes to; None where the text has no such form."""
    prefix, one, data = lower.rpartition("1")
    if not prefix or not one or len(data) < 6 or len(lower) > LONGEST or not prefix.isascii():
        return None
    values = [_CHARACTERS.find(letter) for letter in data]
    return None if -1 in values else bech32_polymod(bech32_hrp_expand(prefix) + values)


def _holds_beacon_bytes(lower: str) -> bool:
    data = lower.rpartition("1")[2][:-6]
    raw = convertbits([_CHARACTERS.find(letter) for letter in data], 5, 8, False)
    return raw is not None and len(raw) == BEACON_BYTES
