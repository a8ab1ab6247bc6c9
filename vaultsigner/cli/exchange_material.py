"""An exchange's secret, or an Open API app's, on its way into Vault: read from a person and checked.

No message here ever repeats what was read.
"""

import re
from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

from vaultsigner.cli.key_material import KeyTextError
from vaultsigner.config.caller_fields import KEY_SCHEMES
from vaultsigner.config.public_keys import CLIENT_RSA_BITS, KeyType, making
from vaultsigner.config.settings import ExchangeScheme
from vaultsigner.custody.pem_key import LARGEST_RSA_BITS

MOST_SECRET_CHARACTERS = 512
_SECRET = re.compile(rf"[!-~]{{1,{MOST_SECRET_CHARACTERS}}}")
_ENCRYPTED = (
    "it has a passphrase: `openssl pkey -in private.pem` asks for that, and its output can be piped in here"
)


@dataclass(frozen=True, slots=True)
class ExchangeMaterial:
    """A secret as it is written to Vault.

    Args:
        text: HMAC's secret as the exchange gave it out, or PEM (PKCS #8, RFC 5958) of a private key.
        der: the private key in DER, as Transit imports it; empty for HMAC.
        public_key: DER, SubjectPublicKeyInfo; None for HMAC.
        transit_type: what Transit calls keys of this type.
    """

    scheme: ExchangeScheme
    text: str = field(repr=False)
    der: bytes = field(repr=False, default=b"")
    public_key: bytes | None = None
    transit_type: str = "hmac"

    @property
    def imported(self) -> bytes:
        """The bytes that Transit is to hold."""
        return self.der or self.text.encode()


def read_exchange_secret(scheme: ExchangeScheme, text: str) -> ExchangeMaterial:
    """Check what a person gave.

    Args:
        scheme: how the exchange wants requests signed.
        text: a secret, or a private key in PEM.

    Raises:
        KeyTextError: it cannot be what the scheme needs.
    """
    kind = KEY_SCHEMES.get(scheme)
    return read_shared_secret(text) if kind is None else read_private_key(text, kind)


def read_shared_secret(text: str) -> ExchangeMaterial:
    """A secret that the exchange made: printable ASCII without blanks.

    Raises:
        KeyTextError: it is not.
    """
    if "-----BEGIN" in text:
        raise KeyTextError("that is a key in PEM, not a secret that is shared; is the scheme right?")
    if _SECRET.fullmatch(text) is None:
        raise KeyTextError(
            f"a secret is 1 to {MOST_SECRET_CHARACTERS} printable ASCII characters without blanks; "
            f"{len(text)} were given, or some are not"
        )
    return ExchangeMaterial("hmac", text)


def read_private_key(text: str, kind: KeyType, *, least_bits: int = CLIENT_RSA_BITS) -> ExchangeMaterial:
    """The private half of a key pair whose public half the exchange has, or will be given.

    Args:
        text: PEM, without a passphrase.
        kind: the type wanted.
        least_bits: of an RSA modulus.

    Raises:
        KeyTextError: it is none of this type, or too weak.
    """
    key = _parsed(text, kind)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    found: KeyType = "rsa" if isinstance(key, RSAPrivateKey) else "ed25519"
    if found != kind:
        raise KeyTextError(f"that is a key of type {found}, not {kind}; `{making(kind)[0]}` makes one")
    transit_type: str = found
    if isinstance(key, RSAPrivateKey):
        if not least_bits <= key.key_size <= LARGEST_RSA_BITS:
            raise KeyTextError(
                f"that RSA key has {key.key_size} bits; it needs {least_bits} to {LARGEST_RSA_BITS}"
            )
        transit_type = f"rsa-{key.key_size}"
    return ExchangeMaterial(
        "rsa" if found == "rsa" else "ed25519",
        text=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        der=key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        public_key=public,
        transit_type=transit_type,
    )


def public_pem(public_key: bytes) -> str:
    """As exchanges take it."""
    return (
        load_der_public_key(public_key)
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        .decode("ascii")
    )


def _parsed(text: str, kind: KeyType) -> RSAPrivateKey | Ed25519PrivateKey:
    if "PUBLIC KEY" in text and "PRIVATE KEY" not in text:
        raise KeyTextError("that is the public half of a key pair; the private half belongs into Vault")
    if "-----BEGIN" not in text:
        raise KeyTextError(
            f"that is no private key in PEM: it begins with -----BEGIN PRIVATE KEY-----; `{making(kind)[0]}` makes one"
        )
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except TypeError:
        raise KeyTextError(_ENCRYPTED) from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyTextError("that private key cannot be read: is it PEM, and whole?") from None
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise KeyTextError("keys of this type are not known here: use an RSA or an Ed25519 key")
    return key
