"""How many log-ins may fail: custody's own limit, which no server can ask past."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from vaultsigner.custody.guesses import Guesses
from vaultsigner.custody.log_in import MOST_FAILED_IN_A_MINUTE, MOST_WAITING, LogIn
from vaultsigner.custody.protocol import LogInRefused


class Clock:
    """Seconds, moved by hand."""

    now = 5.0

    def __call__(self) -> float:
        return self.now


def test_six_hundred_a_minute_and_no_more() -> None:
    clock = Clock()
    guesses = Guesses(600, clock)
    assert [guesses.take() for _ in range(601)] == [0] * 600 + [1]
    clock.now += 0.5
    assert [guesses.take() for _ in range(6)] == [0] * 5 + [1]
    clock.now += 3600
    assert [guesses.take() for _ in range(601)] == [0] * 600 + [1]


def test_when_to_come_again_is_told() -> None:
    clock = Clock()
    guesses = Guesses(2, clock)
    assert [guesses.take() for _ in range(3)] == [0, 0, 30]
    clock.now += 29.9
    assert guesses.take() == 1
    clock.now += 0.2
    assert guesses.take() == 0


def test_right_passwords_are_no_guesses() -> None:
    clock = Clock()
    guesses = Guesses(3, clock)
    for _ in range(10):
        assert guesses.take() == 0
        guesses.give_back()
    assert [guesses.take() for _ in range(4)] == [0, 0, 0, 20]
    guesses.give_back()
    clock.now += 3600
    guesses.give_back()
    assert [guesses.take() for _ in range(4)] == [0, 0, 0, 20], "what is given back is not saved up"


async def test_a_server_that_asks_past_its_limits_cannot_guess_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vaultsigner.custody.log_in.verify_password", lambda *_: False)
    clock, users = Clock(), {"sam": SimpleNamespace(username="sam", password_hash="$test")}
    settings: Any = SimpleNamespace(users=users)
    nothing: Any = None
    log_in = LogIn(settings, nothing, monotonic=clock)

    async def guess(name: str) -> LogInRefused:
        answer = await log_in.answer(bytearray(json.dumps({"username": name, "password": "x"}).encode()))
        assert isinstance(answer, LogInRefused)
        return answer

    answers: list[LogInRefused] = []
    for _ in range(MOST_FAILED_IN_A_MINUTE // MOST_WAITING + 1):
        answers += await asyncio.gather(*(guess("sam" if n % 2 else "nobody") for n in range(MOST_WAITING)))
    codes = [answer.refusal.code for answer in answers]
    assert codes.count("bad_credentials") == MOST_FAILED_IN_A_MINUTE
    past = answers[-1]
    assert (past.refusal.code, past.refusal.retry_after_seconds) == ("rate_limited", 1)
    assert (past.subject, past.bucket) == (None, None)
    clock.now += 60
    assert (await guess("sam")).refusal.code == "bad_credentials"
