"""Public keys made on the spot, in PEM."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

AnyPublicKey = rsa.RSAPublicKey | ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey


def pem(key: AnyPublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@cache
def rsa_pem(bits: int, exponent: int = 65_537) -> str:
    """Of a modulus with no known factors where the exponent is odd to OpenSSL's generator, else of any odd number."""
    if exponent in (3, 65_537):
        return pem(rsa.generate_private_key(exponent, bits).public_key())
    return pem(rsa.RSAPublicNumbers(exponent, (1 << bits) - 1).public_key())


@cache
def rsa_private_pem() -> str:
    key = rsa.generate_private_key(65_537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@cache
def ed25519_pem() -> str:
    return pem(ed25519.Ed25519PrivateKey.generate().public_key())


@cache
def ec_pem() -> str:
    return pem(ec.generate_private_key(ec.SECP256R1()).public_key())
