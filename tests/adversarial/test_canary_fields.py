"""Secrets typed into every place of a request: none of them gets into an error, a record or the log."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.adversarial.canaries import BROKEN, CANARIES, HEADERS, NEEDLES, with_canary
from tests.adversarial.desk import RECEIVER, private_key_wallet, running_desk, transfer
from tests.adversarial.memory_search import find_in
from tests.adversarial.raw_http import Reply, exchange, request
from tests.world import World

WALLET = "desk"
PAIR = "ANN-457_BNB"
ORDER_ID = f"{'0123456789ABCDEF' * 2}01234567-1"
MESSAGES: dict[str, dict[str, Any]] = {
    "/api/order": {
        **{"symbol": PAIR, "order_type": 2, "side": 1, "price": "1", "quantity": "1"},
        "time_in_force": 1,
    },
    "/api/cancel_order": {"order_id": ORDER_ID, "symbol": PAIR},
    "/api/transfer": {"to_address": RECEIVER, "symbol": "BNB", "amount": "1"},
    "/api/freeze": {"symbol": "BNB", "amount": "1"},
    "/api/unfreeze": {"symbol": "BNB", "amount": "1"},
    "/api/vote": {"proposal_id": 1, "option": 1},
}
PAYMENTS = {"transfers": [{"to_address": RECEIVER, "denom": "BNB", "amount": "1"}], "memo": ""}


@dataclass(frozen=True)
class Target:
    """The world, and every error that came back."""

    world: World
    errors: list[Reply] = field(default_factory=list)

    def send(self, *pieces: bytes) -> Reply:
        """One exchange; kept when it failed."""
        reply = exchange(self.world.url, *pieces)
        if reply.status >= 400:
            self.errors.append(reply)
        return reply

    def post(self, path: str, body: bytes, *headers: str) -> Reply:
        """With a good token."""
        return self.send(request("POST", path, body, f"Authorization: Bearer {self.world.token()}", *headers))


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with running_desk(tmp_path_factory.mktemp("desk"), private_key_wallet(WALLET)) as world:
        yield Target(world)


@pytest.fixture(autouse=True)
def nothing_leaks(target: Target) -> Iterator[None]:
    """After each test: neither the errors it got nor anything that was written meanwhile hold a canary."""
    target.errors.clear()
    before = {path: path.stat().st_size for path in files(target.world)}
    yield
    leaks = {(name, reply.raw[:80]) for reply in target.errors for name in find_in(reply.raw, NEEDLES)}
    assert leaks == set()
    written = {path: path.read_bytes()[before.get(path, 0) :] for path in files(target.world)}
    found = {path.name: find_in(without_intents(path, data), NEEDLES) for path, data in written.items()}
    assert {name: names for name, names in found.items() if names} == {}


def files(world: World) -> list[Path]:
    """Everything that is written, the records and the log among it; the state database changes in place."""
    paths = [path for path in world.installation.directory.rglob("*") if path.is_file()]
    assert world.service.log in paths
    assert any(path.suffix == ".jsonl" for path in paths)
    return [path for path in paths if path.parent.name != "state"]


def without_intents(path: Path, data: bytes) -> bytes:
    """The record says what was signed, even where somebody signs a token's name that is a secret of another kind."""
    if path.suffix != ".jsonl":
        return data
    records = [json.loads(line) for line in data.splitlines()]
    return json.dumps([{**record, "intent": None} for record in records], ensure_ascii=False).encode()


def good_bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    """A body that is signed for every kind of message."""
    for path, message in MESSAGES.items():
        yield path, {"wallet_name": WALLET, "msg": {**message, "memo": ""}, "memo": ""}
    yield "/api/transfer", {"wallet_name": WALLET, "msg": PAYMENTS}


@pytest.mark.parametrize("name", CANARIES)
@pytest.mark.parametrize(("path", "body"), list(good_bodies()))
def test_in_every_member_of_a_message(target: Target, path: str, body: dict[str, Any], name: str) -> None:
    assert target.post(f"{path}/sign", json.dumps(body).encode()).status == 200
    for spoiled in with_canary(body, CANARIES[name]):
        reply = target.post(f"{path}/sign", json.dumps(spoiled).encode())
        if reply.status == 404:
            # The old service's words for an unknown wallet repeat its name, and its clients know them.
            assert (
                reply.document["message"] == f"Not authorised to access wallet {spoiled['wallet_name'][:64]}"
            )
            target.errors.remove(reply)


@pytest.mark.parametrize("name", CANARIES)
def test_in_every_member_of_a_broadcast_and_a_resync(target: Target, name: str) -> None:
    """The same reader as for signing, so one message does; the canary is never good enough to be sent."""
    good = {**transfer(WALLET), "note": ""}
    bodies = [("/api/transfer/broadcast", spoiled) for spoiled in with_canary(good, CANARIES[name])]
    bodies += [
        ("/api/wallet/resync", spoiled) for spoiled in with_canary({"wallet_name": WALLET}, CANARIES[name])
    ]
    for path, body in bodies:
        reply = target.post(path, json.dumps(body).encode())
        if reply.status == 404:
            target.errors.remove(reply)


@pytest.mark.parametrize("name", CANARIES)
def test_in_every_member_of_a_log_in(target: Target, name: str) -> None:
    for body in with_canary({"username": "sam", "password": "wrong", "comment": [""]}, CANARIES[name]):
        assert target.send(request("POST", "/api/auth/login", json.dumps(body).encode())).status in (400, 422)
        assert target.send(request("POST", "/api/auth/logon", json.dumps(body).encode())).status == 404
        assert target.send(request("PUT", "/api/auth/login", json.dumps(body).encode())).status == 405


@pytest.mark.parametrize(
    "path", ["/api/auth/login", "/api/transfer/sign", "/api/order/broadcast", "/api/wallet/resync"]
)
@pytest.mark.parametrize("name", CANARIES)
def test_in_broken_json(target: Target, path: str, name: str) -> None:
    for template in BROKEN:
        text = template.format(CANARIES[name])
        bodies = (
            text.encode("utf-8", "surrogatepass"),
            text.encode("utf-16", "surrogatepass"),
            text.encode() + b"\xff",
        )
        for body in bodies:
            assert target.post(path, body).status in (400, 422), template


@pytest.mark.parametrize("name", CANARIES)
def test_in_every_header(target: Target, name: str) -> None:
    for header in (line.format(CANARIES[name]) for line in HEADERS):
        for method, path in (
            ("POST", "/api/transfer/sign"),
            ("POST", "/api/auth/login"),
            ("GET", "/api/wallet"),
        ):
            target.send(request(method, path, b"{}" if method == "POST" else b"", header))
        # A header of two lines, and one that is too long, are refused by the parser itself.
        target.send(request("GET", "/api/wallet", b"", f"{header}\r\n {CANARIES[name]}"))
        target.send(request("POST", "/api/transfer/sign", b"", header * 200))


PATHS = (
    *(
        "/{}",
        "/api/{}",
        "/api/auth/{}",
        "/api/order/{}",
        "/api/order/sign/{}",
        "/api/{}/sign",
        "/docs/{}",
        "//{}",
    ),
    *(
        "/api/wallet/{}/x",
        "/docs?{}",
        "/api/wallet?{}=1",
        "/api/order/sign?sync={}",
        "/api/order/broadcast?sync={}",
    ),
    *(
        "/api/order/broadcast?{}&sync=1&sync=1",
        "/api/openapi.json?x={}",
        "/#{}",
        "http://{}/api/wallet",
        "{}",
        "/%ff{}",
    ),
)


@pytest.mark.parametrize("name", CANARIES)
def test_in_every_path_and_query(target: Target, name: str) -> None:
    for path in (template.format(CANARIES[name].replace(" ", "%20")) for template in PATHS):
        for method in ("GET", "POST", CANARIES[name]):
            target.send(request(method, path))


@pytest.mark.parametrize("name", CANARIES)
def test_as_the_name_of_a_wallet_only_the_answer_repeats_it(target: Target, name: str) -> None:
    path = f"/api/wallet/{CANARIES[name].replace(' ', '%20')}"
    reply = target.send(request("GET", path, b"", f"Authorization: Bearer {target.world.token()}"))
    assert (reply.status, reply.document["code"]) == (404, "wallet_not_found")
    target.errors.clear()
    assert target.send(request("GET", path)).status == 401


@pytest.mark.parametrize("name", CANARIES)
def test_in_what_is_no_http(target: Target, name: str) -> None:
    canary = CANARIES[name].encode()
    head = b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\n"
    for data in (
        canary + b"\r\n\r\n",
        b"GET / " + canary + b"\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + canary + b"\r\n\r\n",
        head + b"Content-Length: " + canary + b"\r\n\r\n",
        head + b"Transfer-Encoding: chunked\r\n\r\n" + canary + b"\r\n0\r\n\r\n",
        head + b"Transfer-Encoding: chunked\r\n\r\n2;" + canary + b"\r\n{}\r\n0\r\n\r\n",
        head + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: " + canary + b"\r\n\r\n",
        b"\x16\x03\x01" + canary + b"\r\n\r\n",
    ):
        assert target.send(data).status in (400, 422)


def test_what_is_on_the_record_is_seen(target: Target) -> None:
    """A token's name that is signed stands in the intent: the check looks at the right files, at the right place in them."""
    symbol = f"SEEN-{secrets.token_hex(4)}"
    before = {path: path.stat().st_size for path in files(target.world)}
    assert (
        target.post("/api/transfer/sign", json.dumps(transfer(WALLET, symbol=symbol)).encode()).status == 200
    )
    written = {path: path.read_bytes()[size:] for path, size in before.items()}
    assert [path.suffix for path, data in written.items() if symbol.encode() in data] == [".jsonl"]
    assert all(symbol.encode() not in without_intents(path, data) for path, data in written.items())
