"""Argon2id and bcrypt, and what merely looks like them."""

import bcrypt
import pytest
from argon2 import PasswordHasher

from vaultsigner.authentication.passwords import credential_fingerprint, hash_password, verify_password

CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


def test_a_new_hash_is_argon2id_and_verifies() -> None:
    hashed = hash_password("päss")
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert verify_password(hashed, "päss".encode())
    assert not verify_password(hashed, b"pass")


@pytest.mark.parametrize("prefix", [b"2a", b"2b", b"2y"])
def test_bcrypt_hashes_of_the_old_service_verify(prefix: bytes) -> None:
    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).replace(b"$2b$", b"$" + prefix + b"$").decode()
    assert verify_password(hashed, b"secret")
    assert not verify_password(hashed, b"Secret")


def test_bcrypt_cuts_long_passwords_off_as_it_always_did() -> None:
    hashed = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
    assert verify_password(hashed, b"x" * 100)
    assert not verify_password(hashed, b"x" * 71)


@pytest.mark.parametrize(
    "hashed",
    [
        "",
        "secret",
        "$argon2id$",
        "$argon2id$v=19$m=1,t=1,p=1$x$y",
        "$2b$",
        "$2b$12$short",
        "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$AAAA",
    ],
)
def test_what_is_no_hash_matches_nothing(hashed: str) -> None:
    assert not verify_password(hashed, b"secret")
    assert not verify_password(hashed, hashed.encode())


@pytest.mark.parametrize("password", [b"", b"\x00", b"a\x00b", b"x" * 100_000])
def test_odd_passwords_are_passwords_too(password: bytes) -> None:
    hashed = CHEAP.hash(password)
    assert verify_password(hashed, password)
    assert not verify_password(hashed, password + b"!")
    assert not verify_password(bcrypt.hashpw(b"other", bcrypt.gensalt(4)).decode(), password)


def test_the_fingerprint_changes_with_the_hash() -> None:
    one, other = CHEAP.hash("same"), CHEAP.hash("same")
    assert credential_fingerprint(one) == credential_fingerprint(one) != credential_fingerprint(other)
    assert len(credential_fingerprint(one)) == 16
