"""`vaultsigner users hash-password`: the line for config.yml, and the password nowhere."""

import pytest

from tests.integration.cli.program import Program
from vaultsigner.authentication.passwords import verify_password

PASSWORD = "correct horse battery staple"


@pytest.fixture
def bare(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """No Vault is needed here."""
    return Program(tmp_path_factory.mktemp("home"))


def hash_in(line: str) -> str:
    name, _, value = line.strip().partition(": ")
    assert name == "password_hash"
    assert value.startswith('"$argon2id$')
    return value.strip('"')


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_piped_password_becomes_the_line(bare: Program, ending: str) -> None:
    done = bare.run("users", "hash-password", typed=PASSWORD + ending)
    assert (done.status, done.err) == (0, "")
    assert verify_password(hash_in(done.out), PASSWORD.encode())
    assert PASSWORD not in done.out


def test_a_typed_password_is_asked_for_twice_and_never_shown(bare: Program) -> None:
    done = bare.converse(
        "users", "hash-password", dialogue=[("Password (not shown): ", PASSWORD), ("Again: ", PASSWORD)]
    )
    assert done.status == 0, done.out
    assert PASSWORD not in done.out
    assert verify_password(hash_in(done.out.strip().splitlines()[-1]), PASSWORD.encode())


def test_two_different_passwords_give_no_hash(bare: Program) -> None:
    done = bare.converse(
        "users",
        "hash-password",
        dialogue=[("Password (not shown): ", PASSWORD), ("Again: ", "something else")],
    )
    assert done.status == 1
    assert "argon2" not in done.out


@pytest.mark.parametrize("typed", ["", "\n", "two\nlines\n"])
def test_no_password_and_two_lines_are_refused(bare: Program, typed: str) -> None:
    done = bare.run("users", "hash-password", typed=typed)
    assert done.status == 1
    assert len(done.err.splitlines()) == 1


def test_a_short_password_is_warned_about(bare: Program) -> None:
    done = bare.run("users", "hash-password", typed="short")
    assert done.status == 0
    assert "longer" in done.err
    assert "short" not in done.err


def test_a_password_is_no_argument(bare: Program) -> None:
    assert bare.run("users", "hash-password", PASSWORD).status == 2
