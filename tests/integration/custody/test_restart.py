"""Custody dies by kill -9: what its client sees meanwhile, and that it finds custody again."""

import asyncio
import time

import pytest

from tests.integration.custody.conftest import CustodyWorld
from tests.integration.custody.custody_process import connected, until_down, until_up
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.standstill import go_on, stop
from tests.world import Vector
from vaultsigner.custody import client as client_module
from vaultsigner.custody.client import CustodyClient
from vaultsigner.errors import CustodyError


async def test_questions_in_flight_fail_at_once_and_later_ones_after_a_moment(
    own_world: CustodyWorld, order: Vector
) -> None:
    async with connected(own_world.custody.socket_path) as client:
        requests = [own_world.request(order) for _ in range(5)]
        stop(own_world.custody.pid)
        in_flight = [asyncio.ensure_future(client.sign_beacon(request)) for request in requests]
        await asyncio.sleep(0)
        own_world.custody.kill()
        for error in await asyncio.gather(*in_flight, return_exceptions=True):
            assert isinstance(error, CustodyError)
            assert error.code == "custody_unavailable"
            assert "ended before it answered" in str(error), "not the time-out of a question"
        began = time.monotonic()
        # The listening socket is still there: being connected must not be taken for being served.
        with pytest.raises(CustodyError, match="restarted") as caught:
            await client.health()
        assert caught.value.code == "custody_unavailable"
        assert time.monotonic() - began >= client_module.PATIENCE_SECONDS - 0.01


async def test_back_by_itself(own_world: CustodyWorld, order: Vector) -> None:
    async with connected(own_world.custody.socket_path) as client:
        for _ in range(2):
            await client.sign_beacon(own_world.request(order))
            own_world.custody.kill()
            await asyncio.sleep(0.01)
            own_world.custody.start()
            await until_up(client)
            assert (await client.sign_beacon(own_world.request(order))).signature.hex() == order["signature"]


async def test_a_question_asked_just_before_custody_is_back_is_answered(
    own_world: CustodyWorld, order: Vector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "PATIENCE_SECONDS", PATIENCE_SECONDS)
    async with connected(own_world.custody.socket_path) as client:
        own_world.custody.kill()
        await until_down(client)
        own_world.custody.start()
        assert (await client.sign_beacon(own_world.request(order))).signature.hex() == order["signature"]


async def test_a_client_that_came_first_finds_custody_when_it_comes(own_world: CustodyWorld) -> None:
    own_world.custody.kill()
    client = CustodyClient(own_world.custody.socket_path)
    await client.connect()
    try:
        with pytest.raises(CustodyError):
            await client.health()
        own_world.custody.start()
        await until_up(client)
        assert (await client.health()).vault == "ok"
    finally:
        await client.close()


async def test_a_custody_that_hangs_is_not_waited_for_for_ever(
    own_world: CustodyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected(own_world.custody.socket_path) as client:
        stop(own_world.custody.pid)
        monkeypatch.setattr(client_module, "ANSWER_SECONDS", 0.3)
        with pytest.raises(CustodyError, match="no answer within") as caught:
            await client.health()
        monkeypatch.setattr(client_module, "ANSWER_SECONDS", PATIENCE_SECONDS)
        assert caught.value.code == "custody_unavailable"
        go_on(own_world.custody.pid)
        assert (await client.health()).vault == "ok"


def test_sigterm_ends_it_in_order(own_world: CustodyWorld) -> None:
    wait_until(lambda: "custody_ready" in own_world.custody.log.read_text(), "custody is ready")
    assert own_world.custody.stop() == 0
    assert "custody_stopped" in own_world.custody.log.read_text()
