"""A token that custody logs in for: who waits for it, and how often it is doubted."""

import pytest

from tests.unit.custody.vault_token.test_token_file import Clock
from vaultsigner.custody.vault_token.logged_in_token import LoggedInToken


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def token(clock: Clock) -> LoggedInToken:
    return LoggedInToken(clock)


def test_before_the_first_log_in_questions_wait(token: LoggedInToken) -> None:
    assert token.pending
    token.not_had("no secret id")
    assert not token.pending
    assert token.remedy == "no secret id"
    token.adopt(bytearray(b"s.one"))
    token.found_good()
    assert (token.value, token.pending) == (bytearray(b"s.one"), False)


def test_a_refusal_is_looked_into_once_a_second_at_most(token: LoggedInToken, clock: Clock) -> None:
    """A policy that lacks a line would otherwise have the token looked up at every question."""
    token.adopt(bytearray(b"s.one"))
    token.found_good()
    assert not token.refused(token.generation)
    assert not token.pending
    assert not token.woken.is_set()
    assert token.in_doubt, "it is looked into, but nobody waits for that"
    clock.now += 1
    assert not token.refused(token.generation)
    assert token.pending
    assert token.woken.is_set()
    token.found_good()
    assert not token.pending


def test_one_of_another_process_is_used_but_not_defended(token: LoggedInToken) -> None:
    """It may have been revoked while nobody had it: who is refused first waits for what the keeper finds out."""
    token.adopt(bytearray(b"s.one"))
    token.presumed_good()
    assert not token.pending
    assert not token.refused(token.generation)
    assert token.pending
    assert token.woken.is_set()


def test_a_refusal_of_an_older_token_is_tried_again_at_once(token: LoggedInToken) -> None:
    token.adopt(bytearray(b"s.one"))
    asked_with = token.generation
    old = token.value
    token.adopt(bytearray(b"s.two"))
    assert token.refused(asked_with)
    assert old is not None
    assert not any(old), "wiped"


def test_a_lost_token_is_wiped_and_waited_for(token: LoggedInToken) -> None:
    token.adopt(bytearray(b"s.one"))
    token.found_good()
    held = token.value
    token.lost()
    assert token.value is None
    assert token.pending
    assert held is not None
    assert not any(held)


def test_who_waits_is_told(token: LoggedInToken) -> None:
    told = []
    token.decided = lambda: told.append(token.value is not None)
    token.not_had("nothing")
    token.adopt(bytearray(b"s.one"))
    token.found_good()
    token.not_found_out()
    assert told == [False, True, True]
