"""Public keys: which count, and why the others do not."""

import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from tests.unit.config.keys_at_hand import ec_pem, ed25519_pem, pem, rsa_pem, rsa_private_pem
from vaultsigner.config.problems import UnusableValueError
from vaultsigner.config.public_keys import KeyType, fingerprint, making, read_public_key


def refusal(text: str, kind: KeyType | None = None, least_bits: int = 2048) -> str:
    with pytest.raises(UnusableValueError) as caught:
        read_public_key(text, kind=kind, least_bits=least_bits)
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "kind", "bits"), [(rsa_pem(2048), "rsa", 2048), (ed25519_pem(), "ed25519", 256)]
)
def test_a_key_is_read_from_text_and_from_a_file(tmp_path: Path, text: str, kind: KeyType, bits: int) -> None:
    file = tmp_path / "key.pem"
    file.write_text(text)
    one, other = read_public_key(text, kind=kind), read_public_key(str(file))
    assert one == other
    assert (one.kind, one.bits, one.file, other.file) == (kind, bits, None, file)
    key = load_der_public_key(one.der)
    assert isinstance(key, rsa.RSAPublicKey | ed25519.Ed25519PublicKey)
    assert pem(key) == text


def test_the_older_form_of_rsa_keys_is_the_same_key() -> None:
    key = load_der_public_key(read_public_key(rsa_pem(2048)).der)
    assert isinstance(key, rsa.RSAPublicKey)
    older = key.public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()
    assert "BEGIN RSA PUBLIC KEY" in older
    assert read_public_key(older) == read_public_key(rsa_pem(2048))


def test_a_path_counts_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key.pem").write_text(ed25519_pem())
    monkeypatch.chdir(tmp_path)
    assert read_public_key("key.pem").kind == "ed25519"


def test_a_key_of_another_type_is_refused() -> None:
    assert refusal(rsa_pem(2048), "ed25519") == "this is a key of type rsa, not ed25519"
    assert refusal(ed25519_pem(), "rsa") == "this is a key of type ed25519, not rsa"
    assert "this type" in refusal(ec_pem())


def test_a_private_key_is_refused_and_never_repeated(tmp_path: Path) -> None:
    text = rsa_private_pem()
    assert refusal(text) == "this is a private key; only its public half belongs here"
    file = tmp_path / "private.pem"
    file.write_text(text)
    assert refusal(str(file)) == refusal(text)
    assert refusal(rsa_pem(2048) + text) == refusal(text)


@pytest.mark.parametrize(("bits", "least"), [(1024, 2048), (2047, 2048), (1023, 1024), (16_385, 2048)])
def test_an_rsa_key_of_another_size_is_refused(bits: int, least: int) -> None:
    text = rsa_pem(bits, 65_539)
    assert refusal(text, least_bits=least) == f"this RSA key has {bits} bits; it needs {least} to 16384"


@pytest.mark.parametrize(("bits", "least"), [(2048, 2048), (1024, 1024), (16_384, 2048)])
def test_the_bounds_themselves_are_good(bits: int, least: int) -> None:
    assert read_public_key(rsa_pem(bits, 65_539), least_bits=least).bits == bits


@pytest.mark.parametrize("exponent", [3, 17, 65_535, (1 << 64) + 1])
def test_an_exponent_that_invites_forgery_or_that_openssl_would_not_take_is_refused(exponent: int) -> None:
    assert "exponent" in refusal(rsa_pem(2048, exponent))


@pytest.mark.parametrize(
    "point",
    [
        "01" + "00" * 31,
        "ec" + "ff" * 30 + "7f",
        "00" * 32,
        "00" * 31 + "80",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ],
)
def test_a_point_of_small_order_under_which_anybody_signs_is_refused(point: str) -> None:
    key = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(point))
    assert "no point" in refusal(pem(key))


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        ed25519_pem() + ed25519_pem(),
        ed25519_pem().replace("PUBLIC KEY", "CERTIFICATE"),
        "-----",
    ],
)
def test_other_text_is_no_key(text: str) -> None:
    assert refusal(text) == "this is no public key in PEM"


def test_a_file_that_cannot_be_had_is_told_without_its_name(tmp_path: Path) -> None:
    canary = "MCowBQYDK2VwAyEA-canary"
    missing = refusal(str(tmp_path / canary))
    assert missing == "what this path names cannot be read: No such file or directory"
    assert refusal(str(tmp_path)) == "what this path names is no file"
    assert refusal("a\0b") == "this is no path"
    large = tmp_path / "large.pem"
    large.write_text(ed25519_pem() + " " * 40_000)
    assert "too large" in refusal(str(large))


def test_the_path_that_was_tried_is_told_where_it_cannot_be_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    missing = "cannot be read: No such file or directory"
    assert refusal("config/bot-2.pem") == f"{tmp_path}/config/bot-2.pem {missing}"
    assert refusal("/nowhere/bot.PUB") == f"/nowhere/bot.PUB {missing}"
    (tmp_path / "folder.pem").mkdir()
    assert refusal("folder.pem") == f"{tmp_path}/folder.pem is no file"
    for key in ("MC4CAQAwBQYDK2VwBCIEIC/canary", "MC4CAQAw\nBQYDK2VwBCIEIC.pem", "canary"):
        assert refusal(key) == f"what this path names {missing}"


def test_a_fingerprint_is_what_openssl_and_sha256sum_say(tmp_path: Path) -> None:
    file = tmp_path / "public.pem"
    file.write_text(ed25519_pem())
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", str(file), "-outform", "DER"], check=True, capture_output=True
    ).stdout
    assert fingerprint(read_public_key(str(file)).der) == f"sha256:{hashlib.sha256(der).hexdigest()}"


def test_a_pipe_in_the_place_of_a_key_stops_nobody(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert refusal(str(pipe)) == "what this path names is no file"


def test_the_commands_that_make_a_pair_are_openssl_s() -> None:
    for kind in ("rsa", "ed25519"):
        assert all(command.startswith("openssl ") for command in making(kind))
