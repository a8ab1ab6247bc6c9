"""The node stand-in over HTTP, as a signer meets it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from vaultsigner.dev.beacon_faults import Fault
from vaultsigner.dev.beacon_node import BeaconNode

Vector = dict[str, Any]


@pytest.fixture
def vector(vectors: list[Vector]) -> Vector:
    return next(vector for vector in vectors if vector["id"] == "transfer-001")


@pytest.fixture
def node(beacon_node: BeaconNode, vector: Vector) -> BeaconNode:
    beacon_node.chain.add_account(vector["address"], vector["account_number"], vector["sequence"])
    return beacon_node


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


async def get(session: aiohttp.ClientSession, node: BeaconNode, path: str) -> tuple[int, Any]:
    async with session.get(f"{node.url}/api/v1/{path}") as response:
        return response.status, await response.json()


async def broadcast(
    session: aiohttp.ClientSession, node: BeaconNode, text: str, query: str = "?sync=1"
) -> tuple[int, Any]:
    async with session.post(f"{node.url}/api/v1/broadcast{query}", data=text) as response:
        return response.status, json.loads(await response.read())


async def test_it_tells_its_chain_and_its_accounts(
    session: aiohttp.ClientSession, node: BeaconNode, vector: Vector
) -> None:
    _, info = await get(session, node, "node-info")
    _, account = await get(session, node, f"account/{vector['address']}")
    _, sequence = await get(session, node, f"account/{vector['address']}/sequence")
    assert info["node_info"]["network"] == "Binance-Chain-Ganges"
    assert (account["account_number"], account["sequence"]) == (23452, 2)
    assert sequence == {"sequence": 2}


async def test_an_unknown_account_is_404(session: aiohttp.ClientSession, node: BeaconNode) -> None:
    status, answer = await get(session, node, "account/tbnb1unknown")
    assert status == 404
    assert answer == {
        "code": 404,
        "failed_tx_index": 0,
        "message": "account not found",
        "success_tx_results": None,
    }


async def test_a_good_transaction_counts_once(
    session: aiohttp.ClientSession, node: BeaconNode, vector: Vector
) -> None:
    status, answer = await broadcast(session, node, vector["signed_tx"])
    assert (status, answer) == (
        200,
        [{"code": 0, "data": "", "hash": vector["tx_hash"], "log": "Msg 0: ", "ok": True}],
    )
    found, _ = await get(session, node, f"tx/{vector['tx_hash']}")
    assert found == 200
    status, answer = await broadcast(session, node, vector["signed_tx"])
    assert status == 400
    assert json.loads(answer["message"])["abci_code"] == 65539
    assert [received.executed for received in node.chain.received] == [True, False]


async def test_a_transaction_shows_only_in_a_block(
    session: aiohttp.ClientSession, node: BeaconNode, vector: Vector
) -> None:
    node.chain.block_seconds = 60.0
    await broadcast(session, node, vector["signed_tx"])
    again, answer = await broadcast(session, node, vector["signed_tx"])
    assert (again, json.loads(answer["message"])["message"]) == (400, "Tx already exists in cache")
    assert (await get(session, node, f"tx/{vector['tx_hash']}"))[0] == 404
    assert (await get(session, node, f"account/{vector['address']}"))[1]["sequence"] == 2
    node.chain.block_seconds = 0.0
    assert (await get(session, node, f"account/{vector['address']}"))[1]["sequence"] == 3


async def test_without_sync_a_bad_transaction_looks_good(
    session: aiohttp.ClientSession, node: BeaconNode
) -> None:
    status, _ = await broadcast(session, node, "00", query="")
    assert status == 200
    assert not node.chain.executed


@pytest.mark.parametrize("executes", [True, False])
async def test_a_dropped_connection_may_hide_an_executed_transaction(
    session: aiohttp.ClientSession, node: BeaconNode, vector: Vector, executes: bool
) -> None:
    node.faults.arm(Fault.drops_connection(executes=executes))
    with pytest.raises(aiohttp.ClientError):
        await broadcast(session, node, vector["signed_tx"])
    assert len(node.chain.executed) == executes


async def test_a_silent_node_keeps_its_caller_waiting(
    session: aiohttp.ClientSession, node: BeaconNode, vector: Vector
) -> None:
    node.faults.arm(Fault.keeps_silent())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await broadcast(session, node, vector["signed_tx"])


async def test_faults_come_in_order_and_end(
    session: aiohttp.ClientSession, node: BeaconNode, vector: Vector
) -> None:
    node.faults.arm(Fault.refuses("no, thanks"), Fault.answers(503, '"later"'))
    assert (await broadcast(session, node, vector["signed_tx"]))[1]["message"] == "no, thanks"
    assert await broadcast(session, node, vector["signed_tx"]) == (503, "later")
    assert (await broadcast(session, node, vector["signed_tx"]))[0] == 200


async def test_queries_fail_on_demand(session: aiohttp.ClientSession, node: BeaconNode) -> None:
    node.faults.every_query = Fault.answers(500, '"broken"')
    assert await get(session, node, "node-info") == (500, "broken")
