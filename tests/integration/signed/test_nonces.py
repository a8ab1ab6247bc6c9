"""A signature counts once, over all server processes, however many copies arrive at the same moment."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from itertools import islice

import pytest

from tests.integration.signed.callers import (
    FROZEN_MS,
    HMAC,
    SIGNERS,
    UNHURRIED,
    planned_clients,
    planned_partner,
)
from tests.postgres import running_postgres
from tests.signing_client import SignedCall, signed_call
from tests.world import Vector, World, planned_wallets, running_world
from vaultsigner.dev.service import Service

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

COPIES = 128
NONCES, NONCES_AT_ONCE, COPIES_EACH = 2000, 16, 8
AT_ONCE = NONCES_AT_ONCE * COPIES_EACH
CHECK = "/api/auth/check"


async def statuses(services: Sequence[Service], call: SignedCall, copies: int) -> Counter[int]:
    """Send copies of one request over connections that are all open before the first of them goes out."""
    async with opened(services, copies) as connections:
        return Counter(await asyncio.gather(*(ask(connection, call) for connection in connections)))


@asynccontextmanager
async def opened(services: Sequence[Service], copies: int) -> AsyncIterator[list[Connection]]:
    """Connections to the services in turn."""
    connections: list[Connection] = []
    for number in range(copies):
        listen = services[number % len(services)].installation.settings.server.listen
        connections.append(await asyncio.open_connection(listen.host, listen.port))
    try:
        yield connections
    finally:
        for _, writer in connections:
            writer.close()


async def ask(connection: Connection, call: SignedCall) -> int:
    """The status of one answer."""
    reader, writer = connection
    writer.write(call.as_bytes("localhost"))
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.partition(b":")[2]))
    return int(head.split()[1])


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def live(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sample: Vector
) -> Iterator[World]:
    """On either engine."""
    wallets = [wallet.name for wallet in planned_wallets([sample])]
    with ExitStack() as stack:
        url = None
        if request.param == "postgresql":
            url = stack.enter_context(stack.enter_context(running_postgres()).database())
        yield stack.enter_context(
            running_world(
                tmp_path_factory.mktemp("live"),
                [sample],
                clients=planned_clients(*wallets),
                rate_limits=UNHURRIED,
                state_url=url,
            )
        )


@pytest.fixture(scope="module")
def second(live: World) -> Iterator[Service]:
    with live.second_service() as service:
        yield service


@pytest.mark.parametrize("name", SIGNERS)
def test_of_128_copies_over_two_processes_one_counts(live: World, second: Service, name: str) -> None:
    call = signed_call(SIGNERS[name], "GET", CHECK, {"who": name}, recv_window_ms=60_000)
    answered = asyncio.run(statuses([live.service, second], call, COPIES))
    assert answered == {200: 1, 409: COPIES - 1}


def test_2000_signatures_that_all_arrive_in_several_copies_count_once_each(
    live: World, second: Service
) -> None:
    # Each is signed when its turn comes: all of them together may take a busy machine longer than a signature is good.
    calls = (
        signed_call(HMAC, "GET", CHECK, {"number": str(number)}, recv_window_ms=60_000)
        for number in range(NONCES)
    )
    answered = asyncio.run(in_copies([live.service, second], calls))
    assert answered == {200: NONCES, 409: NONCES * (COPIES_EACH - 1)}


async def in_copies(services: Sequence[Service], calls: Iterator[SignedCall]) -> Counter[int]:
    """Each request over several connections at the same moment, some requests at a time."""
    counted: Counter[int] = Counter()
    async with opened(services, AT_ONCE) as connections:
        while some := list(islice(calls, NONCES_AT_ONCE)):
            # Neighbours go to different services: each request meets its copies in both.
            now = [call for call in some for _ in range(COPIES_EACH)]
            counted.update(await asyncio.gather(*map(ask, connections, now)))
    return counted


@pytest.mark.parametrize("kind", ["sign", "broadcast"])
def test_of_128_copies_of_an_order_one_is_signed(
    live: World, second: Service, sample: Vector, kind: str
) -> None:
    wallet = live.place({**sample, "sequence": {"sign": 4000, "broadcast": 4001}[kind]})
    before, earlier = len(live.node.chain.received), signed_requests(live)
    document = {"wallet_name": wallet, "msg": {"symbol": "BNB", "amount": "10"}}
    call = signed_call(HMAC, "POST", f"/api/freeze/{kind}", document=document, recv_window_ms=60_000)
    answered = asyncio.run(statuses([live.service, second], call, COPIES))
    assert answered == {200: 1, 409: COPIES - 1}
    assert len(live.node.chain.received) - before == {"sign": 0, "broadcast": 1}[kind]
    assert len(signed_requests(live) - earlier) == 1


def signed_requests(world: World) -> set[str]:
    """Those that the records of all processes say something was signed for."""
    return {record["request_id"] for record in world.records() if record.get("signed_sha256")}


def test_two_spellings_of_one_signature_are_one(live: World) -> None:
    """Hexadecimal counts in either case; the nonce is made of what was signed, not of the signature's text."""
    call = signed_call(HMAC, "GET", CHECK, {"spelt": "twice"})
    head, _, signature = call.query.rpartition("=")
    upper = SignedCall("GET", CHECK, f"{head}={signature.upper()}", call.headers)
    assert live.send(call).status == 200
    assert live.send(upper).status == 409


def test_a_query_sent_again_as_a_form_is_a_replay(live: World) -> None:
    call = signed_call(HMAC, "GET", CHECK, {"moved": "to the body"})
    assert live.send(call).status == 200
    assert live.send(SignedCall("POST", CHECK, "", call.headers, call.query.encode())).status == 409


def test_a_signature_outlives_a_restart(live: World) -> None:
    call = signed_call(HMAC, "GET", CHECK, {"restart": "yes"}, recv_window_ms=60_000)
    assert live.send(call).status == 200
    live.service.kill()
    live.service.start()
    assert live.send(call).status == 409


def test_a_refused_request_uses_no_nonce(live: World) -> None:
    call = signed_call(HMAC, "GET", CHECK, {"refused": "first"})
    broken = SignedCall("GET", CHECK, call.query[:-1] + ("0" if call.query[-1] != "0" else "1"), call.headers)
    assert live.send(broken).status == 401
    assert live.send(call).status == 200


def test_processes_that_remember_for_themselves_alone_let_two_through(
    tmp_path_factory: pytest.TempPathFactory, sample: Vector
) -> None:
    """The same experiment with a naive store must fail the test above, else it would prove nothing."""
    wallets = [wallet.name for wallet in planned_wallets([sample])]
    with (
        running_world(
            tmp_path_factory.mktemp("naive"),
            [sample],
            clients=planned_clients(*wallets),
            partner=planned_partner(),
            rate_limits=UNHURRIED,
            frozen_at_ms=FROZEN_MS,
            naive=True,
        ) as world,
        world.second_service(naive=True) as second,
    ):
        call = signed_call(HMAC, "GET", CHECK, timestamp_ms=FROZEN_MS)
        answered = asyncio.run(statuses([world.service, second], call, COPIES))
    assert answered == {200: 2, 409: COPIES - 2}
