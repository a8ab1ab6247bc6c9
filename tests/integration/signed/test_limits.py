"""How often somebody may try, counted over all processes; the clock stands still, so nothing refills unless a test moves it."""

import json
from collections.abc import Iterator
from itertools import cycle

import pytest

from tests.integration.signed.callers import (
    COMPLETION,
    FROZEN_MS,
    HMAC,
    PARTNER,
    RSA,
    planned_clients,
    planned_partner,
)
from tests.signing_client import HmacKey, Reply, SignedCall, SigningKey, partner_call, signed_call
from tests.world import Vector, World, cheap_hash, planned_wallets, running_world
from vaultsigner.config.settings import RateLimit
from vaultsigner.dev.installation import PlannedUser
from vaultsigner.dev.service import Service

CHECK = "/api/auth/check"
PER_USER, PER_ADDRESS, FAILURES, REQUESTS = 3, 8, 5, 10
MINUTE_MS = 60_000
RIGHT = "right enough"
USERS = tuple(PlannedUser(name, RIGHT, {}, cheap_hash(RIGHT)) for name in ("ada", "ben", "cleo"))


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory, sample: Vector) -> Iterator[World]:
    """A service that allows little."""
    wallets = [wallet.name for wallet in planned_wallets([sample])]
    with running_world(
        tmp_path_factory.mktemp("narrow"),
        [sample],
        users=USERS,
        clients=planned_clients(*wallets),
        partner=planned_partner(),
        rate_limits={
            "log_ins_per_user": RateLimit(PER_USER, 60),
            "log_ins_per_address": RateLimit(PER_ADDRESS, 60),
            "failed_signatures_per_address": RateLimit(FAILURES, 60),
            "requests_per_client": RateLimit(REQUESTS, 60),
        },
        frozen_at_ms=FROZEN_MS,
    ) as world:
        yield world


@pytest.fixture(scope="module")
def services(narrow: World) -> Iterator[list[Service]]:
    """Two server processes on one state."""
    with narrow.second_service() as second:
        yield [narrow.service, second]


@pytest.fixture(autouse=True)
def refilled(narrow: World) -> None:
    """Every bucket is full again some minutes later."""
    assert narrow.clock
    narrow.clock.set(narrow.clock.milliseconds() + 10 * MINUTE_MS)


def log_in(world: World, service: Service, user: str, password: str, source: str) -> Reply:
    body = json.dumps({"username": user, "password": password}).encode()
    return world.send(SignedCall("POST", "/api/auth/login", body=body), service=service, source=source)


def assert_told_to_wait(reply: Reply) -> None:
    assert (reply.status, reply.body["code"]) == (429, "rate_limited"), reply.body
    assert 1 <= int(reply.headers["Retry-After"]) <= 60


def test_guessing_a_users_password_from_many_addresses_is_stopped(
    narrow: World, services: list[Service]
) -> None:
    for number, service in zip(range(PER_USER), cycle(services), strict=False):
        assert log_in(narrow, service, "ada", "wrong", f"127.0.1.{number + 1}").status == 400
    for service in services:
        assert_told_to_wait(log_in(narrow, service, "ada", "wrong", "127.0.1.9"))
        assert_told_to_wait(log_in(narrow, service, "ada", RIGHT, "127.0.1.9"))
    assert log_in(narrow, services[0], "ben", RIGHT, "127.0.1.9").status == 200
    assert narrow.clock
    narrow.clock.set(narrow.clock.milliseconds() + MINUTE_MS)
    assert log_in(narrow, services[1], "ada", RIGHT, "127.0.1.9").status == 200


def test_guessing_many_users_passwords_from_one_address_is_stopped(
    narrow: World, services: list[Service]
) -> None:
    for number, service in zip(range(PER_ADDRESS), cycle(services), strict=False):
        assert log_in(narrow, service, f"nobody-{number}", "wrong", "127.0.2.1").status == 400
    for service in services:
        assert_told_to_wait(log_in(narrow, service, "cleo", RIGHT, "127.0.2.1"))
    assert log_in(narrow, services[0], "cleo", RIGHT, "127.0.2.2").status == 200


def test_right_passwords_do_not_count(narrow: World, services: list[Service]) -> None:
    for _, service in zip(range(3 * PER_ADDRESS), cycle(services), strict=False):
        assert log_in(narrow, service, "ben", RIGHT, "127.0.3.1").status == 200


def test_trying_signatures_from_one_address_is_stopped(narrow: World, services: list[Service]) -> None:
    def forged(number: int, service: Service, source: str) -> Reply:
        key: SigningKey = HmacKey(HMAC.api_key, "not the secret")
        call = signed_call(key, "GET", CHECK, {"try": str(number)}, timestamp_ms=FROZEN_MS)
        return narrow.send(call, service=service, source=source)

    for number, service in zip(range(FAILURES), cycle(services), strict=False):
        assert forged(number, service, "127.0.4.1").status == 401
    for service in services:
        assert_told_to_wait(forged(FAILURES, service, "127.0.4.1"))
    assert forged(0, services[0], "127.0.4.2").status == 401


def test_a_clients_requests_are_limited_over_both_processes(narrow: World, services: list[Service]) -> None:
    assert narrow.clock

    def ask(key: SigningKey, number: int, service: Service) -> Reply:
        assert narrow.clock
        call = signed_call(
            key, "GET", CHECK, {"number": str(number)}, timestamp_ms=narrow.clock.milliseconds()
        )
        return narrow.send(call, service=service, source="127.0.5.1")

    for number, service in zip(range(REQUESTS), cycle(services), strict=False):
        assert ask(HMAC, number, service).status == 200
    for service in services:
        assert_told_to_wait(ask(HMAC, REQUESTS, service))
    assert ask(RSA, 0, services[0]).status == 200
    narrow.clock.set(narrow.clock.milliseconds() + MINUTE_MS // REQUESTS)
    answered = [ask(HMAC, REQUESTS + 1 + number, service).status for number, service in enumerate(services)]
    assert answered == [200, 429], "a tenth of a minute lets one more in"


def test_explanations_of_policy_count_against_their_client(
    narrow: World, services: list[Service], sample: Vector
) -> None:
    wallet = planned_wallets([sample])[0].name
    good = {"operation": "freeze.sign", "target": f"wallet:{wallet}", "item": {"amount": "1"}}
    bad = {"operation": "freeze.sing"}

    def ask(number: int, document: object, service: Service) -> Reply:
        assert narrow.clock
        call = signed_call(
            HMAC,
            "POST",
            "/api/policy/explain",
            {"number": str(number)},
            document=document,
            timestamp_ms=narrow.clock.milliseconds(),
        )
        return narrow.send(call, service=service, source="127.0.6.1")

    answered = [ask(n, bad if n % 2 else good, services[n % 2]).status for n in range(REQUESTS)]
    assert answered == [200, 422] * (REQUESTS // 2)
    for service in services:
        assert_told_to_wait(ask(REQUESTS, good, service))


def test_the_partner_is_told_in_its_own_words(narrow: World, services: list[Service]) -> None:
    assert narrow.clock
    codes = []
    for number, service in zip(range(REQUESTS + 2), cycle(services), strict=False):
        call = partner_call(
            PARTNER,
            "GET",
            COMPLETION,
            {"walletAddress": f"tbnb1number{number}"},
            timestamp_ms=narrow.clock.milliseconds(),
        )
        reply = narrow.send(call, service=service, source="127.0.6.1")
        assert reply.status == 200
        codes.append(reply.body["code"])
    assert codes == ["000000"] * REQUESTS + ["000001"] * 2
    assert int(reply.headers["Retry-After"]) >= 1


def test_copies_of_one_good_request_are_no_way_around_the_limits(
    narrow: World, services: list[Service]
) -> None:
    """Each costs custody and Vault as much as a good one, and takes no room from its client's own limit."""
    assert narrow.clock
    call = signed_call(HMAC, "GET", CHECK, timestamp_ms=narrow.clock.milliseconds())
    source = "127.0.7.1"
    assert narrow.send(call, service=services[0], source=source).status == 200
    for _, service in zip(range(FAILURES), cycle(services), strict=False):
        assert narrow.send(call, service=service, source=source).status == 409
    for service in services:
        assert_told_to_wait(narrow.send(call, service=service, source=source))
    assert narrow.send(call, service=services[0], source="127.0.7.2").status == 409


def test_copies_of_one_broadcast_are_no_way_around_the_limits(narrow: World, sample: Vector) -> None:
    assert narrow.clock
    document = {"wallet_name": narrow.place(sample), "msg": sample["msg"]}
    call = signed_call(
        HMAC,
        "POST",
        "/api/transfer/broadcast",
        document=document,
        timestamp_ms=narrow.clock.milliseconds(),
    )
    answers = [narrow.send(call, source="127.0.7.3").status for _ in range(FAILURES + 2)]
    assert answers == [200, *[409] * FAILURES, 429]


SHAPELESS = {
    "127.0.8.1": SignedCall("GET", CHECK, "a=1&a=1&timestamp=1&signature=0", {"X-MBX-APIKEY": "x"}),
    "127.0.8.2": SignedCall("GET", CHECK, "timestamp=x&signature=0", {"X-MBX-APIKEY": "x"}),
    "127.0.8.3": SignedCall("GET", CHECK, "timestamp=1&signature=0", {"Authorization": "Bearer x"}),
}
"""A name twice, no time, two ways to show who asks; each from an address of its own."""


@pytest.mark.parametrize("source", SHAPELESS)
def test_requests_without_a_shape_count_like_failed_signatures(
    narrow: World, services: list[Service], source: str
) -> None:
    call = SHAPELESS[source]
    for _, service in zip(range(FAILURES), cycle(services), strict=False):
        reply = narrow.send(call, service=service, source=source)
        assert (reply.status, reply.body["code"]) == (400, "malformed_parameters")
    for service in services:
        assert_told_to_wait(narrow.send(call, service=service, source=source))


PARTNERS_MISTAKES = {
    "000006": "walletAddress",
    "000004": "walletAddress=x&timestamp=1&recvWindow=99999",
    "000005": "walletAddress=x&timestamp=soon",
    "000003": f"walletAddress=x&timestamp={FROZEN_MS}",
}


@pytest.mark.parametrize("code", PARTNERS_MISTAKES)
def test_a_stranger_in_the_partner_family_is_stopped_whatever_is_wrong(
    narrow: World, services: list[Service], code: str
) -> None:
    assert narrow.clock
    query = PARTNERS_MISTAKES[code].replace(str(FROZEN_MS), str(narrow.clock.milliseconds()))
    call, source = SignedCall("GET", COMPLETION, query, {"signature": "AAAA"}), f"127.0.9.{int(code)}"
    for _, service in zip(range(FAILURES), cycle(services), strict=False):
        assert narrow.send(call, service=service, source=source).body["code"] == code
    for service in services:
        assert narrow.send(call, service=service, source=source).body["code"] == "000001"
    good = partner_call(
        PARTNER,
        "GET",
        COMPLETION,
        {"walletAddress": f"tbnb1{code}"},
        timestamp_ms=narrow.clock.milliseconds(),
    )
    assert narrow.send(good, service=services[0], source=source).body["code"] == "000001"
    assert narrow.send(good, service=services[0], source="127.0.9.200").body["code"] == "000000"


def test_a_good_access_token_counts_for_nothing_and_is_never_in_the_way(narrow: World) -> None:
    source, bearer = "127.0.10.1", {"Authorization": f"Bearer {narrow.token()}"}
    both = SignedCall("GET", CHECK, "timestamp=1&signature=0", bearer)
    for _ in range(FAILURES + 2):
        assert narrow.send(both, source=source).body["code"] == "malformed_parameters"
    forged = SignedCall("GET", CHECK, "timestamp=1&signature=0", {"X-MBX-APIKEY": "x"})
    answers = [narrow.send(forged, source=source).status for _ in range(FAILURES + 1)]
    assert answers == [*[401] * FAILURES, 429]
    assert narrow.send(SignedCall("GET", CHECK, headers=bearer), source=source).status == 200
    assert narrow.send(SignedCall("GET", CHECK), source=source).status == 429
    wrong = SignedCall("GET", CHECK, headers={"Authorization": "Bearer x"})
    assert narrow.send(wrong, source=source).status == 429
