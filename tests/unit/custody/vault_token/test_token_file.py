"""Custody's Vault token, and the file that it is renewed through."""

import os
from pathlib import Path

import pytest

from vaultsigner.custody.vault_token.token_file import LONGEST_TOKEN, VaultToken


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def text_of(token: VaultToken) -> str | None:
    return None if token.value is None else token.value.decode()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("s.first\n")
    return path


@pytest.fixture
def descriptor(file: Path) -> int:
    """The token's to close, once it has another."""
    return os.open(file, os.O_RDONLY)


def test_the_token_is_read_through_the_descriptor_alone(file: Path, descriptor: int, clock: Clock) -> None:
    file.unlink()
    assert text_of(VaultToken(descriptor, file, clock)) == "s.first"


def test_a_file_written_over_is_noticed(file: Path, descriptor: int, clock: Clock) -> None:
    token = VaultToken(descriptor, file, clock)
    file.write_text("s.second")
    clock.now += 1
    assert token.refused(token.generation)
    assert text_of(token) == "s.second"


def test_a_file_replaced_by_renaming_is_noticed(file: Path, descriptor: int, clock: Clock) -> None:
    token = VaultToken(descriptor, file, clock)
    (file.parent / "new").write_text("s.second")
    (file.parent / "new").rename(file)
    clock.now += 1
    assert token.refused(token.generation)
    assert text_of(token) == "s.second"
    clock.now += 1
    assert not token.refused(token.generation)


def test_the_file_is_looked_at_once_a_second_at_most(file: Path, descriptor: int, clock: Clock) -> None:
    token = VaultToken(descriptor, file, clock)
    file.write_text("s.second")
    assert not token.refused(token.generation)
    clock.now += 0.9
    assert not token.refused(token.generation)
    clock.now += 0.1
    assert token.refused(token.generation)


def test_a_token_changed_meanwhile_is_worth_trying_at_once(file: Path, descriptor: int, clock: Clock) -> None:
    token = VaultToken(descriptor, file, clock)
    asked_with = token.generation
    file.write_text("s.second")
    token.look()
    assert token.refused(asked_with)


def test_a_file_that_appears_later_is_taken(tmp_path: Path, clock: Clock) -> None:
    token = VaultToken(None, tmp_path / "token", clock)
    assert token.value is None
    assert "there is no token yet" in token.remedy
    (tmp_path / "token").write_text("s.late")
    clock.now += 1
    assert token.refused(token.generation)
    assert text_of(token) == "s.late"


@pytest.mark.parametrize(
    "text", ["", "\n", "two words", "s.first\ns.second", "s.\x00", "s.ü", "x" * (LONGEST_TOKEN + 1)]
)
def test_what_is_no_token_is_not_sent(tmp_path: Path, clock: Clock, text: str) -> None:
    """A line break in a token would be a header of the attacker's choice."""
    (tmp_path / "token").write_text(text)
    assert VaultToken(None, tmp_path / "token", clock).value is None


def test_an_emptied_file_leaves_the_old_token(file: Path, descriptor: int, clock: Clock) -> None:
    token = VaultToken(descriptor, file, clock)
    file.write_text("")
    assert not token.look()
    assert text_of(token) == "s.first"


def test_the_old_token_is_wiped(file: Path, descriptor: int, clock: Clock) -> None:
    token = VaultToken(descriptor, file, clock)
    old = token.value
    file.write_text("s.second")
    token.look()
    assert old is not None
    assert not any(old)


def test_a_pipe_in_place_of_the_file_does_not_hang_custody(tmp_path: Path, clock: Clock) -> None:
    os.mkfifo(tmp_path / "token")
    assert VaultToken(None, tmp_path / "token", clock).value is None


@pytest.mark.parametrize("text", ['{"token":"s.wrapped","ttl":300}', '{"curve25519_public_key":"x"}'])
def test_a_wrapped_sink_of_an_agent_is_no_token(tmp_path: Path, clock: Clock, text: str) -> None:
    """Without a blank in it, it would look like one word."""
    (tmp_path / "token").write_text(text)
    token = VaultToken(None, tmp_path / "token", clock)
    assert token.value is None
    assert "without wrap_ttl and dh_type" in token.remedy
    (tmp_path / "token").write_text("s.plain")
    clock.now += 1
    assert token.refused(token.generation)
    assert text_of(token) == "s.plain"
    assert "wrap_ttl" not in token.remedy
