"""Public keys of those who sign their requests: PEM, in the configuration itself or in a file that it names.

A key is refused here where a signature by it would prove little: RSA keys that are short or whose exponent invites forgery,
Ed25519 points under which anybody can sign. No message repeats what was read.
"""

import hashlib
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from nacl.bindings import crypto_core_ed25519_is_valid_point

from vaultsigner.config.problems import UnusableValueError

KeyType = Literal["rsa", "ed25519"]
CLIENT_RSA_BITS = 2048
PARTNER_RSA_BITS = 1024
"""The Binance Web3 API specification V0.0.6 gives a key of this size as its example."""
MOST_RSA_BITS = 16_384
"""OpenSSL verifies with no larger one."""
_LEAST_EXPONENT = 65_537
_MOST_EXPONENT_BITS = 64
"""Above 3072 bits of modulus OpenSSL verifies with no larger exponent."""
_MOST_BYTES = 32_768
_MAKE = {
    "rsa": "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out private.pem",
    "ed25519": "openssl genpkey -algorithm ed25519 -out private.pem",
}
_KEY_FILE = re.compile(r"[A-Za-z0-9_./ -]{1,200}\.(?:pem|pub|key|der|crt|cer|txt)", re.IGNORECASE)
"""A key without its PEM lines has no dot, so this is none."""
PUBLIC_HALF = "`openssl pkey -in private.pem -pubout -out public.pem` writes the public half"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that was found good.

    Args:
        kind: its type.
        der: SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7).
        bits: of an RSA modulus; 256 for Ed25519.
        file: where it was read from; None where the configuration holds it.
    """

    kind: KeyType
    der: bytes
    bits: int
    file: Path | None = field(default=None, compare=False)


def fingerprint(der: bytes) -> str:
    """`sha256:<hex>`, as `openssl pkey -pubin -in public.pem -outform DER | sha256sum` has it."""
    return f"sha256:{hashlib.sha256(der).hexdigest()}"


def making(kind: KeyType) -> tuple[str, str]:
    """The two commands with which a caller makes a key pair."""
    return _MAKE[kind], "openssl pkey -in private.pem -pubout -out public.pem"


def read_public_key(
    text: str, *, kind: KeyType | None = None, least_bits: int = CLIENT_RSA_BITS
) -> PublicKey:
    """The key itself as PEM, or the one in the file whose path this is; the path counts from the working directory.

    Args:
        text: what the configuration says. It may be a private key in the wrong place.
        kind: the type wanted; None where every type that we know will do.
        least_bits: of an RSA modulus.

    Raises:
        UnusableValueError: it cannot be had, is of another type, or is too weak.
    """
    file = None if "-----" in text else Path(text)
    pem = text.encode() if file is None else _read(file)
    if b"PRIVATE KEY" in pem:
        message = "this is a private key; only its public half belongs here"
        raise UnusableValueError(
            message, f"count it as known to others if it lay here for long; {PUBLIC_HALF}"
        )
    key = _parsed(pem)
    found: KeyType = "rsa" if isinstance(key, RSAPublicKey) else "ed25519"
    if kind is not None and found != kind:
        make, _ = making(kind)
        raise UnusableValueError(
            f"this is a key of type {found}, not {kind}", f"`{make}` makes one; {PUBLIC_HALF}"
        )
    bits = 256
    if isinstance(key, RSAPublicKey):
        bits = key.key_size
        _check_rsa(key, least_bits)
    else:
        _check_ed25519(key)
    return PublicKey(found, key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), bits, file)


def _read(file: Path) -> bytes:
    hint = "write a path that counts from the working directory, or the PEM text itself"
    what = _shown(file)
    try:
        # Asked first: opening a pipe would wait for somebody to write into it.
        regular = stat.S_ISREG(file.stat().st_mode)
        data = _beginning(file) if regular else None
    except OSError as error:
        message = f"{what} cannot be read: {error.strerror or 'unreadable'}"
        raise UnusableValueError(message, hint) from None
    except ValueError:
        raise UnusableValueError("this is no path", hint) from None
    if data is None:
        raise UnusableValueError(f"{what} is no file", hint)
    if len(data) > _MOST_BYTES:
        raise UnusableValueError(f"{what} is too large for a key", hint)
    return data


def _shown(file: Path) -> str:
    """The whole path that was tried, where it has a key file's name. A key without its PEM lines looks like a path, too."""
    return str(file.absolute()) if _KEY_FILE.fullmatch(str(file)) else "what this path names"


def _beginning(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(_MOST_BYTES + 1)


def _parsed(pem: bytes) -> RSAPublicKey | Ed25519PublicKey:
    wrong = UnusableValueError(
        "this is no public key in PEM", f"it begins with -----BEGIN PUBLIC KEY-----; {PUBLIC_HALF}"
    )
    if pem.count(b"-----BEGIN") != 1:
        raise wrong
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise wrong from None
    if not isinstance(key, RSAPublicKey | Ed25519PublicKey):
        raise UnusableValueError("keys of this type are not known here", "use an RSA or an Ed25519 key")
    return key


def _check_rsa(key: RSAPublicKey, least_bits: int) -> None:
    numbers = key.public_numbers()
    hint = f"`{_MAKE['rsa']}` makes a good one"
    if not least_bits <= key.key_size <= MOST_RSA_BITS:
        message = f"this RSA key has {key.key_size} bits; it needs {least_bits} to {MOST_RSA_BITS}"
        raise UnusableValueError(message, hint)
    if numbers.e < _LEAST_EXPONENT or numbers.e % 2 == 0 or numbers.e.bit_length() > _MOST_EXPONENT_BITS:
        raise UnusableValueError(
            "this RSA key's exponent is not 65537 or a larger odd number of 64 bits", hint
        )
    if numbers.n % 2 == 0:
        raise UnusableValueError("this RSA key's modulus is even, which no key's is", hint)


def _check_ed25519(key: Ed25519PublicKey) -> None:
    """Under a point of small order, signatures can be made without any private key."""
    if not crypto_core_ed25519_is_valid_point(key.public_bytes_raw()):
        raise UnusableValueError(
            "this is no point that an Ed25519 key pair has", f"`{_MAKE['ed25519']}` makes a key"
        )
