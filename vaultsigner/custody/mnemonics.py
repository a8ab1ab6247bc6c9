"""BIP39 mnemonics to BIP32 private keys, in buffers that are wiped.

Source: BIP39 (English list, no passphrase), BIP32, BIP44 with coin type 714 (SLIP-44): m/44'/714'/0'/0/0.
"""

import hashlib
import hmac
import re

from mnemonic import Mnemonic

from vaultsigner.custody.secp256k1 import SCALAR_LENGTH, add_to_scalar, public_key_of
from vaultsigner.custody.wiping import wipe, wipe_bytes
from vaultsigner.errors import VaultsignerError

HARDENED = 0x80000000
BEACON_PATH = (44 | HARDENED, 714 | HARDENED, 0 | HARDENED, 0, 0)

_WORD_COUNTS = (12, 15, 18, 21, 24)
_BITS_PER_WORD = 11
_LONGEST_MNEMONIC = 24 * 9
_PBKDF2_ROUNDS = 2048
_WORD = re.compile(rb"[a-z]{3,8}")
_WORDS = re.compile(rb"[a-z]{3,8}(?: [a-z]{3,8})*")
_INDEX_OF = {word.encode("ascii"): index for index, word in enumerate(Mnemonic("english").wordlist)}


class MnemonicError(VaultsignerError):
    """These are not words that every wallet would turn into the same key. Says why, and repeats none of them."""


def derive_scalar(words: memoryview) -> bytearray:
    """The private key (32 bytes) at m/44'/714'/0'/0/0. The caller wipes it.

    Args:
        words: ASCII, exactly as BIP39 writes them.

    Raises:
        MnemonicError: another spelling, an unknown word, or a checksum that is wrong.
        ValueError: BIP32 has no key at this path (a chance of one in 2^127).
    """
    _check(words)
    seed = hashlib.pbkdf2_hmac("sha512", words, b"mnemonic", _PBKDF2_ROUNDS)
    try:
        node = _hmac_sha512(b"Bitcoin seed", seed)
    finally:
        wipe_bytes(seed)
    try:
        for index in BEACON_PATH:
            _step_down(node, index)
        return node[:SCALAR_LENGTH]
    finally:
        wipe(node)


def _check(words: memoryview) -> None:
    # A looser spelling would give another seed than the same words do elsewhere (BIP39 hashes the text as it stands).
    if len(words) > _LONGEST_MNEMONIC or _WORDS.fullmatch(words) is None:
        raise MnemonicError(
            "write it in lower case, with exactly one blank between the words and none around them"
        )
    spans = [match.span() for match in _WORD.finditer(words)]
    if len(spans) not in _WORD_COUNTS:
        raise MnemonicError(f"it has {len(spans)} words, not 12, 15, 18, 21 or 24")
    entropy = bytearray((len(spans) * _BITS_PER_WORD + 7) // 8)
    try:
        _collect_bits(words, spans, entropy)
        _check_sum(entropy, len(spans) // 3)
    finally:
        wipe(entropy)


def _collect_bits(words: memoryview, spans: list[tuple[int, int]], bits: bytearray) -> None:
    """Eleven bits a word, the most significant first. No integer here ever holds more than one word and a part."""
    held, held_bits, position = 0, 0, 0
    for number, (start, end) in enumerate(spans, start=1):
        word = bytes(words[start:end])
        index = _INDEX_OF.get(word)
        wipe_bytes(word)
        if index is None:
            raise MnemonicError(f"word {number} is not in the English list of BIP39")
        held = held << _BITS_PER_WORD | index
        held_bits += _BITS_PER_WORD
        while held_bits >= 8:
            held_bits -= 8
            bits[position] = held >> held_bits
            held &= (1 << held_bits) - 1
            position += 1
    if held_bits:
        bits[position] = held << (8 - held_bits)


def _check_sum(bits: bytearray, checksum_bits: int) -> None:
    """BIP39: the bits after the entropy are the first ones of its SHA-256. Every length ends within one byte."""
    with memoryview(bits) as view:
        digest = hashlib.sha256(view[: checksum_bits * 4]).digest()
    if digest[0] >> (8 - checksum_bits) != bits[checksum_bits * 4] >> (8 - checksum_bits):
        raise MnemonicError("the checksum does not fit: a word is wrong or in the wrong place")


def _step_down(node: bytearray, index: int) -> None:
    """BIP32, private parent key to private child key, in place. A node is the key (32 bytes) and the chain code (32)."""
    key = node[:SCALAR_LENGTH]
    place = index.to_bytes(4, "big")
    data = bytearray().join((b"\x00", key, place) if index & HARDENED else (public_key_of(key), place))
    try:
        with memoryview(node) as view:
            child = _hmac_sha512(view[SCALAR_LENGTH:], data)
        with memoryview(child) as view:
            add_to_scalar(key, view[:SCALAR_LENGTH])
            node[:SCALAR_LENGTH] = key
            node[SCALAR_LENGTH:] = view[SCALAR_LENGTH:]
        wipe(child)
    finally:
        wipe(key)
        wipe(data)


def _hmac_sha512(key: bytes | memoryview, data: bytes | bytearray) -> bytearray:
    digest = hmac.digest(key, data, "sha512")
    try:
        return bytearray(digest)
    finally:
        wipe_bytes(digest)
