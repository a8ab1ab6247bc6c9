"""The three calls python-binance-chain makes of the package secp256k1, which no longer builds, upon coincurve."""

import coincurve


class PublicKey:
    """What `PrivateKey.pubkey` is."""

    def __init__(self, key: coincurve.PublicKey) -> None:
        self._key = key

    def serialize(self, compressed: bool = True) -> bytes:
        """The SEC1 form of the point."""
        return self._key.format(compressed)


class PrivateKey:
    """A key from its 32 bytes."""

    def __init__(self, secret: bytes) -> None:
        self._key = coincurve.PrivateKey(secret)
        self.pubkey = PublicKey(self._key.public_key)

    def ecdsa_sign(self, message: bytes) -> bytes:
        """Signs the SHA-256 of the message; the result is for `ecdsa_serialize_compact`."""
        return self._key.sign_recoverable(message)

    def ecdsa_serialize_compact(self, signature: bytes) -> bytes:
        """r and s, 32 bytes each."""
        return signature[:64]
