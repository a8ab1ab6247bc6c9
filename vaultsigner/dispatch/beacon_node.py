"""One BNB Beacon Chain node, asked over its HTTP API (paths as in the chain's API reference, `/api/v1/...`).

What a node says about a broadcast is one of three things, and they must not be mixed up: it took the transaction, it refused
it, or nobody knows.
"""

import json
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp

from vaultsigner.config.settings import Environment
from vaultsigner.dispatch.troubles import trouble
from vaultsigner.domain.names import JsonValue
from vaultsigner.errors import NodeError
from vaultsigner.telemetry.passages import step

ANSWER_LIMIT_BYTES = 1 << 20
TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5)
REASON_LIMIT_CHARACTERS = 500
INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class NodeAccount:
    """What the node knows of an address: `sequence` is the number that its next transaction must carry."""

    account_number: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """The node took the transaction; `answer` is what it said, a list with one object a transaction."""

    answer: JsonValue
    status: int | None = HTTPStatus.OK


@dataclass(frozen=True, slots=True)
class Rejected:
    """The node looked at the transaction and will not have it."""

    reason: str
    status: int


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Whether the node took the transaction is not known. `sent` is False where not one byte of it left."""

    reason: str
    sent: bool
    status: int | None = None


BroadcastResult = Accepted | Rejected | NoAnswer


class BeaconNode:
    """Asks one node. Never follows redirects, never reads more than a mebibyte, never waits longer than ten seconds."""

    def __init__(self, session: aiohttp.ClientSession, environment: Environment) -> None:
        self._session = session
        self._base = f"{environment.node_url}/api/v1"
        self._chain_id = environment.chain_id
        self._chain_checked = False
        self.host = urlsplit(environment.node_url).netloc

    async def account(self, address: str) -> NodeAccount | None:
        """The account of an address, or None where the chain has none yet.

        Raises:
            NodeError: the node cannot be asked, makes no sense, or serves another chain than the configuration says.
        """
        await self._check_chain()
        status, answer = await self._get(f"account/{address}")
        if status == HTTPStatus.NOT_FOUND:
            return None
        if status != HTTPStatus.OK or not isinstance(answer, dict):
            raise NodeError(f"node {self.host} answered {status} to the account query: {_reason_of(answer)}")
        return NodeAccount(self._counter(answer, "account_number"), self._counter(answer, "sequence"))

    async def knows_transaction(self, transaction_hash: str) -> bool:
        """Whether the transaction is on the chain.

        Raises:
            NodeError: the node cannot be asked, or says neither yes nor no.
        """
        return await self._transaction(transaction_hash) is not None

    async def executed(self, transaction_hash: str) -> bool:
        """Whether the transaction is on the chain and did what it says: a block also holds those that failed in it.

        Raises:
            NodeError: the node cannot be asked, or says neither yes nor no.
        """
        found = await self._transaction(transaction_hash)
        return found is not None and found.get("code", 0) == 0 and found.get("ok", True) is True

    async def broadcast(self, transaction: bytes, *, sync: bool) -> BroadcastResult:
        """Send a transaction; with `sync` the node checks it before it answers. Never raises for what a node does."""
        path = f"{self._base}/broadcast" + ("?sync=1" if sync else "")
        try:
            with step("dispatch", "broadcast"):
                async with self._session.post(
                    path,
                    data=transaction.hex().encode(),
                    headers={"Content-Type": "text/plain"},
                    timeout=TIMEOUT,
                    allow_redirects=False,
                ) as response:
                    return _judge(response.status, await _read_json(response))
        except aiohttp.ClientConnectorError as error:
            return NoAnswer(f"no connection: {_trouble(error)}", sent=False)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return NoAnswer(f"no usable answer: {_trouble(error)}", sent=True)

    async def _check_chain(self) -> None:
        """A signature covers the chain id of the configuration, so a node of another chain is no source of sequences."""
        if self._chain_checked:
            return
        status, answer = await self._get("node-info")
        info = answer.get("node_info") if isinstance(answer, dict) else None
        network = info.get("network") if isinstance(info, dict) else None
        if status != HTTPStatus.OK or not isinstance(network, str):
            raise NodeError(
                f"node {self.host} answered {status} to the node-info query: {_reason_of(answer)}"
            )
        if network != self._chain_id:
            raise NodeError(
                f"node {self.host} serves chain {network[:64]!r}, but the configuration says {self._chain_id!r}"
            )
        self._chain_checked = True

    async def _transaction(self, transaction_hash: str) -> dict[str, JsonValue] | None:
        status, answer = await self._get(f"tx/{transaction_hash}?format=json")
        if status == HTTPStatus.NOT_FOUND:
            return None
        if status == HTTPStatus.OK and isinstance(answer, dict) and "hash" in answer:
            return answer
        raise NodeError(f"node {self.host} answered {status} to the transaction query: {_reason_of(answer)}")

    async def _get(self, path: str) -> tuple[int, JsonValue]:
        try:
            with step("dispatch", "query"):
                async with self._session.get(
                    f"{self._base}/{path}", timeout=TIMEOUT, allow_redirects=False
                ) as response:
                    return response.status, await _read_json(response)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NodeError(f"node {self.host} cannot be asked: {_trouble(error)}") from None

    def _counter(self, answer: dict[str, JsonValue], member: str) -> int:
        value = answer.get(member)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= INT64_MAX:
            raise NodeError(f"node {self.host} answered an account without a usable {member}")
        return value


class _TooLongError(ValueError):
    """The answer is longer than any that a node means."""


def _trouble(error: Exception) -> str:
    return "an answer of more than a mebibyte" if isinstance(error, _TooLongError) else trouble(error)


async def _read_json(response: aiohttp.ClientResponse) -> JsonValue:
    body = bytearray()
    async for chunk in response.content.iter_chunked(1 << 16):
        body += chunk
        if len(body) > ANSWER_LIMIT_BYTES:
            raise _TooLongError
    try:
        answer: JsonValue = json.loads(body)
    except (ValueError, RecursionError):
        # A gateway's HTML page is no verdict; its status still counts.
        return None
    return answer


def _judge(status: int, answer: JsonValue) -> BroadcastResult:
    """A refusal is only what the node itself clearly refused; a gateway's 5xx or a time-out says nothing either way."""
    reason = _reason_of(answer)
    if "already exists in cache" in reason:
        # The node holds these very bytes from an earlier sending: neither taken anew nor refused.
        return NoAnswer(reason, sent=True, status=status)
    if (
        HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
        and status != HTTPStatus.REQUEST_TIMEOUT
    ):
        return Rejected(reason or f"HTTP status {status}", status)
    if status == HTTPStatus.OK and isinstance(answer, list) and answer:
        if all(
            isinstance(item, dict) and item.get("code", 0) == 0 and item.get("ok", True) for item in answer
        ):
            return Accepted(answer)
        return Rejected(reason, status)
    return NoAnswer(
        f"HTTP status {status}: {reason}" if reason else f"HTTP status {status}", sent=True, status=status
    )


def _reason_of(answer: JsonValue) -> str:
    """The node's own words: `message` of an error, `log` of a list's first object."""
    first = answer[0] if isinstance(answer, list) and answer else answer
    if isinstance(first, dict):
        for member in ("message", "log"):
            if isinstance(text := first.get(member), str):
                return text[:REASON_LIMIT_CHARACTERS]
    return ""
