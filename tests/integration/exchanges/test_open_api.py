"""The Open API over HTTP: tokens that the other side takes, what it encrypts, and the whole round for user data."""

import base64
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import jwt
import pytest

from tests.integration.exchanges.desk import HMAC
from tests.integration.exchanges.mini_program import (
    ACCESS_KEY_ID,
    APP_ID,
    SECRET,
    MiniProgram,
    running_mini_program,
)
from tests.integration.signed.callers import UNHURRIED
from tests.signing_client import Reply, signed_call
from tests.world import Answer, World, running_world
from vaultsigner.dev.installation import PlannedClient, PlannedUser
from vaultsigner.dev.planned_exchanges import PlannedOpenApiApp

POLICY = """\
version: 1
rules:
  - id: mini
    effect: allow
    principals: ["user:tim", "client:bot"]
    operations: [open_api.*]
"""
BASE = "/api/open_api/mini-app"
PHONE = "+41 79 123 45 67"


@dataclass(frozen=True, slots=True)
class Desk:
    """Who asks: a user with an access token, or a bot that signs."""

    world: World
    program: MiniProgram

    def tim(self, method: str, path: str, body: object = None) -> Answer:
        token = self.world.token("tim", "tim's own password")
        return self.world.ask(method, f"{BASE}{path}", body, token=token)

    def bot(self, method: str, path: str, parameters: dict[str, str], document: object = None) -> Reply:
        call = signed_call(HMAC, method, f"{BASE}{path}", parameters, document=document)
        return self.world.send(call)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with (
        running_mini_program() as program,
        running_world(
            tmp_path_factory.mktemp("open-api"),
            [],
            policy=POLICY,
            users=(
                PlannedUser("tim", "tim's own password", {}, open_api=("mini-app",)),
                PlannedUser("eve", "eve's own password", {}),
            ),
            clients=(PlannedClient("bot", HMAC.api_key, "hmac", {}, HMAC.secret, open_api=("mini-app",)),),
            open_api=(
                PlannedOpenApiApp(
                    "mini-app", APP_ID, ACCESS_KEY_ID, program.url, SECRET, program.private_key
                ),
            ),
            rate_limits=UNHURRIED,
        ) as world,
    ):
        program.users["token-1"] = PHONE
        yield Desk(world, program)


def test_a_token_covers_the_call_it_was_made_for(desk: Desk) -> None:
    call = {"method": "GET", "path": f"/mp-api/v1/apps/{APP_ID}/user-open-data/", "query": "openData=abc"}
    for reply in (desk.tim("POST", "/token", call), desk.bot("POST", "/token", {}, call)):
        assert reply.status == 200, reply.body
        claims = jwt.decode(reply.body["token"], SECRET, algorithms=["HS256"])
        empty = hashlib.sha256(b"").hexdigest()
        lines = f"GET\n{call['path']}\nopenData=abc\n{empty}"
        assert claims["dig"] == hashlib.sha256(lines.encode()).hexdigest()
        assert claims["iss"] == ACCESS_KEY_ID
        assert reply.body["headers"] == {"X-Mp-Open-Api-Token": reply.body["token"]}
        assert reply.body["url"] == f"{desk.program.url}{call['path']}?openData=abc"
        kinds = [record["kind"] for record in desk.world.records(reply.request_id)]
        assert kinds == ["intent", "outcome"]
        assert reply.body["token"] not in str(desk.world.records(reply.request_id))


def test_user_data_in_one_round(desk: Desk) -> None:
    for reply in (
        desk.tim("GET", "/user-data?openData=token-1"),
        desk.bot("GET", "/user-data", {"openData": "token-1"}),
    ):
        assert (reply.status, reply.body) == (200, {"plaintext": PHONE})
        records = desk.world.records(reply.request_id)
        assert [record["kind"] for record in records] == ["intent", "outcome", "dispatch", "outcome"]
        assert {record["open_api"] for record in records} == {"mini-app"}
        assert PHONE not in str(records)
        assert "token-1" not in str(records)


def test_what_the_open_api_refuses_is_told(desk: Desk) -> None:
    reply = desk.tim("GET", "/user-data?openData=nobodys")
    assert (reply.status, reply.body["code"]) == (502, "open_api_refused")
    assert reply.body["detail"] == {"code": "900201", "message": "Invalid data token"}
    for nonsense in (b"", b"[]", b'{"code": "000000", "data": {}}', b"\xff" * 100, b"[" * 100_000):
        desk.program.answer = nonsense
        reply = desk.tim("GET", "/user-data?openData=token-1")
        assert (reply.status, reply.body["code"]) == (502, "open_api_unavailable")


def test_decryption_and_one_answer_for_all_that_is_wrong(desk: Desk) -> None:
    good = desk.tim("POST", "/decrypt", {"data": desk.program.encrypted(PHONE)})
    assert (good.status, good.body) == (200, {"plaintext": PHONE})
    again = desk.bot("POST", "/decrypt", {}, {"data": desk.program.encrypted("second")})
    assert again.body == {"plaintext": "second"}
    wrong = {
        "no base64": "***",
        "too short": "AAAA",
        "empty": "",
        "random": base64.urlsafe_b64encode(b"\0" + secrets.token_bytes(255)).decode(),
        "too large": base64.urlsafe_b64encode(b"\xff" * 256).decode(),
    }
    told = set()
    for data in wrong.values():
        reply = desk.tim("POST", "/decrypt", {"data": data})
        body = {name: value for name, value in reply.body.items() if name != "request_id"}
        told.add((reply.status, str(body)))
    assert len(told) == 1, told
    assert told.pop()[0] == 400


def test_who_may_not_and_what_is_not_there(desk: Desk) -> None:
    token = desk.world.token("eve", "eve's own password")
    data = {"data": desk.program.encrypted(PHONE)}
    assert desk.world.ask("POST", f"{BASE}/decrypt", data, token=token).status == 403
    assert desk.world.ask("POST", f"{BASE}/decrypt", data, token=None).status == 401
    assert desk.world.ask("POST", "/api/open_api/other/decrypt", data, token=token).status == 404
    assert desk.tim("POST", "/token", {"method": "GET"}).status == 422
    assert desk.tim("GET", "/user-data").status == 400


def test_a_caller_may_not_try_often(desk: Desk) -> None:
    answers = [desk.tim("POST", "/decrypt", {"data": "AAAA"}).status for _ in range(70)]
    assert answers[-1] == 429
    assert desk.bot("POST", "/decrypt", {}, {"data": desk.program.encrypted("still")}).status == 200
