"""Every signed-request vector through the real Traefik: the verdict is the one that it gets without."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.signed.callers import COMPLETION, HMAC, OPEN_API, REQUESTS, TOKENS, call_of
from tests.integration.traefik.conftest import Desk
from tests.signing_client import OPEN_API_HEADER, Reply, SignedCall, open_api_call, sign_text, spelled
from tests.world import Vector
from vaultsigner.dev.service import Service

CHECK = "/api/auth/check"
SPLIT_BETWEEN_QUERY_AND_FORM = {"composed-003", "composed-006", "composed-009"}
"""Refused with or without Traefik: see tests/integration/signed/test_exchange_vectors.py."""


@pytest.fixture(scope="module")
def apart(frozen: Desk) -> Iterator[Service]:
    """A service without a proxy and with a state of its own, to which every request is new as well."""
    with frozen.world.second_service("apart", state_url=None) as service:
        yield service


def told(reply: Reply) -> tuple[int, Any]:
    """What a client makes of an answer, less what differs each time."""
    body = reply.body
    return reply.status, {**body, "request_id": None} if isinstance(body, dict) else body


@pytest.mark.parametrize("vector", REQUESTS, ids=[vector["id"] for vector in REQUESTS])
def test_the_verdict_is_the_same_through_traefik(frozen: Desk, apart: Service, vector: Vector) -> None:
    path = COMPLETION if vector["id"].startswith("web3-") else CHECK
    call = call_of(vector, path)
    through, straight = frozen.traefik.send(call), frozen.world.send(call, service=apart)
    assert told(through) == told(straight)
    taken = vector["expect"] == "accept" and vector["id"] not in SPLIT_BETWEEN_QUERY_AND_FORM
    if taken and path == CHECK:
        assert through.status in (200, 409), through.body


@pytest.mark.parametrize("vector", TOKENS["vectors"], ids=[vector["id"] for vector in TOKENS["vectors"]])
def test_what_a_token_covers_arrives_as_it_was_sent(frozen: Desk, apart: Service, vector: Vector) -> None:
    """Their paths are the Open API's; what they have in query and body goes to one of ours, with a token for that."""
    assert frozen.world.clock
    seconds = frozen.world.clock.milliseconds() // 1000
    call = open_api_call(OPEN_API, vector["method"], CHECK, vector["query"], ts=seconds)
    through, straight = frozen.traefik.send(call), frozen.world.send(call, service=apart)
    assert told(through) == told(straight)
    token = SignedCall(
        vector["method"], CHECK, vector["query"], {OPEN_API_HEADER: vector["token"]}, vector["body"].encode()
    )
    assert told(frozen.traefik.send(token)) == told(frozen.world.send(token, service=apart))


QUERIES = {
    "spaces as plus and as %20": "a=x+y%20z",
    "an encoded unreserved character": "a=%7Eb%2d",
    "small hexadecimal digits": "a=%c3%a9%2f",
    "an empty value, an empty name and an empty parameter": "a=&=b&&c",
    "characters that many would encode": "a=!$'()*,:@/?~-._",
    "a bracket before the time": "a=[1]",
    "a quotation mark": 'a="b"',
    "a plus that is one": "a=%2B",
    "a backslash and a caret": "a=%5C%5E",
    "very long": "a=" + "x" * 6000,
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_a_query_arrives_byte_for_byte(frozen: Desk, apart: Service, query: str) -> None:
    """Whatever it is spelled like: the signature holds, or the refusal is the one without a proxy."""
    assert frozen.world.clock
    text = f"{query}&{spelled({'timestamp': str(frozen.world.clock.milliseconds())})}"
    call = sign_text(HMAC, SignedCall("GET", CHECK, text))
    through, straight = frozen.traefik.send(call), frozen.world.send(call, service=apart)
    assert told(through) == told(straight)
