"""Signatures fit or do not; nothing malformed raises, and no signature has a second spelling beyond the case of hex digits."""

import hashlib
import hmac
import tracemalloc
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA512
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.authentication.request_vectors import KEYS, SCHEMES, fits_of, public_der, secret, sign
from vaultsigner.authentication.request_signatures import (
    ed25519_fits,
    hmac_digest_fits,
    hmac_fits,
    rsa_fits,
)

PAYLOAD = b"timestamp=1499827319559"
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

every_scheme = pytest.mark.parametrize("key", SCHEMES.values(), ids=SCHEMES.keys())
asymmetric = pytest.mark.parametrize("key", ["rsa_test", "ed25519_test"])


def text_of(key: str) -> bytes:
    return sign(key, PAYLOAD).encode()


def test_published_example_of_hmac() -> None:
    """Binance, Spot API documentation, "SIGNED Endpoint Example for POST /api/v3/order"."""
    payload = (
        b"symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1"
        b"&recvWindow=5000&timestamp=1499827319559"
    )
    digest = b"c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    assert hmac_fits(secret("hmac_doc"), payload, digest)


@every_scheme
def test_the_control_of_these_tests_fits(key: str) -> None:
    assert fits_of(key)(PAYLOAD, text_of(key))
    assert not fits_of(key)(PAYLOAD + b" ", text_of(key))


@pytest.mark.parametrize("wrap", [bytes, bytearray, lambda key: memoryview(bytearray(key))])
def test_the_secret_may_be_any_buffer_and_stays_as_it_was(wrap: Callable[[bytes], bytearray]) -> None:
    for plain in (secret("hmac_test"), b"k" * 64, b"k" * 65, b"k" * 1000):
        buffer = wrap(plain)
        assert hmac_fits(buffer, PAYLOAD, hmac.new(plain, PAYLOAD, "sha256").hexdigest().encode())
        assert bytes(buffer) == plain


def test_the_secret_is_not_copied() -> None:
    """As seen by Python's own allocator: a secret of 8 MiB, and not even one of them is taken on the way."""
    long_secret = bytearray(8 << 20)
    tracemalloc.start()
    try:
        hmac_fits(long_secret, PAYLOAD, b"0" * 64)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
        tracemalloc.reset_peak()
        bytes(long_secret)
        assert tracemalloc.get_traced_memory()[1] > 8 << 20
    finally:
        tracemalloc.stop()


def test_a_client_without_a_secret_can_be_impersonated_by_nobody() -> None:
    digest = hmac.new(b"", PAYLOAD, "sha256").digest()
    assert not hmac_fits(b"", PAYLOAD, digest.hex().encode())
    assert not hmac_digest_fits(bytearray(), PAYLOAD, digest)


def test_hex_digits_may_be_of_either_case() -> None:
    assert hmac_fits(secret("hmac_test"), PAYLOAD, text_of("hmac_test").upper())
    mixed = bytes(
        byte ^ 32 if index % 2 and chr(byte).isalpha() else byte
        for index, byte in enumerate(text_of("hmac_test"))
    )
    assert hmac_fits(secret("hmac_test"), PAYLOAD, mixed)


def hex_misspellings() -> list[bytes]:
    good = text_of("hmac_test")
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in good.decode()).encode()
    return [
        b"", good[:-1], good[:-2], good + b"00", good + b" ", b" " + good, good + b"\n", b"0x" + good, good + b"=",
        good[:32] + b" " + good[32:], good[:62] + b" " + good[62:], b":".join([good[:32], good[32:]]), wide,
        b64encode(bytes.fromhex(good.decode())), bytes.fromhex(good.decode()), good * 2, b"\xff" * 64, b"g" * 64,
    ]  # fmt: skip


@pytest.mark.parametrize("text", hex_misspellings())
def test_hmac_in_another_spelling_is_refused(text: bytes) -> None:
    assert not hmac_fits(secret("hmac_test"), PAYLOAD, text)


def misspellings(good: bytes) -> dict[str, bytes]:
    raw = b64decode(good)
    bare = good.rstrip(b"=")
    return {
        "empty": b"",
        "no padding": bare,
        "half the padding": good[:-1],
        "more padding": good + b"=",
        "a group of padding": good + b"====",
        "spare bits": bare[:-1] + BASE64[BASE64.index(bare[-1]) + 1 :][:1] + good[len(bare) :],
        "url-safe": urlsafe_b64encode(raw),
        "line end": good + b"\n",
        "lines of 76": b"\n".join(good[start : start + 76] for start in range(0, len(good), 76)),
        "leading blank": b" " + good,
        "blank for plus": good.replace(b"+", b" "),
        "foreign character": good[:8] + b"!" + good[8:],
        "padding inside": b64encode(raw[:1]) + b64encode(raw[1:]),
        "not ASCII": good[:-4] + "é".encode() * 2,
        "hex": raw.hex().encode(),
        "raw": raw,
        "a zero byte more": b64encode(raw + b"\0"),
        "a zero byte before": b64encode(b"\0" + raw),
        "a byte less": b64encode(raw[:-1]),
        "zeros": b64encode(bytes(len(raw))),
        "twice": good * 2,
    }


def signature_with_plus_and_slash(key: str) -> tuple[bytes, bytes]:
    for number in range(100):
        payload = PAYLOAD + f"&a={number}".encode()
        text = sign(key, payload).encode()
        if b"+" in text and b"/" in text:
            return payload, text
    raise AssertionError("no signature of a hundred has both characters")


@asymmetric
def test_base64_in_another_spelling_is_refused(key: str) -> None:
    payload, good = signature_with_plus_and_slash(key)
    fits = fits_of(key)
    assert fits(payload, good)
    for name, text in misspellings(good).items():
        assert text != good, name
        assert not fits(payload, text), name


@asymmetric
@pytest.mark.parametrize("form", ["PEM", "PEM text", "DER"])
def test_public_key_used_as_hmac_secret_is_refused(key: str, form: str) -> None:
    pem = KEYS[key]["public_key"].encode()
    forged_with = {"PEM": pem, "PEM text": pem.strip(), "DER": public_der(key)}[form]
    forged = hmac.new(forged_with, PAYLOAD, "sha256")
    for text in (forged.hexdigest().encode(), b64encode(forged.digest())):
        assert not fits_of(key)(PAYLOAD, text)


@asymmetric
def test_broken_and_foreign_keys_fit_nothing(key: str) -> None:
    good, der = text_of(key), public_der(key)
    verifier = rsa_fits if key == "rsa_test" else ed25519_fits
    elliptic = ec.generate_private_key(ec.SECP256K1()).public_key()
    foreign = elliptic.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    other = public_der("ed25519_test" if key == "rsa_test" else "rsa_test")
    pem = KEYS[key]["public_key"].encode()
    for broken in (b"", der[:-1], der + b"\0", der[1:], pem, der[12:], foreign, other, bytes(44)):
        assert not verifier(broken, PAYLOAD, good)


def test_rsa_signature_of_another_padding_or_digest_is_refused() -> None:
    private = load_pem_private_key(KEYS["rsa_test"]["private_key"].encode(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    for padding, digest in (
        (PKCS1v15(), SHA1()),  # noqa: S303 - to be refused
        (PKCS1v15(), SHA512()),
        (PSS(mgf=MGF1(SHA256()), salt_length=32), SHA256()),
    ):
        made = b64encode(private.sign(PAYLOAD, padding, digest))
        assert not rsa_fits(public_der("rsa_test"), PAYLOAD, made)


def test_rsa_signature_as_another_number_of_the_same_residue_is_refused() -> None:
    """s + n verifies wherever the length and range of s are not looked at."""
    public = load_pem_public_key(KEYS["web3_partner"]["public_key"].encode())
    assert isinstance(public, rsa.RSAPublicKey)
    raw = b64decode(sign("web3_partner", PAYLOAD))
    number = int.from_bytes(raw) + public.public_numbers().n
    for length in (len(raw), len(raw) + 1):
        if number < 256**length:
            assert not rsa_fits(public_der("web3_partner"), PAYLOAD, b64encode(number.to_bytes(length)))
    assert rsa_fits(public_der("web3_partner"), PAYLOAD, b64encode(raw))


def test_rsa_key_with_exponent_one_fits_nothing() -> None:
    """With it the padded digest itself is the signature, so that everybody can sign."""
    modulus = rsa_modulus("rsa_test")
    padded = (
        b"\0\1" + b"\xff" * 202 + b"\0" + bytes.fromhex("3031300d060960864801650304020105000420")
        + hashlib.sha256(PAYLOAD).digest()
    )  # fmt: skip
    assert len(padded) == 256
    assert not rsa_fits(spki(modulus, 1), PAYLOAD, b64encode(padded))
    # The control: the same construction of a key, with its true exponent, does verify.
    assert rsa_fits(spki(modulus, 65537), PAYLOAD, text_of("rsa_test"))


def test_ed25519_signature_past_the_group_order_is_refused() -> None:
    raw = b64decode(text_of("ed25519_test"))
    scalar = int.from_bytes(raw[32:], "little") + GROUP_ORDER
    assert not ed25519_fits(
        public_der("ed25519_test"), PAYLOAD, b64encode(raw[:32] + scalar.to_bytes(32, "little"))
    )


SMALL_ORDER = [
    bytes(32),
    (1).to_bytes(32, "little"),
    (2**255 - 20).to_bytes(32, "little"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    (2**255 - 19).to_bytes(32, "little"),
    (2**255 - 18).to_bytes(32, "little"),
]


@pytest.mark.parametrize("point", SMALL_ORDER, ids=lambda point: point.hex()[:8])
def test_ed25519_key_of_small_order_fits_nothing(point: bytes) -> None:
    """Under such a key the signature (identity, 0) fits any text, or every eighth."""
    der = public_der("ed25519_test")[:12] + point
    for start in (
        *SMALL_ORDER,
        ed25519.Ed25519PrivateKey.from_private_bytes(b"t" * 32).public_key().public_bytes_raw(),
    ):
        for number in range(16):
            assert not ed25519_fits(der, b"%d" % number, b64encode(start + bytes(32)))


@given(st.binary(max_size=100), st.binary(max_size=100), st.binary(max_size=400))
def test_nothing_makes_it_fail(secret_or_key: bytes, payload: bytes, signature: bytes) -> None:
    for text in (signature, b64encode(signature), signature.hex().encode()[:64]):
        assert not hmac_fits(secret_or_key, payload, text)
        assert not rsa_fits(secret_or_key, payload, text)
        assert not rsa_fits(public_der("rsa_test"), payload, text)
        assert not ed25519_fits(secret_or_key, payload, text)
        assert not ed25519_fits(public_der("ed25519_test")[:12] + secret_or_key[:32], payload, text)


def rsa_modulus(key: str) -> int:
    public = load_pem_public_key(KEYS[key]["public_key"].encode())
    assert isinstance(public, rsa.RSAPublicKey)
    return public.public_numbers().n


def spki(modulus: int, exponent: int) -> bytes:
    """SubjectPublicKeyInfo (RFC 5280, section 4.1), by hand: the library makes none with exponent 1."""
    key = tlv(0x30, tlv(2, modulus.to_bytes(257)) + tlv(2, exponent.to_bytes(3).lstrip(b"\0")))
    return tlv(0x30, bytes.fromhex("300d06092a864886f70d0101010500") + tlv(3, b"\0" + key))


def tlv(tag: int, content: bytes) -> bytes:
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes(2).lstrip(b"\0")
    return bytes([tag, 0x80 | len(length)]) + length + content
