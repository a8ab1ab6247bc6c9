"""RIPEMD-160, for Pythons whose OpenSSL has retired it (3.0.0 to 3.0.6, as Ubuntu 22.04 ships it, and some others).

Source: H. Dobbertin, A. Bosselaers, B. Preneel, "RIPEMD-160: A Strengthened Version of RIPEMD", 1996, appendix A.
"""

import hashlib
import struct

_MASK = 0xFFFFFFFF
_INITIAL = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)
_LEFT_CONSTANTS = (0x00000000, 0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xA953FD4E)
_RIGHT_CONSTANTS = (0x50A28BE6, 0x5C4DD124, 0x6D703EF3, 0x7A6D76E9, 0x00000000)
# One row a round of sixteen steps: which word of the block a step reads, and how far it rotates.
_LEFT_WORDS = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8),
    (3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12),
    (1, 9, 11, 10, 0, 8, 12, 4, 13, 3, 7, 15, 14, 5, 6, 2),
    (4, 0, 5, 9, 7, 12, 2, 10, 14, 1, 3, 8, 11, 6, 15, 13),
)
_RIGHT_WORDS = (
    (5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12),
    (6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12, 4, 9, 1, 2),
    (15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13),
    (8, 6, 4, 1, 3, 11, 15, 0, 5, 12, 2, 13, 9, 7, 10, 14),
    (12, 15, 10, 4, 1, 5, 8, 7, 6, 2, 13, 14, 0, 3, 9, 11),
)
_LEFT_ROTATIONS = (
    (11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8),
    (7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15, 9, 11, 7, 13, 12),
    (11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5),
    (11, 12, 14, 15, 14, 15, 9, 8, 9, 14, 5, 6, 8, 6, 5, 12),
    (9, 15, 5, 11, 6, 8, 13, 12, 5, 12, 13, 14, 11, 8, 5, 6),
)
_RIGHT_ROTATIONS = (
    (8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6),
    (9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12, 7, 6, 15, 13, 11),
    (9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5),
    (15, 5, 8, 11, 14, 14, 6, 14, 6, 9, 12, 9, 12, 5, 15, 8),
    (8, 5, 12, 9, 12, 5, 14, 6, 8, 13, 6, 5, 15, 13, 11, 11),
)

_State = tuple[int, int, int, int, int]
_Round = tuple[tuple[int, ...], tuple[int, ...], int]
_LEFT: tuple[_Round, ...] = tuple(zip(_LEFT_WORDS, _LEFT_ROTATIONS, _LEFT_CONSTANTS, strict=True))
_RIGHT: tuple[_Round, ...] = tuple(zip(_RIGHT_WORDS, _RIGHT_ROTATIONS, _RIGHT_CONSTANTS, strict=True))


def ripemd160(data: bytes) -> bytes:
    """The 20-byte digest, by OpenSSL where it can and by this module where it cannot."""
    try:
        return hashlib.new("ripemd160", data, usedforsecurity=False).digest()
    except ValueError:
        return ripemd160_in_python(data)


def ripemd160_in_python(data: bytes) -> bytes:
    """The same digest without OpenSSL; slow (about 100 µs a block), which is good enough once a wallet."""
    padding = b"\x80" + bytes(-(len(data) + 9) % 64) + struct.pack("<Q", 8 * len(data))
    padded = data + padding
    state: _State = _INITIAL
    for start in range(0, len(padded), 64):
        state = _compress(state, struct.unpack_from("<16I", padded, start))
    return struct.pack("<5I", *state)


def _compress(state: _State, block: tuple[int, ...]) -> _State:
    left = right = state
    for index in range(5):
        left = _sixteen_steps(left, block, index, _LEFT[index])
        right = _sixteen_steps(right, block, 4 - index, _RIGHT[index])
    return (
        (state[1] + left[2] + right[3]) & _MASK,
        (state[2] + left[3] + right[4]) & _MASK,
        (state[3] + left[4] + right[0]) & _MASK,
        (state[4] + left[0] + right[1]) & _MASK,
        (state[0] + left[1] + right[2]) & _MASK,
    )


def _sixteen_steps(state: _State, block: tuple[int, ...], mixer: int, steps: _Round) -> _State:
    words, rotations, constant = steps
    a, b, c, d, e = state
    for word, rotation in zip(words, rotations, strict=True):
        mixed = _rotated(a + _mix(mixer, b, c, d) + block[word] + constant, rotation) + e
        a, b, c, d, e = e, mixed & _MASK, b, _rotated(c, 10), d
    return a, b, c, d, e


def _mix(mixer: int, x: int, y: int, z: int) -> int:
    """The five round functions f of the paper; the right line uses them in the opposite order."""
    if mixer == 0:
        return x ^ y ^ z
    if mixer == 1:
        return (x & y) | (~x & z)
    if mixer == 2:
        return (x | (~y & _MASK)) ^ z
    if mixer == 3:
        return (x & z) | (y & ~z)
    return x ^ (y | (~z & _MASK))


def _rotated(value: int, count: int) -> int:
    value &= _MASK
    return (value << count | value >> (32 - count)) & _MASK
