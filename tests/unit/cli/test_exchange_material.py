"""What a person gives as an exchange's secret, checked before it goes into Vault."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from vaultsigner.cli.exchange_material import (
    ExchangeMaterial,
    public_pem,
    read_exchange_secret,
    read_private_key,
)
from vaultsigner.cli.key_material import KeyTextError
from vaultsigner.config.public_keys import read_public_key
from vaultsigner.config.settings import ExchangeScheme

SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
"""From Binance's documentation of signed requests."""
AnyPrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey
RSA_2048 = rsa.generate_private_key(65_537, 2048)
ED25519 = ed25519.Ed25519PrivateKey.generate()
P256 = ec.generate_private_key(ec.SECP256R1())


def pem(key: AnyPrivateKey, form: PrivateFormat = PrivateFormat.PKCS8, passphrase: str = "") -> str:
    encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, form, encryption).decode()


def short_rsa(bits: int = 1024) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, bits)


def test_a_shared_secret_is_taken_as_it_is() -> None:
    found = read_exchange_secret("hmac", SECRET)
    assert found == ExchangeMaterial("hmac", SECRET)
    assert found.imported == SECRET.encode()
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    ("scheme", "key", "form", "transit_type"),
    [
        ("rsa", RSA_2048, PrivateFormat.PKCS8, "rsa-2048"),
        ("rsa", RSA_2048, PrivateFormat.TraditionalOpenSSL, "rsa-2048"),
        ("ed25519", ED25519, PrivateFormat.PKCS8, "ed25519"),
    ],
)
def test_a_private_key_comes_in_one_form_whatever_it_was_written_in(
    scheme: ExchangeScheme, key: AnyPrivateKey, form: PrivateFormat, transit_type: str
) -> None:
    found = read_exchange_secret(scheme, pem(key, form))
    assert found.text == pem(key)
    assert found.transit_type == transit_type
    assert found.public_key == read_public_key(public_pem(found.public_key or b"")).der
    same = load_der_private_key(found.imported, None)
    assert isinstance(same, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey)
    assert pem(same) == pem(key)
    assert pem(key).splitlines()[1] not in repr(found)


WRONG = [
    ("hmac", "", "0 were given"),
    ("hmac", "two words", "9 were given"),
    ("hmac", f"{SECRET}\n", "65 were given"),
    ("hmac", "s\u00e9cret", "6 were given"),
    ("hmac", "x" * 513, "513 were given"),
    ("hmac", pem(ED25519), "is the scheme right?"),
    ("rsa", pem(ED25519), "of type ed25519, not rsa"),
    ("ed25519", pem(RSA_2048), "of type rsa, not ed25519"),
    ("ed25519", pem(P256), "keys of this type are not known"),
    ("ed25519", SECRET, "no private key in PEM"),
    (
        "ed25519",
        public_pem(read_exchange_secret("ed25519", pem(ED25519)).public_key or b""),
        "the public half",
    ),
    ("ed25519", pem(ED25519)[:-40], "cannot be read"),
    ("ed25519", pem(ED25519, PrivateFormat.OpenSSH), "cannot be read"),
    ("rsa", pem(RSA_2048, passphrase="canary"), "it has a passphrase: `openssl pkey"),
    ("rsa", pem(short_rsa()), "1024 bits; it needs 2048"),
]


@pytest.mark.parametrize(("scheme", "text", "told"), WRONG, ids=[told for _, _, told in WRONG])
def test_what_cannot_be_used_is_told_without_repeating_it(
    scheme: ExchangeScheme, text: str, told: str
) -> None:
    with pytest.raises(KeyTextError) as caught:
        read_exchange_secret(scheme, text)
    assert told in str(caught.value)
    shown = f"{caught.value}{caught.value.__cause__}"
    assert not [line for line in text.splitlines() if len(line) > 8 and "-----" not in line and line in shown]


def test_an_app_s_key_may_be_of_an_older_time() -> None:
    text = pem(short_rsa())
    assert read_private_key(text, "rsa", least_bits=1024).transit_type == "rsa-1024"
