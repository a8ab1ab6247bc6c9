"""From the text of a secret to a secp256k1 private key in a buffer of 32 bytes, and its public half."""

from vaultsigner.custody.mnemonics import MnemonicError, derive_scalar
from vaultsigner.custody.secp256k1 import SCALAR_LENGTH, public_key_of
from vaultsigner.custody.secret_view import SecretView
from vaultsigner.custody.wiping import wipe
from vaultsigner.errors import CustodyError

_NOT_HEX = 0xFF
_NIBBLES = bytes(
    int(chr(byte), 16) if chr(byte) in "0123456789abcdefABCDEF" else _NOT_HEX for byte in range(256)
)


class SigningKey:
    """A private key in memory. Made by one of the two functions below, inside the callback of one read.

    Args:
        scalar: 32 bytes, big-endian. Taken over: wiped when the key is, or when it turns out to be none.

    Raises:
        ValueError: it is no private key of the curve.
    """

    __slots__ = ("public_key", "scalar")

    def __init__(self, scalar: bytearray) -> None:
        try:
            self.public_key = public_key_of(scalar)
        except ValueError:
            wipe(scalar)
            raise
        self.scalar = scalar

    def wipe(self) -> None:
        """Overwrite the private half."""
        wipe(self.scalar)


def key_from_hex(secret: SecretView) -> SigningKey:
    """The key written as 64 hex digits.

    Raises:
        CustodyError: key_malformed.
    """
    text, scalar = secret.value, bytearray(SCALAR_LENGTH)
    malformed = len(text) != 2 * SCALAR_LENGTH
    if not malformed:
        # Digit by digit: every integer here is one of CPython's shared small ones, so nothing of the key is left behind.
        for index in range(SCALAR_LENGTH):
            high, low = _NIBBLES[text[2 * index]], _NIBBLES[text[2 * index + 1]]
            malformed |= (high | low) == _NOT_HEX
            scalar[index] = (high << 4 | low) & 0xFF
    if not malformed:
        try:
            return SigningKey(scalar)
        except ValueError:
            pass
    wipe(scalar)
    raise CustodyError(
        "key_malformed", f"{secret.reference} is not a private key of 64 hex digits: import it again"
    )


def key_from_mnemonic(secret: SecretView) -> SigningKey:
    """The first key (path 44'/714'/0'/0/0) of a BIP39 mnemonic.

    Raises:
        CustodyError: key_malformed.
    """
    try:
        return SigningKey(derive_scalar(secret.value))
    except (MnemonicError, ValueError) as error:
        problem = str(error)
    raise CustodyError("key_malformed", f"{secret.reference} is not a usable mnemonic: {problem}")
