"""The two time windows, to the millisecond, through HTTP: each test sets the service's clock and asks once."""

import pytest

from tests.integration.signed.callers import COMPLETION, FROZEN_MS, OPEN_API, PARTNER, SIGNERS
from tests.signing_client import Parameters, Place, partner_call
from tests.world import World

CHECK = "/api/auth/check"
Edge = tuple[int, int | None, bool]
"""Milliseconds from the timestamp to the service's clock, recvWindow, and whether that is taken."""
EXCHANGE_EDGES: list[Edge] = [
    (-999, None, True),
    (-1000, None, False),
    (0, None, True),
    (5000, None, True),
    (5001, None, False),
    (1, 1, True),
    (2, 1, False),
    (0, 0, True),
    (1, 0, False),
    (60000, 60000, True),
    (60001, 60000, False),
]
PARTNER_EDGES: list[Edge] = [
    # Mirrored: the timestamp may be ahead by recvWindow, and behind by three seconds.
    (2999, None, True),
    (3000, None, False),
    (-4999, None, True),
    (-5000, None, False),
    (-9999, 10000, True),
    (-10000, 10000, False),
    (2999, 1, True),
    (0, 1, True),
    (-1, 1, False),
    (0, 0, False),
]


@pytest.fixture(autouse=True)
def at_its_time(frozen: World) -> None:
    assert frozen.clock
    frozen.clock.set(FROZEN_MS)


def unique(request: pytest.FixtureRequest) -> Parameters:
    """A parameter that makes this test's signed text its own."""
    return {"test": request.node.name}


@pytest.mark.parametrize("name", SIGNERS)
@pytest.mark.parametrize("edge", EXCHANGE_EDGES)
def test_the_exchange_window_to_the_millisecond(
    frozen: World, request: pytest.FixtureRequest, name: str, edge: Edge
) -> None:
    behind_ms, recv_window_ms, taken = edge
    reply = frozen.signed(
        SIGNERS[name],
        "GET",
        CHECK,
        unique(request),
        timestamp_ms=FROZEN_MS - behind_ms,
        recv_window_ms=recv_window_ms,
    )
    assert reply.status == (200 if taken else 401), reply.body
    (record,) = frozen.records(reply.request_id)
    if not taken:
        assert reply.body["code"] == "authentication_failed"
        assert "timestamp" in record["reason"]


@pytest.mark.parametrize("place", ["query", "form"])
@pytest.mark.parametrize("edge", PARTNER_EDGES)
def test_the_partners_window_to_the_millisecond(
    frozen: World, request: pytest.FixtureRequest, place: Place, edge: Edge
) -> None:
    behind_ms, recv_window_ms, taken = edge
    call = partner_call(
        PARTNER,
        "POST" if place == "form" else "GET",
        COMPLETION,
        {"walletAddress": "tbnb1nobody", **dict(unique(request))},
        timestamp_ms=FROZEN_MS - behind_ms,
        recv_window_ms=recv_window_ms,
        place=place,
    )
    reply = frozen.send(call)
    assert reply.status == 200
    assert (reply.body["code"] == "000005") is not taken, reply.body


@pytest.mark.parametrize(
    ("behind_seconds", "taken"), [(0, True), (60, True), (61, False), (-5, True), (-6, False)]
)
def test_an_open_api_tokens_window(
    frozen: World, request: pytest.FixtureRequest, behind_seconds: int, taken: bool
) -> None:
    assert frozen.clock
    frozen.clock.set(FROZEN_MS // 1000 * 1000)
    ts = FROZEN_MS // 1000 - behind_seconds
    reply = frozen.with_open_api_token(OPEN_API, "GET", CHECK, unique(request), ts=ts)
    assert reply.status == (200 if taken else 401), reply.body


def test_a_recv_window_over_a_minute_is_told(frozen: World) -> None:
    reply = frozen.signed(SIGNERS["bot-hmac"], "GET", CHECK, recv_window_ms=60001)
    assert (reply.status, reply.body["code"]) == (400, "malformed_parameters")
    assert "60000" in reply.body["message"]


def test_a_partners_recv_window_over_ten_seconds_is_told(frozen: World) -> None:
    call = partner_call(
        PARTNER,
        "GET",
        COMPLETION,
        {"walletAddress": "tbnb1nobody"},
        timestamp_ms=FROZEN_MS,
        recv_window_ms=10001,
    )
    reply = frozen.send(call)
    assert (reply.status, reply.body["code"]) == (200, "000004")
