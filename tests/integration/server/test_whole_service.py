"""The HTTP layer in front of the real pipeline: what it refuses by itself is on the record like everything else."""

import json
import socket
from collections.abc import Iterator

import pytest
import requests

from tests.patience import PATIENCE_SECONDS, wait_until
from tests.world import Vector, World, running_world

SIGN = "/api/freeze/sign"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, vectors: list[Vector]) -> Iterator[World]:
    """One world for all."""
    with running_world(tmp_path_factory.mktemp("world"), vectors[:1]) as world:
        yield world


def refusal_on_record(world: World, answer: requests.Response) -> tuple[str, str, int]:
    """Operation, code and status in the one record of a refused request."""
    body = answer.json()
    assert set(body) == {"code", "message", "detail", "request_id"}
    [record] = world.records(body["request_id"])
    assert record["kind"] == "request"
    assert record["status"] == answer.status_code
    return record["operation"], record["code"], record["status"]


@pytest.mark.parametrize(
    ("method", "path", "data", "expected"),
    [
        ("GET", "/api/nothing", b"", ("http.request", "not_found", 404)),
        ("GET", SIGN, b"", ("http.request", "method_not_allowed", 405)),
        ("POST", SIGN, b" " * 70_000, ("freeze.sign", "body_too_large", 413)),
        ("POST", "/api/freeze/broadcast?sync=maybe", b"{}", ("freeze.broadcast", "invalid_fields", 422)),
        ("POST", SIGN, b"{}", ("freeze.sign", "not_authenticated", 401)),
    ],
)
def test_refusals_are_on_the_record(
    running: World, method: str, path: str, data: bytes, expected: tuple[str, str, int]
) -> None:
    answer = requests.request(method, running.url + path, data=data, timeout=PATIENCE_SECONDS)
    assert refusal_on_record(running, answer) == expected


def test_what_is_no_http_is_on_the_record(running: World) -> None:
    host, port = running.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(b"GET /p4ssw0rd HTTP/1.1\r\n\r\n")
        received = b""
        while piece := connection.recv(65536):
            received += piece
    body = json.loads(received.partition(b"\r\n\r\n")[2])
    [record] = running.records(body["request_id"])
    assert (record["operation"], record["code"], record["status"]) == (
        "http.request",
        "malformed_request",
        400,
    )
    assert "p4ssw0rd" not in json.dumps(record)


def test_a_signed_answer_points_to_its_rule_and_record(running: World, vectors: list[Vector]) -> None:
    wallet = running.place(vectors[0])
    answer = running.post(SIGN, {"msg": {"symbol": "BNB", "amount": "1"}, "wallet_name": wallet})
    assert answer.status == 200
    outcome = running.records(answer.request_id)[-1]
    decision = dict(part.split("=", 1) for part in answer.headers["X-Vaultsigner-Decision"].split("; "))
    intent = running.records(answer.request_id)[0]
    assert decision["rule"] == intent["decision"]["rule"]
    assert intent["decision"]["policy"].startswith("sha256:" + decision["policy"])
    assert decision["audit"] == f"{outcome['chain']}:{outcome['seq']}"


def test_a_bad_log_in_is_answered_as_the_old_service_did(running: World) -> None:
    answer = running.ask("POST", "/api/auth/login", {"username": "sam", "password": "wrong"}, token=None)
    assert (answer.status, answer.body["code"]) == (400, "bad_credentials")
    assert answer.body["detail"] == '{"error": "Incorrect email or password"}'


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_token_can_be_tried_out(running: World, method: str) -> None:
    answer = running.ask(method, "/api/auth/check?a=%2f&b", {"any": "thing"}, token=running.token())
    assert (answer.status, answer.body["principal"]) == (
        200,
        {"type": "user", "name": "sam", "scheme": "token"},
    )
    [record] = running.records(answer.request_id)
    assert (record["operation"], record["code"], record["status"]) == ("auth.check", "ok", 200)


def test_it_is_ready(running: World) -> None:
    def asked() -> requests.Response:
        return requests.get(running.service.ops_url + "/readyz", timeout=PATIENCE_SECONDS)

    wallets = {name: {"ready": True} for name in running.installation.settings.wallets}
    wait_until(lambda: asked().json()["wallets"] == wallets, "all keys have been looked for")
    answer = asked()
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ready", "problems": [], "wallets": wallets},
    )
