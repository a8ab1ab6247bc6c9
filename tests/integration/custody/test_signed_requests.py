"""Signed requests through the real custody process, its socket and a real OpenBao, with secrets of every kind of character."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.adversarial.memory_search import ProcessMemory, forms_of_key, forms_of_text
from tests.integration.custody.conftest import CustodyWorld, custody_world, plan, policy_digest
from tests.integration.custody.custody_process import (
    connected,
    request_for,
    running_custody,
    until_down,
    until_up,
)
from tests.integration.custody.fake_vault import KEY, Conversation, answer, fake_vault
from tests.integration.custody.test_tls import Authority
from tests.signing_client import HmacKey, SignedCall, sign_text
from tests.standstill import standing_still
from tests.world import USERNAME, Vector, wallet_name
from vaultsigner.custody.client import CustodyClient
from vaultsigner.custody.protocol import AuthenticateRequest, Proof, ProofRefused, SignBeaconRequest
from vaultsigner.dev.installation import EVERY_PERMISSION, PlannedClient, install
from vaultsigner.dev.openbao import OpenBao, running_openbao
from vaultsigner.domain.names import ClientName, Operation, RequestId
from vaultsigner.domain.principals import Principal
from vaultsigner.errors import CustodyError

BOT = HmacKey("vs_test_bot", 'a secret that only this test has: <&> "é" \\ 😀')
PLAIN_SECRET = "the secret of a client, in plain ASCII, to be looked for"


def client_of(vector: Vector, key: HmacKey = BOT) -> PlannedClient:
    return PlannedClient("bot-1", key.api_key, "hmac", {wallet_name(vector): EVERY_PERMISSION}, key.secret)


def question(
    vector: Vector, key: HmacKey = BOT, *, timestamp_ms: int | None = None, operation: str = "order.sign"
) -> AuthenticateRequest:
    """The server's question about the request that asks for this vector."""
    body = json.dumps(
        {"wallet_name": wallet_name(vector), "msg": vector["msg"], "memo": vector["memo"]}
    ).encode()
    moment = time.time_ns() // 1_000_000 if timestamp_ms is None else timestamp_ms
    query = f"recvWindow=60000&timestamp={moment}"
    call = sign_text(key, SignedCall("POST", "/api/order/sign", query, {}, body))
    return AuthenticateRequest(
        RequestId("r-1"),
        "client",
        key.api_key,
        Operation(operation),
        call.method,
        call.path,
        call.query.encode(),
        body,
        "127.0.0.1",
    )


async def proved(client: CustodyClient, request: AuthenticateRequest) -> Proof:
    proof = await client.authenticate(request)
    assert isinstance(proof, Proof), proof
    return proof


def signing(vector: Vector, ticket: str, /, **changes: Any) -> SignBeaconRequest:
    honest = request_for(
        vector,
        wallet_name(vector),
        "",
        principal=Principal("client", "bot-1"),
        access_token=None,
        policy=policy_digest(),
    )
    return replace(honest, **{"ticket": ticket, **changes})


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory, vectors: list[Vector], order: Vector
) -> Iterator[CustodyWorld]:
    directory = tmp_path_factory.mktemp("signed")
    with (
        running_openbao(directory / "openbao") as openbao,
        custody_world(openbao, directory, vectors, clients=(client_of(order),)) as running,
    ):
        yield running


@pytest.fixture
async def custody(world: CustodyWorld) -> AsyncIterator[CustodyClient]:
    async with connected(world.custody.socket_path) as connection:
        yield connection


async def test_a_signed_request_makes_the_vectors_signature(custody: CustodyClient, order: Vector) -> None:
    proof = await proved(custody, question(order))
    assert (proof.client, proof.scheme, len(proof.nonce)) == ("bot-1", "hmac", 32)
    signed = await custody.sign_beacon(signing(order, proof.ticket))
    assert signed.signature.hex() == order["signature"]


async def test_a_refusal_comes_over_the_socket_with_its_reason(custody: CustodyClient, order: Vector) -> None:
    verdict = await custody.authenticate(replace(question(order), credential="\udcff é"))
    assert isinstance(verdict, ProofRefused)
    refusal = verdict.refusal
    assert (refusal.code, refusal.reason) == ("authentication_failed", "unknown API key")
    assert await custody.check_client(ClientName("bot-1")) is None  # type: ignore[func-returns-value]  # that is all it says
    with pytest.raises(CustodyError, match="no client of that name"):
        await custody.check_client(ClientName("bot-2"))


async def test_the_largest_body_fits_a_frame(custody: CustodyClient, order: Vector) -> None:
    body = b'{"wallet_name": "x", "pad": "' + b"\xc3\xa9" * 32_700 + b'"}'
    query = f"recvWindow=60000&timestamp={time.time_ns() // 1_000_000}"
    call = sign_text(BOT, SignedCall("POST", "/" + "p" * 4000, query, {}, body))
    request = replace(question(order), path=call.path, query=call.query.encode(), body=body)
    assert (await proved(custody, request)).ticket == ""


async def test_a_clients_ticket_and_a_users_name_or_token_do_not_mix(
    world: CustodyWorld, custody: CustodyClient, order: Vector
) -> None:
    """A server in an attacker's hands has both at hand."""
    token = world.request(order).access_token
    user = Principal("user", USERNAME)

    async def code(**changes: Any) -> str:
        ticket = (await proved(custody, question(order))).ticket
        with pytest.raises(CustodyError) as caught:
            await custody.sign_beacon(signing(order, ticket, **changes))
        return caught.value.code

    assert await code(principal=user) == "no_permission"
    assert await code(principal=user, access_token=token) == "bad_question"
    assert await code(access_token=token) == "bad_question"
    assert await code(ticket=None) == "bad_question"
    assert await code(ticket=None, access_token=token) == "no_permission"
    assert await code(ticket=token) == "custody_unavailable"
    with pytest.raises(CustodyError) as caught:
        await custody.sign_beacon(
            world.request(order, access_token=(await proved(custody, question(order))).ticket)
        )
    assert caught.value.code == "invalid_token"


async def test_questions_about_requests_must_have_exactly_their_members(
    custody: CustodyClient, order: Vector
) -> None:
    good = json.loads(question(order).payload())
    bad: list[bytes] = [b"", b"{}", b"[]", json.dumps({**good, "trust": True}).encode()]
    bad += [json.dumps({k: v for k, v in good.items() if k != left_out}).encode() for left_out in good]
    bad += [json.dumps({**good, name: None}).encode() for name in good]
    bad += [
        json.dumps({**good, name: value}).encode()
        for name in ("query", "body", "path", "credential")
        for value in ("é", "a", "aa", "YQ", "YR==", "YQ==\n", "_-==", ["YQ=="])
    ]
    bad += [json.dumps({**good, name: "/w=="}).encode() for name in ("path", "credential")]
    bad += [json.dumps({**good, "family": family}).encode() for family in ("user", "", "Client")]
    for payload in bad:
        with pytest.raises(CustodyError) as caught:
            await custody.authenticate(_Raw(payload))  # type: ignore[arg-type]  # stands in for a request with another payload
        assert caught.value.code == "bad_question", payload
    await proved(custody, question(order))


class _Raw:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def payload(self) -> bytes:
        return self._data


async def test_after_a_restart_the_ticket_is_unknown_and_the_client_can_sign_anew(
    own_openbao: OpenBao, tmp_path: Path, vectors: list[Vector], order: Vector
) -> None:
    with custody_world(own_openbao, tmp_path, vectors, clients=(client_of(order),)) as world:
        async with connected(world.custody.socket_path) as client:
            ticket = (await proved(client, question(order))).ticket
            world.custody.kill()
            await until_down(client)
            world.custody.start()
            await until_up(client)
            with pytest.raises(CustodyError, match="sign it anew") as caught:
                await client.sign_beacon(signing(order, ticket))
            assert caught.value.code == "custody_unavailable"
            again = (await proved(client, question(order))).ticket
            assert (await client.sign_beacon(signing(order, again))).signature.hex() == order["signature"]


class SlowVault:
    """Has a client's secret and a wallet's key; tells when the key's answer has been sent."""

    def __init__(self) -> None:
        self.key_sent = asyncio.Event()

    async def converse(self, vault: Conversation) -> None:
        """Serve one connection."""
        while True:
            request = await vault.request()
            if b"/data/clients/" in request:
                await asyncio.sleep(0.05)
                body = {"request_id": "r", "data": {"data": {"secret": PLAIN_SECRET}, "metadata": {}}}
                await vault.send(answer(json.dumps(body).encode()))
            else:
                await vault.send(answer())
                self.key_sent.set()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may read another process's memory")
@pytest.mark.parametrize("transport", ["plain", "tls"])
async def test_neither_the_key_that_waits_nor_the_clients_secret_is_in_memory(
    own_openbao: OpenBao, tmp_path: Path, vectors: list[Vector], order: Vector, transport: str
) -> None:
    """Custody is stopped in the middle: the client is known, the key's answer has arrived and waits unread."""
    key = HmacKey(BOT.api_key, PLAIN_SECRET)
    installation = install(tmp_path / "vs", own_openbao, plan(vectors[:1], clients=(client_of(order, key),)))
    assert order["private_key"] == KEY
    needles = {
        **forms_of_key("key", bytes.fromhex(KEY)),
        **forms_of_text("secret", PLAIN_SECRET),
        **{
            f"pad {pad:x}": bytes(byte ^ pad for byte in PLAIN_SECRET.encode()) for pad in (0x36, 0x5C)
        },  # RFC 2104
    }
    authority = Authority(tmp_path, "127.0.0.1") if transport == "tls" else None
    tls, certificate = (authority.server, authority.certificate) if authority else (None, None)
    slow = SlowVault()
    async with fake_vault(slow.converse, tmp_path, tls=tls, ca_cert=certificate) as vault:
        environment = {"VAULT_ADDR": vault.address, "VAULTSIGNER_VAULT__CA_CERT": str(certificate)}
        if certificate is None:
            del environment["VAULTSIGNER_VAULT__CA_CERT"]
        with running_custody(installation, **environment) as custody:
            async with connected(custody.socket_path) as client:
                memory = ProcessMemory(custody.pid)
                for _ in range(2):
                    slow.key_sent.clear()
                    proof = await proved(client, question(order, key))
                    await slow.key_sent.wait()
                    await asyncio.sleep(0.05)
                    with standing_still(custody.pid):
                        found = await asyncio.to_thread(
                            memory.find, {**needles, "ticket": proof.ticket.encode()}
                        )
                    assert found == {"ticket"}, "the ticket shows that the search sees custody's memory"
                    signed = await client.sign_beacon(signing(order, proof.ticket))
                    assert signed.signature.hex() == order["signature"]
                assert await asyncio.to_thread(memory.find, needles) == set()
