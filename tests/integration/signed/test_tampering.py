"""A valid signed request, changed: no byte of it can be another, and nothing can move between query and body."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from itertools import count
from urllib.parse import unquote

import pytest

from tests.integration.signed.callers import FROZEN_MS, SIGNERS
from tests.integration.signed.test_nonces import ask, opened
from tests.signing_client import SignedCall, sign_text
from tests.world import Vector, World, wallet_name

CHECK = "/api/auth/check"
"""Answers 200 to everything whose signature holds, whatever the body is."""
AT_ONCE = 32
MOMENTS = count(FROZEN_MS, -1)
"""No two requests are signed for one; the service's clock stands still, for the changed ones take a busy machine minutes."""


def signed_freeze(world: World, sample: Vector, name: str, *, timing_first: bool = False) -> SignedCall:
    """A request to sign, as it could be sent to any path."""
    document = {"wallet_name": wallet_name(sample), "msg": {"symbol": "BNB", "amount": "10"}}
    body = json.dumps(document, separators=(",", ":")).encode()
    parts = ["note=a%20b", f"timestamp={next(MOMENTS)}&recvWindow=60000"]
    query = "&".join(reversed(parts) if timing_first else parts)
    return sign_text(SIGNERS[name], SignedCall("POST", CHECK, query, {}, body))


def flipped(call: SignedCall) -> Iterable[SignedCall]:
    """Every byte of query and body with its lowest bit flipped, and with its case bit."""
    query, body = call.query.encode(), call.body
    for position in range(len(query) + len(body)):
        for bit in (0x01, 0x20):
            whole = bytearray(query + body)
            whole[position] ^= bit
            changed = bytes(whole[: len(query)])
            if not changed.isascii() or any(byte <= 0x20 or byte in (0x23, 0x7F) for byte in changed):
                continue  # no request target any more; the HTTP layer's own tests have these
            yield SignedCall("POST", CHECK, changed.decode(), call.headers, bytes(whole[len(query) :]))


def resplit(call: SignedCall) -> Iterable[SignedCall]:
    """The same signed text, cut into query and body at every other place, the signature last in the query."""
    text, _, signature = call.query.partition("&signature=")
    whole = text.encode() + call.body
    for cut in range(len(whole) + 1):
        query, body = whole[:cut], whole[cut:]
        if cut == len(text) or any(byte <= 0x20 or byte >= 0x7F or byte == 0x23 for byte in query):
            continue
        yield SignedCall("POST", CHECK, f"{query.decode()}&signature={signature}", call.headers, body)


async def statuses(world: World, calls: Iterable[SignedCall]) -> Counter[int]:
    """Ask for all of them over a few connections."""
    waiting = list(calls)
    counted: Counter[int] = Counter()
    while waiting:
        now, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
        async with opened([world.service], len(now)) as connections:
            counted.update(await asyncio.gather(*map(ask, connections, now)))
    return counted


@pytest.mark.parametrize("name", SIGNERS)
def test_no_byte_of_a_signed_request_can_be_another(frozen: World, sample: Vector, name: str) -> None:
    call = signed_freeze(frozen, sample, name)
    counted = asyncio.run(statuses(frozen, meaning_another(call, flipped(call))))
    assert sum(counted.values()) > len(call.query)
    assert set(counted) == {400, 401}
    assert frozen.send(call).status == 200, (
        "the request itself was good all the time, and none of these used it up"
    )


def meaning_another(call: SignedCall, calls: Iterable[SignedCall]) -> Iterable[SignedCall]:
    """Without those that spell the same: hexadecimal digits of the signature and of percent-encodings in the other case."""
    head, _, signature = call.query.rpartition("signature=")
    hexadecimal = set(signature) <= set("0123456789abcdef")
    for changed in calls:
        start, _, other = changed.query.rpartition("signature=")
        spelt_otherwise = unquote(other) == unquote(signature) or (hexadecimal and other.lower() == signature)
        if (start, changed.body) != (head, call.body) or not spelt_otherwise:
            yield changed


@pytest.mark.parametrize("timing_first", [True, False])
@pytest.mark.parametrize("name", SIGNERS)
def test_no_signed_request_can_be_split_elsewhere(
    frozen: World, sample: Vector, name: str, timing_first: bool
) -> None:
    call = signed_freeze(frozen, sample, name, timing_first=timing_first)
    counted = asyncio.run(statuses(frozen, resplit(call)))
    assert sum(counted.values()) > len(call.body)
    assert set(counted) <= {400, 401}
    assert frozen.send(call).status == 200


def test_the_same_signature_makes_one_signature_on_one_route_alone(frozen: World, sample: Vector) -> None:
    """Where the client did not bind it to an operation it may go to another path, but never to both."""
    frozen.place({**sample, "sequence": 9200})
    call = signed_freeze(frozen, sample, "bot-hmac")
    paths = ("/api/freeze/sign", "/api/unfreeze/sign", "/api/freeze/broadcast", CHECK)
    moved = [SignedCall("POST", path, call.query, call.headers, call.body) for path in paths]
    assert [frozen.send(each).status for each in moved] == [200, 409, 409, 409]
