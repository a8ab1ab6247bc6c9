"""Private keys in PEM: taken out of Vault's JSON, of the right kind and size, or refused with what to do."""

from collections.abc import Callable
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPrivateNumbers,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.unit.custody.secrets_at_hand import secret_view
from vaultsigner.custody.pem_key import PemKey, check_pem_key, pem_key, sign_rsa
from vaultsigner.custody.secret_view import SecretView
from vaultsigner.errors import CustodyError

Load = Callable[[SecretView], PemKey]
EDWARDS = Ed25519PrivateKey.from_private_bytes(b"a test key of thirty-two bytes!!")


@cache
def rsa(bits: int = 2048) -> RSAPrivateKey:
    return generate_private_key(65537, bits)


def pem(
    key: object,
    form: PrivateFormat = PrivateFormat.PKCS8,
    encryption: KeySerializationEncryption | None = None,
) -> str:
    assert hasattr(key, "private_bytes")
    data: bytes = key.private_bytes(Encoding.PEM, form, encryption or NoEncryption())
    return data.decode()


def error_of(use: Callable[[], object]) -> CustodyError:
    with pytest.raises(CustodyError) as caught:
        use()
    return caught.value


@pytest.mark.parametrize("load", [pem_key, check_pem_key])
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_an_rsa_key_signs(load: Load, form: PrivateFormat) -> None:
    secret, _ = secret_view(pem(rsa(), form))
    signature = sign_rsa(secret.derive(load).rsa("here", 2048), "here", b"payload")
    rsa().public_key().verify(signature, b"payload", PKCS1v15(), SHA256())


@pytest.mark.parametrize("load", [pem_key, check_pem_key])
@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_an_ed25519_key_signs(load: Load, ending: str) -> None:
    secret, _ = secret_view(pem(EDWARDS).strip().replace("\n", ending or "\n") + ending)
    assert secret.derive(load).ed25519("here").sign(b"payload") == EDWARDS.sign(b"payload")


@pytest.mark.parametrize("load", [pem_key, check_pem_key])
@pytest.mark.parametrize(
    "text",
    [
        "not a key",
        "3dcc267e1f7edca86e03f0963b2d0b7804552d3014caddcfc435a4d7bc240cf5",
        pem(EDWARDS)[:60],
        pem(EDWARDS).replace("PRIVATE", "PUBLIC"),
        EDWARDS.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        pem(EDWARDS, encryption=BestAvailableEncryption(b"passphrase")),
        pem(EDWARDS, PrivateFormat.OpenSSH),
        pem(generate_ec(SECP256R1())),
        pem(rsa())[:-80],
    ],
)
def test_what_is_no_key_that_can_be_used_says_where_it_lies_and_not_what_it_is(load: Load, text: str) -> None:
    secret, _ = secret_view(text)
    error = error_of(lambda: secret.derive(load))
    assert error.code == "key_malformed"
    assert "vault:secret/wallets/wallet_1#value" in str(error)
    assert text[:12] not in str(error)
    assert error.__context__ is None, "a kept exception keeps its frames"


@pytest.mark.parametrize("value", ["", None, 7, ["x"]])
def test_an_empty_field_or_another_type_is_none(value: object) -> None:
    assert error_of(lambda: secret_view(value)[0].derive(pem_key)).code == "key_malformed"


def test_the_other_kind_of_key_is_refused() -> None:
    edwards, modular = secret_view(pem(EDWARDS))[0], secret_view(pem(rsa()))[0]
    for use in (
        lambda: edwards.derive(pem_key).rsa("here", 2048),
        lambda: modular.derive(pem_key).ed25519("here"),
    ):
        error = error_of(use)
        assert error.code == "key_malformed"
        assert "here" in str(error)


@pytest.mark.parametrize(
    ("bits", "smallest", "good"), [(1024, 2048, False), (1024, 1024, True), (2048, 2048, True)]
)
def test_a_size_out_of_bounds_is_refused(bits: int, smallest: int, good: bool) -> None:
    key = secret_view(pem(rsa(bits)))[0].derive(pem_key)
    if good:
        assert key.rsa("here", smallest).key_size == bits
    else:
        assert error_of(lambda: key.rsa("here", smallest)).code == "key_malformed"


def test_a_key_whose_numbers_do_not_belong_together_signs_nothing() -> None:
    """A wrong signature of a right key would tell its factors (Boneh, DeMillo, Lipton 1997)."""
    numbers, others = rsa().private_numbers(), rsa(1024).private_numbers()
    spoilt = RSAPrivateNumbers(
        numbers.p,
        numbers.q,
        numbers.d,
        others.dmp1,
        numbers.dmq1,
        numbers.iqmp,
        numbers.public_numbers,
    ).private_key(unsafe_skip_rsa_key_validation=True)
    foreign = RSAPrivateNumbers(
        numbers.p,
        numbers.q,
        numbers.d + 2,
        numbers.dmp1 + 2,
        numbers.dmq1 + 2,
        numbers.iqmp,
        numbers.public_numbers,
    ).private_key(unsafe_skip_rsa_key_validation=True)
    rsa().public_key().verify(sign_rsa(spoilt, "here", b"payload"), b"payload", PKCS1v15(), SHA256())
    assert error_of(lambda: sign_rsa(foreign, "here", b"payload")).code == "key_malformed"
    text = pem(foreign)
    assert secret_view(text)[0].derive(pem_key).rsa("here", 2048)
    assert error_of(lambda: secret_view(text)[0].derive(check_pem_key)).code == "key_malformed"


def test_a_key_is_loaded_once_for_all_who_share_a_read_and_gone_afterwards() -> None:
    secret, _ = secret_view(pem(EDWARDS))
    key = secret.derive(pem_key)
    assert secret.derive(pem_key) is key
    secret.close()
    assert error_of(lambda: key.ed25519("here")).code == "key_malformed"
