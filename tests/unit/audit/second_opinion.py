"""Checks proofs and signed notes from their specifications alone. Shares no code with vaultsigner: hashlib and `cryptography`.

RFC 9162, 2.1.3.2 (inclusion) and 2.1.4.2 (consistency); C2SP signed-note and tlog-checkpoint.
"""

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def leaf(line: bytes) -> bytes:
    """A leaf's hash; the line is without its newline."""
    return sha256(b"\x00" + line).digest()


def node(left: bytes, right: bytes) -> bytes:
    """A node's."""
    return sha256(b"\x01" + left + right).digest()


def root_over(leaves: Sequence[bytes]) -> bytes:
    """Level by level: a node without a neighbour goes up as it is, which is RFC 6962's tree."""
    level = list(leaves)
    while len(level) > 1:
        pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
        level = [node(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0]


def root_of_inclusion(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a path leads to; None: it leads nowhere."""
    if not 0 <= index < size:
        return None
    fn, sn, r = index, size - 1, leaf_hash
    for p in path:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            r = node(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    return r if sn == 0 else None


def consistent(first: int, first_hash: bytes, second: int, second_hash: bytes, path: Sequence[bytes]) -> bool:
    """Whether the tree of the second size begins with that of the first."""
    if first == second:
        return not path and first_hash == second_hash
    if not path or not 0 < first < second:
        return False
    steps = [first_hash, *path] if first & (first - 1) == 0 else list(path)
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = steps[0]
    for c in steps[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return (fr, sr, sn) == (first_hash, second_hash, 0)


@dataclass(frozen=True)
class Note:
    """What a checkpoint's note says, once a key has signed it."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...]


def open_note(text: str, vkey: str) -> Note | None:
    """The note, if the key signed it; None: it did not."""
    name, key_id, material = vkey.split("+", 2)
    public = b64decode(material)
    assert public[0] == 1, "Ed25519"
    assert sha256(name.encode() + b"\n" + public).digest()[:4].hex() == key_id
    signed, signatures = text[: text.rindex("\n\n") + 1], text[text.rindex("\n\n") + 2 :]
    for line in signatures.removesuffix("\n").split("\n"):
        dash, whose, encoded = line.split(" ")
        data = b64decode(encoded)
        if (dash, whose, data[:4].hex()) == ("\u2014", name, key_id):
            try:
                Ed25519PublicKey.from_public_bytes(public[1:]).verify(data[4:], signed.encode())
            except InvalidSignature:
                return None
            origin, size, root, *extensions, end = signed.split("\n")
            assert end == ""
            return Note(origin, int(size), b64decode(root), tuple(extensions))
    return None
