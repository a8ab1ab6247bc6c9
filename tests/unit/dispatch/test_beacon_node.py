"""What a node says is taken for what it means: yes, no, or nobody knows."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from vaultsigner.config.settings import Environment
from vaultsigner.dispatch.beacon_node import Accepted, BeaconNode, NoAnswer, NodeAccount, Rejected
from vaultsigner.domain.names import JsonValue
from vaultsigner.errors import NodeError

CHAIN = "Binance-Chain-Ganges"
ADDRESS = "tbnb1rxhz5vdv4fvdjye8gxqvfv0yvg20jtlw8qq48u"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Node:
    """Answers what a test tells it to, and remembers what it was sent."""

    def __init__(self) -> None:
        self.network: object = CHAIN
        self.answer: Handler = self._not_told
        self.bodies: list[tuple[str, str]] = []

    async def _not_told(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPNotFound

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/node-info"):
            return web.json_response({"node_info": {"network": self.network}})
        self.bodies.append((request.path_qs, await request.text()))
        return await self.answer(request)

    def says(self, status: int, *, json: object = None, text: str | None = None) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            if text is not None:
                return web.Response(status=status, text=text)
            return web.json_response(json, status=status)

        self.answer = answer


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
async def client(node: Node) -> AsyncIterator[BeaconNode]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", node.handle)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield BeaconNode(session, Environment("TESTNET", str(server.make_url("")).rstrip("/"), CHAIN, "tbnb"))


async def test_an_account_is_read(node: Node, client: BeaconNode) -> None:
    node.says(200, json={"account_number": 7, "sequence": 2**63 - 1, "address": ADDRESS})
    assert await client.account(ADDRESS) == NodeAccount(7, 2**63 - 1)


async def test_no_account_is_none(node: Node, client: BeaconNode) -> None:
    node.says(404, json={"code": 404, "message": "account not found"})
    assert await client.account(ADDRESS) is None


@pytest.mark.parametrize("wrong", [-1, "5", 1.0, True, None, 2**63, []])
async def test_a_senseless_sequence_is_no_sequence(node: Node, client: BeaconNode, wrong: object) -> None:
    node.says(200, json={"account_number": 7, "sequence": wrong})
    with pytest.raises(NodeError, match="without a usable sequence"):
        await client.account(ADDRESS)


async def test_a_node_of_another_chain_is_not_believed(node: Node, client: BeaconNode) -> None:
    node.network = "Binance-Chain-Tigris"
    node.says(200, json={"account_number": 7, "sequence": 1})
    with pytest.raises(NodeError, match="serves chain 'Binance-Chain-Tigris'"):
        await client.account(ADDRESS)


async def test_a_taken_transaction_is_accepted_as_the_node_said_it(node: Node, client: BeaconNode) -> None:
    said: JsonValue = [{"code": 0, "hash": "AB", "log": "Msg 0: ", "ok": True, "data": "{}"}]
    node.says(200, json=said)
    assert await client.broadcast(b"\xf0\x62", sync=True) == Accepted(said)
    assert node.bodies == [("/api/v1/broadcast?sync=1", "f062")]


async def test_without_sync_the_parameter_is_left_out(node: Node, client: BeaconNode) -> None:
    node.says(200, json=[{"code": 0, "ok": True}])
    await client.broadcast(b"\x01", sync=False)
    assert node.bodies == [("/api/v1/broadcast", "01")]


@pytest.mark.parametrize(
    ("status", "json", "reason"),
    [
        (400, {"code": 400, "message": "signature verification failed"}, "signature verification failed"),
        (200, [{"code": 65546, "log": "insufficient fund", "ok": False}], "insufficient fund"),
        (404, {"message": "no such route"}, "no such route"),
        (429, None, "HTTP status 429"),
    ],
)
async def test_a_clear_no_is_a_refusal(
    node: Node, client: BeaconNode, status: int, json: object, reason: str
) -> None:
    node.says(status, json=json)
    result = await client.broadcast(b"\x01", sync=True)
    assert isinstance(result, Rejected)
    assert result.reason == reason


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (500, '{"message": "boom"}'),
        (502, "<html>"),
        (503, ""),
        (504, "null"),
        (200, "<html>"),
        (200, "[]"),
        (200, "{}"),
        (302, ""),
        (408, "{}"),
        (400, '{"message": "Tx already exists in cache"}'),
    ],
)
async def test_anything_else_is_unknown(node: Node, client: BeaconNode, status: int, text: str) -> None:
    node.says(status, text=text)
    result = await client.broadcast(b"\x01", sync=True)
    assert isinstance(result, NoAnswer)
    assert result.sent


async def test_a_dropped_connection_is_unknown(node: Node, client: BeaconNode) -> None:
    async def drop(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    node.answer = drop
    result = await client.broadcast(b"\x01", sync=True)
    assert isinstance(result, NoAnswer)
    assert result.sent
    assert result.reason == "no usable answer: hung up"


async def test_a_node_that_says_nothing_timed_out(
    node: Node, client: BeaconNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wait(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return web.Response()

    monkeypatch.setattr("vaultsigner.dispatch.beacon_node.TIMEOUT", aiohttp.ClientTimeout(total=0.1))
    node.answer = wait
    with pytest.raises(NodeError, match=r"cannot be asked: timed out$"):
        await client.account(ADDRESS)


async def test_tls_that_is_not_there_is_told_so() -> None:
    async with TestServer(web.Application()) as plain, aiohttp.ClientSession() as session:
        wrong = BeaconNode(session, Environment("TESTNET", f"https://127.0.0.1:{plain.port}", CHAIN, "tbnb"))
        with pytest.raises(NodeError, match=r"cannot be asked: the TLS handshake failed$"):
            await wrong.account(ADDRESS)


async def test_a_name_that_does_not_resolve_is_told_so() -> None:
    class NoNames(aiohttp.ThreadedResolver):
        async def resolve(self, *_: Any, **__: Any) -> Any:
            raise OSError("no such name")

    connector = aiohttp.TCPConnector(resolver=NoNames())
    async with aiohttp.ClientSession(connector=connector) as session:
        wrong = BeaconNode(session, Environment("TESTNET", "http://node.example.com", CHAIN, "tbnb"))
        with pytest.raises(NodeError, match=r"cannot be asked: its host name is not known$"):
            await wrong.account(ADDRESS)


async def test_what_is_no_http_is_told_so() -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, aiohttp.ClientSession() as session:
        other = BeaconNode(session, Environment("TESTNET", f"http://127.0.0.1:{port}", CHAIN, "tbnb"))
        with pytest.raises(NodeError, match=r"cannot be asked: what it says is not HTTP$"):
            await other.account(ADDRESS)


async def test_a_node_that_is_not_there_was_sent_nothing() -> None:
    async with aiohttp.ClientSession() as session:
        nobody = BeaconNode(session, Environment("TESTNET", "http://127.0.0.1:9", CHAIN, "tbnb"))
        result = await nobody.broadcast(b"\x01", sync=True)
        assert isinstance(result, NoAnswer)
        assert not result.sent
        assert result.reason == "no connection: connection refused"
        with pytest.raises(NodeError, match=r"cannot be asked: connection refused$"):
            await nobody.account(ADDRESS)


async def test_an_endless_answer_is_cut_off(node: Node, client: BeaconNode) -> None:
    node.says(200, text="[" + " " * (2 << 20) + "]")
    result = await client.broadcast(b"\x01", sync=True)
    assert isinstance(result, NoAnswer)
    assert result.reason.endswith("an answer of more than a mebibyte")


async def test_deep_nesting_is_no_answer(node: Node, client: BeaconNode) -> None:
    node.says(200, text="[" * 100_000)
    assert isinstance(await client.broadcast(b"\x01", sync=True), NoAnswer)


@pytest.mark.parametrize(
    ("status", "json", "known"), [(200, {"hash": "AB", "code": 0}, True), (404, {"message": "no"}, False)]
)
async def test_a_transaction_is_looked_up(
    node: Node, client: BeaconNode, status: int, json: object, known: bool
) -> None:
    node.says(status, json=json)
    assert await client.knows_transaction("AB") is known


@pytest.mark.parametrize(
    ("status", "json", "executed"),
    [
        (200, {"hash": "AB", "code": 0, "ok": True}, True),
        (200, {"hash": "AB", "code": 65541, "log": "insufficient funds", "ok": False}, False),
        (200, {"hash": "AB", "ok": False}, False),
        (404, {"message": "no"}, False),
    ],
)
async def test_a_transaction_that_failed_in_its_block_is_there_but_did_nothing(
    node: Node, client: BeaconNode, status: int, json: object, executed: bool
) -> None:
    node.says(status, json=json)
    assert await client.executed("AB") is executed
    assert await client.knows_transaction("AB") is (status == 200)


async def test_a_vague_answer_to_a_look_up_is_neither_yes_nor_no(node: Node, client: BeaconNode) -> None:
    node.says(503, json={"message": "busy"})
    with pytest.raises(NodeError):
        await client.knows_transaction("AB")
