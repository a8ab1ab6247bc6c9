"""Which user names exist cannot be found out by failing: neither by a name's own limit, nor by that of its bucket."""

import json
import random
from collections.abc import Iterator
from hashlib import sha256
from itertools import count

import pytest

from tests.integration.signed.callers import FROZEN_MS, UNHURRIED
from tests.signing_client import Reply, SignedCall
from tests.world import Vector, World, cheap_hash, running_world
from vaultsigner.config.settings import RateLimit
from vaultsigner.dev.installation import PlannedUser

PER_USER = 3
MINUTE_MS = 60_000
RIGHT = "right enough"
USERS = tuple(PlannedUser(name, RIGHT, {}, cheap_hash(RIGHT)) for name in ("ada", "ben", "cleo"))


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory, sample: Vector) -> Iterator[World]:
    """A service that lets a name fail three times at once, and anybody from any address."""
    with running_world(
        tmp_path_factory.mktemp("names"),
        [sample],
        users=USERS,
        rate_limits={**UNHURRIED, "log_ins_per_user": RateLimit(PER_USER, 60)},
        frozen_at_ms=FROZEN_MS,
    ) as world:
        yield world


@pytest.fixture(autouse=True)
def refilled(narrow: World) -> None:
    """Every rate is unused again some minutes later."""
    later(narrow, 10 * MINUTE_MS)


def later(world: World, milliseconds: int) -> None:
    assert world.clock
    world.clock.set(world.clock.milliseconds() + milliseconds)


def log_in(world: World, user: str, password: str = "wrong") -> Reply:
    body = json.dumps({"username": user, "password": password}).encode()
    return world.send(SignedCall("POST", "/api/auth/login", body=body))


def bucket(name: str) -> str:
    return sha256(name.encode()).hexdigest()[:2]


def twin_of(name: str) -> str:
    """Nobody, in the bucket of a name."""
    return next(f"nobody-{n}" for n in count() if bucket(f"nobody-{n}") == bucket(name))


def told(reply: Reply) -> tuple[int, str, str | None]:
    """All that an attacker sees, but for the time it took."""
    body = {name: value for name, value in reply.body.items() if name != "request_id"}
    return reply.status, json.dumps(body, sort_keys=True), reply.headers.get("Retry-After")


def test_a_bucket_that_strangers_filled_does_not_tell_whether_a_name_exists(narrow: World) -> None:
    for name in ("ada", "ghost"):
        assert [log_in(narrow, twin_of(name)).status for _ in range(PER_USER + 1)] == [400] * PER_USER + [429]
        assert log_in(narrow, name).status == 429


@pytest.mark.parametrize("seed", range(4))
def test_after_any_series_of_failures_existing_and_other_names_are_answered_alike(
    narrow: World, seed: int
) -> None:
    """The same series against two pairs of names: a user and nobody of the same bucket; nobody and nobody else."""
    user, ghost = "ben", "ghost"
    other_user, other_ghost = twin_of(user), twin_of(ghost)
    assert len({bucket(name) for name in (user, ghost)}) == 2
    chance = random.Random(seed)  # noqa: S311 - no secret; the seed names the series
    seen = set()
    for _ in range(50):
        if chance.random() < 0.3:
            later(narrow, chance.choice((1, 999, 7000, 20_000, 35_000, MINUTE_MS)))
        own = chance.random() < 0.6
        pair = (user, ghost) if own else (other_user, other_ghost)
        answers = [told(log_in(narrow, name)) for name in pair]
        assert answers[0] == answers[1]
        seen.add(answers[0][0])
    assert seen == {400, 429}, "the series has tried both sides of the limit"


def test_strangers_lock_nobody_out(narrow: World) -> None:
    for _ in range(3 * PER_USER):
        log_in(narrow, twin_of("ada"))
    assert [log_in(narrow, "ada", RIGHT).status for _ in range(2 * PER_USER)] == [200] * 2 * PER_USER


def test_behind_a_full_bucket_nobody_guesses_for_ever(narrow: World) -> None:
    """Wrong guesses are not told there, but the right one would be: so each uses up what a right one needs."""
    for _ in range(PER_USER):
        log_in(narrow, twin_of("cleo"))
    assert [log_in(narrow, "cleo").status for _ in range(PER_USER)] == [429] * PER_USER
    withheld = log_in(narrow, "cleo", RIGHT)
    assert told(withheld) == told(log_in(narrow, "cleo"))
    later(narrow, MINUTE_MS)
    assert log_in(narrow, "cleo", RIGHT).status == 200


def test_while_failures_are_told_a_right_password_is_not_told_by_silence(narrow: World) -> None:
    """The user's own rate is used up a moment longer than the bucket's."""
    for _ in range(PER_USER):
        log_in(narrow, twin_of("cleo"))
    later(narrow, 1000)
    for _ in range(PER_USER):
        log_in(narrow, "cleo")
    later(narrow, MINUTE_MS // PER_USER - 1000)
    assert log_in(narrow, "cleo", RIGHT).status == 200
    assert log_in(narrow, "cleo").status == 400


def test_the_record_knows_whose_limit_it_was(narrow: World) -> None:
    replies = [log_in(narrow, "ada") for _ in range(PER_USER + 1)]
    (record,) = narrow.records(replies[-1].request_id)
    assert record["code"] == "rate_limited"
    assert f"log-in as stranger:{bucket('ada')}" in str(record)
