"""Signed notes with Ed25519: a text and who signed it, as transparency logs have them. Pure.

Source: C2SP signed-note. A note is a text whose last character is a newline, an empty line, and a line for each signature:
`— <key name> <base64 of the key's id (4 bytes) and the signature (64 bytes)>`.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from vaultsigner.errors import VaultsignerError

PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64
LARGEST_NOTE = 64 * 1024
MOST_SIGNATURES = 16
_ED25519 = b"\x01"
_ID_BYTES = 4
_NAME = re.compile(r"[^\s+]{1,256}\Z")
_SIGNATURE = re.compile("— ([^\\s+]{1,256}) ([A-Za-z0-9+/]{1,512}={0,2})")
# Whole, and printable as it stands: what a terminal would take for a command has no place in it.
_TEXT = re.compile("(?:[^\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f\\u2028\\u2029]*\n)+")


class NoteError(VaultsignerError):
    """A text that is no signed note, or no verifier key."""

    code = "bad_note"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """An Ed25519 key by which notes are checked, and its name. As text: `<name>+<id in hex>+<base64 of 0x01 and the key>`.

    Raises:
        NoteError: the name has blanks or a plus in it, or the key is none.
    """

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        """See the class."""
        if not _NAME.match(self.name):
            raise NoteError("a key's name has no blanks and no plus in it")
        if len(self.public_key) != PUBLIC_KEY_BYTES:
            raise NoteError(f"an Ed25519 public key has {PUBLIC_KEY_BYTES} bytes, not {len(self.public_key)}")

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys of one name apart."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public_key).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        """As it is read."""
        return f"{self.name}+{self.id.hex()}+{_text(_ED25519 + self.public_key)}"

    def signed(self, text: str, signature: bytes) -> bool:
        """Whether the signature of a note's text is this key's."""
        try:
            VerifyKey(self.public_key).verify(text.encode(), signature)
        except (BadSignatureError, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """A signature and whose it claims to be. Of another algorithm than ours it may have another length."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A note. Nothing is known of its signatures before `verified_by`.

    Args:
        text: what is signed, with its last newline.
    """

    text: str
    signatures: tuple[NoteSignature, ...]

    def __str__(self) -> str:
        """The whole note."""
        lines = (f"— {each.name} {_text(each.key_id + each.signature)}\n" for each in self.signatures)
        return f"{self.text}\n{''.join(lines)}"

    def verified_by(self, keys: Iterable[VerifierKey]) -> VerifierKey | None:
        """The first of the keys that signed it, if one did."""
        for key in keys:
            for each in self.signatures:
                if (each.name, each.key_id) == (key.name, key.id) and key.signed(self.text, each.signature):
                    return key
        return None


def read_verifier_key(text: str) -> VerifierKey:
    """`vaultsigner/audit+1a2b3c4d+AQ…`.

    Raises:
        NoteError: it is none, or its id is not that of its key.
    """
    name, _, rest = text.strip().partition("+")
    id_, _, encoded = rest.partition("+")
    material = _bytes(encoded)
    if material is None or material[:1] != _ED25519:
        raise NoteError(
            "a verifier key is NAME+ID+KEY, as `vaultsigner audit key` prints it, of an Ed25519 key"
        )
    key = VerifierKey(name, material[1:])
    if key.id.hex() != id_.lower():
        raise NoteError(
            f"the verifier key's id {id_[:16]} is not that of its key, {key.id.hex()}: it was miscopied"
        )
    return key


def sign_note(text: str, key: VerifierKey, signature: bytes) -> SignedNote:
    """A note with one signature, which is checked.

    Raises:
        NoteError: the signature is not the key's, or the text cannot be a note's.
    """
    if not _TEXT.fullmatch(text) or not key.signed(text, signature):
        raise NoteError("the signature does not fit the text and the key")
    return SignedNote(text, (NoteSignature(key.name, key.id, signature),))


def read_note(document: str) -> SignedNote:
    """Read a note; its signatures are not checked.

    Raises:
        NoteError: it is none.
    """
    text, blank, signatures = document.rpartition("\n\n")
    lines = signatures.split("\n")
    if len(document) > LARGEST_NOTE or not blank or lines.pop() or not 1 <= len(lines) <= MOST_SIGNATURES:
        raise NoteError("a signed note is a text, an empty line, and a line for each signature")
    if not _TEXT.fullmatch(f"{text}\n"):
        raise NoteError("a signed note's text has no control characters")
    return SignedNote(f"{text}\n", tuple(map(_read_signature, lines)))


def _read_signature(line: str) -> NoteSignature:
    match = _SIGNATURE.fullmatch(line)
    material = _bytes(match[2]) if match else None
    if match is None or material is None or len(material) <= _ID_BYTES:
        raise NoteError("a line behind the empty line is no signature")
    return NoteSignature(match[1], material[:_ID_BYTES], material[_ID_BYTES:])


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes | None:
    """Base64 in its one spelling."""
    try:
        data = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        return None
    return data if _text(data) == text else None
