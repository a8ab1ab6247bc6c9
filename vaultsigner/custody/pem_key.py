"""Private keys in PEM, as exchanges and the Open API give them out: RSA and Ed25519, in memory for the length of one use.

OpenSSL holds the key; it cleanses its own numbers when the key is freed, and the allocator poisons whatever else is.
"""

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from vaultsigner.custody.secret_view import SecretView
from vaultsigner.custody.shared_secret import shared_secret
from vaultsigner.errors import CustodyError

LARGEST_RSA_BITS = 4096
_HOW_TO_MEND = "import the key again, as PEM without a passphrase"


class PemKey:
    """A private key of either kind, until it is wiped."""

    __slots__ = ("_key",)

    def __init__(self, key: RSAPrivateKey | Ed25519PrivateKey) -> None:
        self._key: RSAPrivateKey | Ed25519PrivateKey | None = key

    def rsa(self, reference: object, smallest_bits: int) -> RSAPrivateKey:
        """The key, to be used now and not kept.

        Args:
            reference: where it lies, for messages.

        Raises:
            CustodyError: key_malformed; it is of the other kind or another size.
        """
        key = self._key
        if not isinstance(key, RSAPrivateKey):
            raise _malformed(reference, "it is no RSA key, which is what belongs there")
        if not smallest_bits <= key.key_size <= LARGEST_RSA_BITS:
            raise _malformed(
                reference, f"an RSA key must have from {smallest_bits} to {LARGEST_RSA_BITS} bits"
            )
        return key

    def ed25519(self, reference: object) -> Ed25519PrivateKey:
        """As `rsa`."""
        if not isinstance(self._key, Ed25519PrivateKey):
            raise _malformed(reference, "it is no Ed25519 key, which is what belongs there")
        return self._key

    def wipe(self) -> None:
        """Let go of it: OpenSSL frees it with that."""
        self._key = None


def pem_key(secret: SecretView) -> PemKey:
    """The key in a secret; to be had by `SecretView.derive`.

    Whether an RSA key's factors are prime is left to `check_pem_key`, which takes fifty times as long as a signature; whoever
    signs looks at what comes out.

    Raises:
        CustodyError: key_malformed.
    """
    return _load(secret, skip_validation=True)


def check_pem_key(secret: SecretView) -> PemKey:
    """As `pem_key`, with everything about the key's numbers looked at: 35 ms for an RSA key of 2,048 bits, 250 ms for 4,096."""
    return _load(secret, skip_validation=False)


def sign_rsa(key: RSAPrivateKey, reference: object, payload: bytes) -> bytes:
    """RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, section 8.2), verified before it is given out.

    Raises:
        CustodyError: key_malformed; the key's numbers do not belong together, and a wrong signature could tell its factors.
    """
    try:
        signature = key.sign(payload, PKCS1v15(), SHA256())
        key.public_key().verify(signature, payload, PKCS1v15(), SHA256())
    except (ValueError, InvalidSignature):
        problem = "its numbers do not belong together"
    else:
        return signature
    raise _malformed(reference, problem)


def _load(secret: SecretView, *, skip_validation: bool) -> PemKey:
    text = secret.derive(shared_secret).text
    try:
        key = load_pem_private_key(text, None, unsafe_skip_rsa_key_validation=skip_validation)
    except TypeError:
        problem = "it is encrypted"
    except (ValueError, UnsupportedAlgorithm):
        problem = "it is no private key in PEM"
    else:
        if isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
            return PemKey(key)
        problem = "it is neither an RSA nor an Ed25519 key"
    raise _malformed(secret.reference, problem)


def _malformed(reference: object, problem: str) -> CustodyError:
    return CustodyError("key_malformed", f"{reference} cannot be used: {problem}; {_HOW_TO_MEND}")
