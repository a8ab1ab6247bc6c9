"""Many at once, and slowed down by limits: against the real service."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.client.conftest import Ask
from tests.integration.client.desk import CALLERS, WALLET, Desk, person
from tests.signing_client import SignedCall
from vaultsigner.client import AsyncSigningClient, Freeze, LimitExceededError, SigningClient
from vaultsigner.client.calls.transactions import sign
from vaultsigner.client.session import machine_ms

COPIES = 25


@pytest.mark.parametrize("way", list(CALLERS))
def test_equal_requests_of_many_threads_all_count(desk: Desk, way: str) -> None:
    """In one millisecond, and in one second for Open API tokens, they would have one signature, which counts once."""
    with SigningClient(desk.url, CALLERS[way]) as client, ThreadPoolExecutor(8) as pool:
        signed = list(pool.map(lambda _: client.sign(WALLET, Freeze(symbol="BNB", amount=7)), range(COPIES)))
    assert len({each.request_id for each in signed}) == COPIES
    assert len({each.signed_msg for each in signed}) == 1


@pytest.mark.parametrize("way", list(CALLERS))
async def test_equal_requests_of_many_tasks_all_count(desk: Desk, way: str) -> None:
    async with AsyncSigningClient(desk.url, CALLERS[way]) as client:
        asked = (client.sign(WALLET, Freeze(symbol="BNB", amount=7)) for _ in range(COPIES))
        signed = await asyncio.gather(*asked)
    assert len({each.request_id for each in signed}) == COPIES


async def test_all_who_wait_for_a_token_share_one_log_in(desk: Desk) -> None:
    before = [record for record in desk.world.records() if record.get("operation") == "auth.login"]
    async with AsyncSigningClient(desk.url, person("ann")) as client:
        await asyncio.gather(*(client.check() for _ in range(20)))
    after = [record for record in desk.world.records() if record.get("operation") == "auth.login"]
    assert len(after) == len(before) + 1


@pytest.mark.parametrize("way", ["hmac", "rsa", "ed25519", "open_api"])
@pytest.mark.parametrize("off_ms", [-400_000, 400_000])
async def test_a_wrong_clock_is_found_out_by_all_who_ask_at_once(desk: Desk, way: str, off_ms: int) -> None:
    async with AsyncSigningClient(desk.url, CALLERS[way], clock_ms=lambda: machine_ms() + off_ms) as client:
        await asyncio.gather(*(client.check() for _ in range(10)))
        assert client.clock_offset_ms == pytest.approx(-off_ms, abs=2_000)
        assert await client.sync_time() == client.clock_offset_ms


def test_a_limit_of_policy_is_waited_out_or_told(ask: Ask) -> None:
    bob = ask(person("bob"), retry_seconds=30)
    first, second = (bob.sign_freeze(WALLET, symbol="BNB", amount=1) for _ in range(2))
    assert first.decision.rule == second.decision.rule == "bob-slowly"
    hasty = ask(person("bob"), retry_seconds=0)
    with pytest.raises(LimitExceededError) as caught:
        hasty.sign_freeze(WALLET, symbol="BNB", amount=1)
    assert 0 < (caught.value.retry_after_seconds or 0) <= 3
    assert "bob-slowly" in caught.value.message


def test_a_garbled_token_is_replaced_by_the_real_service(ask: Ask) -> None:
    sam = ask(CALLERS["token"])
    sam.check()
    sam.client._session.token = "x.y.z"
    assert sam.check().name == "sam-2"
    assert sam.client._session.token != "x.y.z"


def test_a_signature_holds_for_its_operation_alone(desk: Desk, ask: Ask) -> None:
    """The client names the operation wherever the service knows one: a freeze cannot be turned into an unfreeze."""
    session = ask(CALLERS["hmac"]).client._session
    request = session.signer().request(sign(WALLET, Freeze(symbol="BNB", amount=1)), None)
    path, _, query = request.target.partition("?")
    assert path == "/api/freeze/sign"
    moved = desk.world.send(SignedCall("POST", "/api/unfreeze/sign", query, request.headers, request.body))
    assert moved.status == 401
    assert desk.world.send(SignedCall("POST", path, query, request.headers, request.body)).status == 200
