"""Custody makes the Open API's tokens and decrypts what it sends: for whom it may, what they asked for, and without an oracle."""

import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.integration.custody.exchange_proving import (
    APP_PATH,
    APP_SECRET,
    EDWARDS,
    MINI_APP,
    MODULAR,
    ExchangeProving,
    denying,
    encrypted,
    exchange_proving,
    pem,
)
from tests.integration.custody.proving import HMAC, NOW, OPEN_API
from tests.signing_client import SignedCall, open_api_digest, open_api_token, sign_text
from vaultsigner.custody.guesses import Guesses
from vaultsigner.custody.protocol import OpenApiPlaintext, Proof
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import CustodyError
from vaultsigner.formats.open_api.calls import OpenApiCall, user_data_call

TOKEN_PATH, DECRYPT_PATH = "/api/open_api/mini-app/token", "/api/open_api/mini-app/decrypt"
USER_DATA_PATH = "/api/open_api/mini-app/user-data"
CALL = OpenApiCall("POST", "/mp-api/v1/apps/heldoutApp01/pay/order", "a=%20", b'{"amount":"1.5"}')


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[ExchangeProving]:
    async with exchange_proving(tmp_path) as at_hand:
        yield at_hand


def spelled(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode()


def body_of(call: OpenApiCall) -> bytes:
    return json.dumps(
        {"method": call.method, "path": call.path, "query": call.query, "body": call.body.decode()}
    ).encode()


def sent(desk: ExchangeProving, path: str, body: bytes) -> SignedCall:
    return sign_text(HMAC, SignedCall("POST", path, f"timestamp={desk.here.now_ms}", {}, body))


async def token_proof(desk: ExchangeProving, call: OpenApiCall = CALL) -> Proof:
    return await desk.proof(sent(desk, TOKEN_PATH, body_of(call)), "open_api.token")


async def decrypt_proof(desk: ExchangeProving, ciphertext: str) -> Proof:
    body = json.dumps({"data": ciphertext}).encode()
    return await desk.proof(sent(desk, DECRYPT_PATH, body), "open_api.decrypt")


async def user_data_proof(desk: ExchangeProving, open_data: str = "data-token") -> Proof:
    query = f"openData={open_data}&timestamp={desk.here.now_ms}"
    return await desk.proof(sign_text(HMAC, SignedCall("GET", USER_DATA_PATH, query)), "open_api.user_data")


async def opened(desk: ExchangeProving, ciphertext: str) -> OpenApiPlaintext | Refusal:
    desk.here.now_ms += 1
    proof = await decrypt_proof(desk, ciphertext)
    return await desk.here.custody.open_api.decrypt(desk.decrypt_wish(proof, ciphertext))


async def refused(made: Any) -> str:
    with pytest.raises(CustodyError) as caught:
        await made
    return caught.value.code


async def test_a_token_is_the_one_that_pyjwt_makes(desk: ExchangeProving) -> None:
    proof = await token_proof(desk)
    made = await desk.here.custody.open_api.token(desk.token_wish(proof, CALL))
    claims = {
        "iss": MINI_APP.access_key_id,
        "dig": open_api_digest(CALL.method, CALL.path, CALL.query, CALL.body),
        "ts": NOW // 1000,
    }
    assert made.token == jwt.encode(claims, APP_SECRET, algorithm="HS256")
    assert (made.ts, made.vault_request_id, made.ticket) == (NOW // 1000, "r-1", "")


async def test_a_client_with_tokens_of_its_own_is_served_too(desk: ExchangeProving) -> None:
    body = body_of(CALL)
    token = open_api_token(OPEN_API, "POST", TOKEN_PATH, "", body, ts=NOW // 1000)

    async def proved(path: str, operation: str) -> Proof | Refusal:
        call = SignedCall("POST", path, "", {}, body)
        return await desk.here.prove(desk.here.request(call, operation, family="open_api", credential=token))

    proof = await proved(TOKEN_PATH, "open_api.token")
    assert isinstance(proof, Proof)
    assert (await desk.here.custody.open_api.token(desk.token_wish(proof, CALL))).token
    for path, operation in (
        (TOKEN_PATH, "open_api.decrypt"),
        (DECRYPT_PATH, "open_api.token"),
        (TOKEN_PATH, "auth.check"),
    ):
        assert isinstance(await proved(path, operation), Refusal)


@pytest.mark.parametrize(
    "changes",
    [
        {"call": replace(CALL, method="PUT")},
        {"call": replace(CALL, path=f"{CALL.path}/")},
        {"call": replace(CALL, query="a=+")},
        {"call": replace(CALL, body=b'{"amount":"15"}')},
        {"app": "closed"},
        {"principal": Principal("client", "bot-rsa")},
        {"principal": Principal("user", "bot-hmac")},
        {"ip": "192.0.2.8"},
    ],
)
async def test_a_ticket_for_a_token_is_good_for_that_call_alone(
    desk: ExchangeProving, changes: dict[str, Any]
) -> None:
    proof = await token_proof(desk)
    reads = desk.here.custody.reader.reads
    service = desk.here.custody.open_api
    assert await refused(service.token(replace(desk.token_wish(proof, CALL), **changes))) == "no_permission"
    assert await refused(service.token(desk.token_wish(proof, CALL))) == "custody_unavailable"
    assert desk.here.custody.reader.reads == reads


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"operation": "open_api.decrypt"}, "bad_question"),
        ({"operation": "open_api.user_data"}, "bad_question"),
        ({"operation": "exchange.order"}, "bad_question"),
        ({"app": "nowhere"}, "bad_question"),
        ({"policy": "sha256:another"}, "policy_mismatch"),
    ],
)
async def test_a_question_that_does_not_fit_together_is_refused(
    desk: ExchangeProving, changes: dict[str, Any], code: str
) -> None:
    wish = replace(desk.token_wish(await token_proof(desk), CALL), **changes)
    assert await refused(desk.here.custody.open_api.token(wish)) == code


async def test_a_signature_makes_one_token(desk: ExchangeProving) -> None:
    question = desk.question(sent(desk, TOKEN_PATH, body_of(CALL)), "open_api.token")
    proofs = [await desk.here.proved(question) for _ in range(2)]
    service = desk.here.custody.open_api
    assert (await service.token(desk.token_wish(proofs[0], CALL))).token
    assert await refused(service.token(desk.token_wish(proofs[1], CALL))) == "replayed"


async def test_an_app_outside_of_the_clients_list_is_closed(desk: ExchangeProving) -> None:
    call = sent(desk, "/api/open_api/closed/token", body_of(CALL))
    wish = desk.token_wish(await desk.proof(call, "open_api.token"), CALL, app="closed")
    assert await refused(desk.here.custody.open_api.token(wish)) == "no_permission"
    assert APP_PATH not in desk.here.vault.asked


@pytest.mark.parametrize("operation", ["open_api.token", "open_api.decrypt", "open_api.user_data"])
async def test_what_policy_denies_is_not_done(tmp_path: Path, operation: str) -> None:
    async with exchange_proving(tmp_path, policies=denying(operation)) as desk:
        service = desk.here.custody.open_api
        if operation == "open_api.decrypt":
            made = service.decrypt(desk.decrypt_wish(await decrypt_proof(desk, "x"), "x"))
            assert await refused(made) == "policy_denied"
        elif operation == "open_api.token":
            made_token = service.token(desk.token_wish(await token_proof(desk), CALL))
            assert await refused(made_token) == "policy_denied"
        else:
            call = user_data_call(MINI_APP.app_id, "data-token")
            wish = desk.token_wish(await user_data_proof(desk), call, operation=operation)
            assert await refused(service.token(wish)) == "policy_denied"
        assert APP_PATH not in desk.here.vault.asked


async def test_what_is_encrypted_for_the_app_is_read(desk: ExchangeProving) -> None:
    answer = await opened(desk, spelled(encrypted(b"openid-4f1d")))
    assert answer == OpenApiPlaintext("openid-4f1d", "r-1")


@pytest.mark.parametrize(
    "ciphertext",
    [
        "",
        "not base64",
        spelled(b"\0" * 256),
        spelled(b"\xff" * 256),
        spelled(encrypted(b"openid"))[:-4],
        spelled(encrypted(b"\xff\xfe")),
        spelled(encrypted(b"")),
        spelled(b"\1" * 256),
    ],
)
async def test_every_failure_has_one_answer(desk: ExchangeProving, ciphertext: str) -> None:
    answer = await opened(desk, ciphertext)
    assert isinstance(answer, Refusal)
    assert answer.code == "decryption_failed"
    assert answer == await opened(desk, "!")


async def test_a_ticket_for_a_ciphertext_is_good_for_no_other(desk: ExchangeProving) -> None:
    mine, other = spelled(encrypted(b"mine")), spelled(encrypted(b"other"))
    service = desk.here.custody.open_api
    wish = desk.decrypt_wish(await decrypt_proof(desk, mine), other)
    assert await refused(service.decrypt(wish)) == "no_permission"
    token = await desk.here.proved(desk.question(sent(desk, TOKEN_PATH, body_of(CALL)), "open_api.token"))
    assert await refused(service.decrypt(desk.decrypt_wish(token, other))) == "no_permission"
    assert (
        await refused(service.decrypt(desk.decrypt_wish(token, other, ticket="forged")))
        == "custody_unavailable"
    )


async def test_failures_are_bounded_and_successes_are_not_among_them(desk: ExchangeProving) -> None:
    now = [0.0]
    desk.here.custody.open_api._failures["mini-app"] = Guesses(2, lambda: now[0])
    good = spelled(encrypted(b"openid"))
    for ciphertext, code in (
        *((good, None),) * 4,
        ("!", "decryption_failed"),
        (good, None),
        ("!", "decryption_failed"),
        ("!", "rate_limited"),
        (good, "rate_limited"),
    ):
        answer = await opened(desk, ciphertext)
        assert (answer.code if isinstance(answer, Refusal) else None) == code
    assert isinstance(answer, Refusal)
    assert answer.retry_after_seconds == 30
    now[0] += 30.0
    assert isinstance(await opened(desk, good), OpenApiPlaintext)


async def test_all_decryptions_together_are_bounded_too(desk: ExchangeProving) -> None:
    desk.here.custody.open_api._decryptions = Guesses(2, lambda: 0.0)
    good = spelled(encrypted(b"openid"))
    answers = [await opened(desk, good) for _ in range(3)]
    assert [isinstance(answer, OpenApiPlaintext) for answer in answers] == [True, True, False]


class TestUserData:
    """The token for the call, and then what came back to it."""

    async def test_the_whole_round(self, desk: ExchangeProving) -> None:
        service, call = desk.here.custody.open_api, user_data_call(MINI_APP.app_id, "data-token")
        proof = await user_data_proof(desk)
        made = await service.token(desk.token_wish(proof, call, operation="open_api.user_data"))
        claims = jwt.decode(made.token, APP_SECRET, algorithms=["HS256"])
        assert claims["dig"] == open_api_digest(
            "GET", "/mp-api/v1/apps/heldoutApp01/user-open-data/", "openData=data-token", b""
        )
        came = spelled(encrypted(b"sam@example.com"))
        wish = desk.decrypt_wish(replace(proof, ticket=made.ticket), came, operation="open_api.user_data")
        assert await service.decrypt(wish) == OpenApiPlaintext("sam@example.com", "r-1")
        assert await refused(service.decrypt(wish)) == "custody_unavailable"

    @pytest.mark.parametrize(
        "call",
        [
            user_data_call(MINI_APP.app_id, "another-token"),
            user_data_call("anotherApp", "data-token"),
            OpenApiCall("POST", "/mp-api/v1/apps/heldoutApp01/user-open-data/", "openData=data-token"),
            OpenApiCall("GET", "/mp-api/v1/apps/heldoutApp01/user-open-data/", "openData=data-token&b=c"),
            OpenApiCall("GET", "/mp-api/v1/apps/heldoutApp01/user-open-data/", "openData="),
            OpenApiCall("GET", "/mp-api/v1/apps/heldoutApp01/user-open-data/", "other=data-token"),
            OpenApiCall("GET", "/mp-api/v1/apps/heldoutApp01/user-open-data/", "openData=data-token", b"x"),
            CALL,
        ],
    )
    async def test_it_gets_a_token_for_no_other_call(self, desk: ExchangeProving, call: OpenApiCall) -> None:
        wish = desk.token_wish(await user_data_proof(desk), call, operation="open_api.user_data")
        assert await refused(desk.here.custody.open_api.token(wish)) in ("bad_question", "no_permission")

    async def test_its_second_ticket_is_for_user_data_of_this_app_alone(self, desk: ExchangeProving) -> None:
        service, call = desk.here.custody.open_api, user_data_call(MINI_APP.app_id, "data-token")
        for changes in (
            {"operation": "open_api.decrypt"},
            {"operation": "open_api.user_data", "app": "closed"},
            {"operation": "open_api.user_data", "principal": Principal("client", "bot-rsa")},
            {"operation": "open_api.user_data", "ip": "192.0.2.8"},
        ):
            desk.here.now_ms += 1
            proof = await user_data_proof(desk)
            made = await service.token(desk.token_wish(proof, call, operation="open_api.user_data"))
            wish = desk.decrypt_wish(replace(proof, ticket=made.ticket), "x", **changes)
            assert await refused(service.decrypt(wish)) == "no_permission"

    async def test_a_clients_own_ticket_decrypts_nothing(self, desk: ExchangeProving) -> None:
        wish = desk.decrypt_wish(await user_data_proof(desk), "x", operation="open_api.user_data")
        assert await refused(desk.here.custody.open_api.decrypt(wish)) == "no_permission"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"secret_key": APP_SECRET}, "key_missing"),
        ({"secret_key": APP_SECRET, "private_key": pem(EDWARDS)}, "key_malformed"),
        ({"secret_key": APP_SECRET, "private_key": "x"}, "key_malformed"),
    ],
)
async def test_a_private_key_that_is_none_is_told(
    desk: ExchangeProving, fields: dict[str, object], code: str
) -> None:
    desk.here.vault.fields[APP_PATH] = fields
    assert await refused(opened(desk, spelled(encrypted(b"x")))) == code
    assert await refused(desk.here.custody.open_api.check("mini-app")) == code


async def test_an_app_without_a_private_key_makes_tokens_and_decrypts_nothing(desk: ExchangeProving) -> None:
    service = desk.here.custody.open_api
    service._apps = {"mini-app": replace(MINI_APP, private_key=None)}
    wish = desk.decrypt_wish(await decrypt_proof(desk, "x"), "x")
    assert await refused(service.decrypt(wish)) == "key_missing"
    assert (await service.token(desk.token_wish(await token_proof(desk), CALL))).token
    await service.check("mini-app")


async def test_a_check_looks_at_both_secrets(desk: ExchangeProving) -> None:
    service = desk.here.custody.open_api
    await service.check("mini-app")
    assert await refused(service.check("nowhere")) == "bad_question"
    desk.here.vault.fields[APP_PATH] = {"secret_key": "", "private_key": pem(MODULAR)}
    assert await refused(service.check("mini-app")) == "key_malformed"
