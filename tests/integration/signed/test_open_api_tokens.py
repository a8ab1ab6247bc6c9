"""Open API tokens: the vectors through the real custody process at their own time, and what HTTP callers get."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.signed.callers import (
    OPEN_API,
    OPEN_API_NAME,
    TOKENS,
    UNHURRIED,
    planned_clients,
)
from tests.signing_client import (
    OPEN_API_HEADER,
    SignedCall,
    open_api_call,
    open_api_digest,
    open_api_token,
)
from tests.world import Vector, World, planned_wallets, running_world
from vaultsigner.custody.client import CustodyClient
from vaultsigner.custody.protocol import AuthenticateRequest, Proof
from vaultsigner.dev.installation import EVERY_PERMISSION, PlannedClient
from vaultsigner.domain.names import Operation, RequestId
from vaultsigner.domain.refusals import Refusal

CHECK = "/api/auth/check"
FREEZE = "/api/freeze/sign"
ALL: list[Vector] = TOKENS["vectors"]
ACCEPTED = [vector for vector in ALL if vector["expect"] == "accept"]
REFUSED = [vector for vector in ALL if vector["expect"] != "accept"]
TS = max(vector["ts"] for vector in ALL) + 60
"""Of the requests through HTTP: after all vectors, because state must never have seen a later time."""
Claims = dict[str, Any]


def named(vectors: list[Vector]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", vectors, ids=[vector["id"] for vector in vectors])


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory, sample: Vector) -> Iterator[World]:
    """A client for every access key of the vectors, beside the usual ones."""
    wallets = [wallet.name for wallet in planned_wallets([sample])]
    granted = dict.fromkeys(wallets, EVERY_PERMISSION)
    secrets = {vector["access_key_id"]: vector["secret"] for vector in ACCEPTED}
    others = [key for key in secrets if key != OPEN_API.access_key_id]
    with running_world(
        tmp_path_factory.mktemp("apps"),
        [sample],
        clients=(
            *planned_clients(*wallets),
            *(
                PlannedClient(f"app-{number}", key, "open_api", granted, secrets[key])
                for number, key in enumerate(others)
            ),
        ),
        rate_limits=UNHURRIED,
        frozen_at_ms=TS * 1000,
    ) as world:
        yield world


@pytest.fixture(autouse=True)
def at_its_time(apps: World) -> None:
    assert apps.clock
    apps.clock.set(TS * 1000)


def judged(world: World, vector: Vector, token: str, path: str) -> Proof | Refusal:
    """What custody says of a vector's request."""

    async def ask() -> Proof | Refusal:
        custody = CustodyClient(world.service.custody_socket)
        await custody.connect()
        try:
            verdict = await custody.authenticate(
                AuthenticateRequest(
                    request_id=RequestId("vector"),
                    family="open_api",
                    credential=token,
                    operation=Operation("auth.check"),
                    method=vector["method"],
                    path=path,
                    query=vector["query"].encode(),
                    body=vector["body"].encode(),
                    ip="127.0.0.1",
                )
            )
            return verdict if isinstance(verdict, Proof) else verdict.refusal
        finally:
            await custody.close()

    assert world.clock
    world.clock.set(vector["ts"] * 1000)
    return asyncio.run(ask())


@named(ACCEPTED)
@pytest.mark.parametrize("token", ["token", "token_header_typ_first"])
def test_custody_verifies_the_vectors_at_their_time(apps: World, vector: Vector, token: str) -> None:
    for path in {vector["uri"], vector["uri"].rstrip("/")}:
        if path == vector["uri"] or vector["uri"].endswith("/"):
            proof = judged(apps, vector, vector[token], path)
            assert isinstance(proof, Proof), proof
            assert proof.scheme == "open_api"


@named(REFUSED)
def test_custody_refuses_what_the_vectors_say_is_refused(apps: World, vector: Vector) -> None:
    refusal = judged(apps, vector, vector["token"], vector["uri"])
    assert isinstance(refusal, Refusal)
    assert refusal.code == "authentication_failed"


@named(ACCEPTED)
def test_the_digest_of_the_vectors_is_ours_too(vector: Vector) -> None:
    """The tests' own client, which signs what follows."""
    digest = open_api_digest(vector["method"], vector["uri"], vector["query"], vector["body"].encode())
    assert digest == vector["dig"]


def test_a_token_for_our_own_routes_is_taken_once(apps: World) -> None:
    call = open_api_call(OPEN_API, "GET", CHECK, "a=b", ts=TS)
    replies = [apps.send(call) for _ in range(2)]
    assert [reply.status for reply in replies] == [200, 409]
    assert replies[0].body["principal"]["name"] == OPEN_API_NAME


def test_the_same_claims_in_another_order_are_the_same_token(apps: World) -> None:
    claims = good_claims("GET", CHECK, "again=1")
    turned = dict(reversed(claims.items()))
    replies = [apps.send(with_token(forged(each), "GET", CHECK, "again=1")) for each in (claims, turned)]
    assert [reply.status for reply in replies] == [200, 409]


@pytest.mark.parametrize(
    "moved",
    [
        ("POST", FREEZE, "n=1", b'{"other": 1}'),
        ("PUT", CHECK, "n=1", b""),
        ("GET", CHECK, "n=2", b""),
        ("GET", CHECK, "", b""),
        ("GET", "/api/wallet", "n=1", b""),
    ],
)
def test_a_token_is_for_one_request_alone(apps: World, moved: tuple[str, str, str, bytes]) -> None:
    headers = {OPEN_API_HEADER: open_api_token(OPEN_API, "GET", CHECK, "n=1", ts=TS)}
    method, path, query, body = moved
    reply = apps.send(SignedCall(method, path, query, headers, body))
    assert (reply.status, reply.body["code"]) == (401, "authentication_failed")


HEADER = {"alg": "HS256", "typ": "JWT"}
BAD_HEADERS: list[Claims] = [
    {"alg": "none", "typ": "JWT"},
    {"alg": "HS512", "typ": "JWT"},
    {"alg": "HS256"},
    {"alg": "HS256", "typ": "jwt"},
    {**HEADER, "crit": ["exp"]},
    {**HEADER, "kid": "1"},
]
BAD_CLAIMS: list[Claims] = [
    {"dig": "upper"},
    {"ts": str(TS)},
    {"ts": float(TS)},
    {"ts": True},
    {"exp": TS - 1},
    {"exp": "soon"},
    {"exp": 10**400},
    {"nbf": TS},
    {"iss": "somebody"},
    {"iss": None},
]


def good_claims(method: str, path: str, query: str = "") -> Claims:
    return {"iss": OPEN_API.access_key_id, "dig": open_api_digest(method, path, query, b""), "ts": TS}


def forged(claims: Claims | str, header: Claims | None = None) -> str:
    """A token over any header and claims, with the right secret."""
    parts = [header or HEADER, claims]
    texts = [part if isinstance(part, str) else json.dumps(part) for part in parts]
    signed = ".".join(base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode() for text in texts)
    signature = hmac.new(OPEN_API.secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def with_token(token: str, method: str, path: str, query: str = "") -> SignedCall:
    return SignedCall(method, path, query, {OPEN_API_HEADER: token})


@pytest.mark.parametrize("header", BAD_HEADERS, ids=json.dumps)
def test_a_header_of_another_kind_is_refused(apps: World, header: Claims) -> None:
    reply = apps.send(with_token(forged(good_claims("GET", CHECK), header), "GET", CHECK))
    assert (reply.status, reply.body["code"]) == (401, "authentication_failed")


@pytest.mark.parametrize("change", BAD_CLAIMS, ids="-".join)
def test_claims_of_another_kind_are_refused(apps: World, change: Claims) -> None:
    claims = good_claims("GET", CHECK)
    if change == {"dig": "upper"}:
        change = {"dig": claims["dig"].upper()}
    reply = apps.send(with_token(forged({**claims, **change}), "GET", CHECK))
    assert (reply.status, reply.body["code"]) == (401, "authentication_failed")


def test_a_claim_given_twice_is_refused(apps: World) -> None:
    twice = json.dumps(good_claims("GET", CHECK))[:-1] + f', "ts": {TS}}}'
    reply = apps.send(with_token(forged(twice), "GET", CHECK))
    assert (reply.status, reply.body["code"]) == (401, "authentication_failed")


def test_a_sane_expiry_is_taken(apps: World) -> None:
    claims = {**good_claims("GET", CHECK, "expires=1"), "exp": TS + 30}
    assert apps.send(with_token(forged(claims), "GET", CHECK, "expires=1")).status == 200
