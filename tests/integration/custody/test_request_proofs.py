"""Who signed a request: every way to fail is one answer after one read of one secret, and only the record tells which it was."""

import hashlib
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.integration.custody.fake_vault import answer
from tests.integration.custody.proving import (
    BODY,
    EDWARDS,
    HMAC,
    NOW,
    OPEN_API,
    PARTNER,
    PATHS,
    RSA,
    SECRET,
    SIGNED_REQUEST_KEYS,
    Proving,
    proving,
)
from tests.signing_client import (
    HmacKey,
    OpenApiKey,
    SignedCall,
    open_api_token,
    partner_call,
    sign_text,
)
from vaultsigner.authentication.payload_hints import payload_hint
from vaultsigner.authentication.request_signatures import hmac_fits
from vaultsigner.authentication.signed_requests import authentication_failed
from vaultsigner.config.settings import Settings
from vaultsigner.custody.protocol import AuthenticateRequest
from vaultsigner.domain.names import ClientName, Operation
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import CustodyError

STRANGER = HmacKey("vs_nobody", "whatever")
FALSE_HMAC = HmacKey(HMAC.api_key, "another secret")
AUTH = "auth.check"


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Proving]:
    async with proving(tmp_path) as at_hand:
        yield at_hand


@pytest.mark.parametrize("scheme", SIGNED_REQUEST_KEYS)
async def test_a_good_signature_proves_who_asks(here: Proving, scheme: str) -> None:
    call = here.call(SIGNED_REQUEST_KEYS[scheme], timestamp_ms=NOW)
    proof = await here.proved(here.request(call))
    assert (proof.client, proof.scheme) == (f"bot-{scheme}", scheme)
    payload = f"timestamp={NOW}".encode() + call.body
    assert proof.nonce == hashlib.sha256(f"bot-{scheme}".encode() + b"\0" + payload).digest()
    assert proof.expires_at_ms == NOW + 5000
    assert len(proof.ticket) > 40


async def test_a_good_token_proves_who_asks(here: Proving) -> None:
    proof = await here.proved(here.token_request())
    assert (proof.client, proof.scheme) == ("bot-open_api", "open_api")
    assert proof.expires_at_ms == NOW + 60_000


@pytest.mark.parametrize("operation", [AUTH, "wallet.list", "wallet.resync", "freeze.approve", "auth.sign"])
async def test_what_asks_for_no_signature_gets_no_ticket(here: Proving, operation: str) -> None:
    proof = await here.proved(here.request(here.call(body=None), operation))
    assert proof.ticket == ""
    assert here.vault.asked == [PATHS["bot"]]


Make = Callable[[Proving], AuthenticateRequest]


def cut(call: SignedCall, signature: str) -> SignedCall:
    return replace(call, query=f"{call.query.rpartition('=')[0]}={signature}")


FAILURES: dict[str, tuple[Make, str | None]] = {
    "no api key": (lambda h: h.request(h.call(), credential=""), "api key missing"),
    "unknown api key": (lambda h: h.request(h.call(STRANGER)), "unknown API key"),
    "another's api key": (
        lambda h: h.request(h.call(), credential=EDWARDS.api_key),
        "client bot-ed25519: the signature does not verify",
    ),
    "api key in other letters": (
        lambda h: h.request(h.call(), credential=HMAC.api_key.upper()),
        "unknown API key",
    ),
    "bytes that are no text": (lambda h: h.request(h.call(), credential="\udcff\ud800"), "unknown API key"),
    "no signature": (lambda h: h.request(replace(h.call(), query="timestamp=1")), "signature missing"),
    "empty signature": (lambda h: h.request(cut(h.call(), "")), "signature missing"),
    "another secret": (
        lambda h: h.request(h.call(FALSE_HMAC)),
        "client bot-hmac: the signature does not verify",
    ),
    "no hex": (lambda h: h.request(cut(h.call(), "xyz")), "client bot-hmac: the signature does not verify"),
    "half": (lambda h: h.request(cut(h.call(), "ab" * 16)), "client bot-hmac: the signature does not verify"),
    "rsa: no base64": (
        lambda h: h.request(cut(h.call(RSA), "%2B")),
        "client bot-rsa: the signature does not verify",
    ),
    "ed25519: 64 zeros": (
        lambda h: h.request(cut(h.call(EDWARDS), "A" * 86 + "%3D%3D")),
        "client bot-ed25519: the signature does not verify",
    ),
    "a token's client by signed request": (
        lambda h: h.request(h.call(HmacKey(OPEN_API.access_key_id, OPEN_API.secret))),
        "client bot-open_api: sends Open API tokens, not signed requests",
    ),
    "a signing client by token": (
        lambda h: h.token_request(key=OpenApiKey(HMAC.api_key, HMAC.secret)),
        "client bot-hmac: signs requests, and has no Open API tokens",
    ),
    "too old": (
        lambda h: h.request(h.call(timestamp_ms=NOW - 5001)),
        "client bot-hmac: timestamp 5001 ms old, recvWindow 5000",
    ),
    "too old for its own window": (
        lambda h: h.request(h.call(timestamp_ms=NOW - 11, recv_window=10)),
        "client bot-hmac: timestamp 11 ms old, recvWindow 10",
    ),
    "too early": (
        lambda h: h.request(h.call(EDWARDS, timestamp_ms=NOW + 1000)),
        "client bot-ed25519: timestamp 1000 ms ahead, recvWindow 5000",
    ),
    "rsa, too old": (
        lambda h: h.request(h.call(RSA, timestamp_ms=NOW - 5001)),
        "client bot-rsa: timestamp 5001 ms old, recvWindow 5000",
    ),
    "too old and wrong": (
        lambda h: h.request(h.call(FALSE_HMAC, timestamp_ms=1)),
        "client bot-hmac: the signature does not verify",
    ),
    "another operation": (
        lambda h: h.request(h.call(parameters="operation=freeze.broadcast&")),
        "client bot-hmac: signed for another operation than freeze.sign",
    ),
    "another body": (
        lambda h: h.request(replace(h.call(), body=b'{"wallet_name": "reserve"}')),
        "client bot-hmac: the signature does not verify",
    ),
    "token: of nobody": (
        lambda h: h.token_request(key=OpenApiKey("nobody", OPEN_API.secret)),
        "the token's issuer is no client",
    ),
    "token: another secret": (
        lambda h: h.token_request(key=OpenApiKey(OPEN_API.access_key_id, "x" * 40)),
        "client bot-open_api: the signature does not verify",
    ),
    "token: of another body": (
        lambda h: replace(h.token_request(), body=b"{}"),
        "client bot-open_api: the token's digest is of another request",
    ),
    "token: of another path": (
        lambda h: replace(h.token_request(), path="/api/unfreeze/sign"),
        "client bot-open_api: the token's digest is of another request",
    ),
    "token: of another method": (
        lambda h: replace(h.token_request(), method="PUT"),
        "client bot-open_api: the token's digest is of another request",
    ),
    "token: for another operation than its path's": (
        lambda h: replace(h.token_request(), operation=Operation("unfreeze.broadcast")),
        "client bot-open_api: the token's path is not one of unfreeze.broadcast",
    ),
    "token: too old": (
        lambda h: h.token_request(ts=NOW // 1000 - 61),
        "client bot-open_api: token 61000 ms old",
    ),
    "token: too early": (
        lambda h: h.token_request(ts=NOW // 1000 + 6),
        "client bot-open_api: token 6000 ms ahead",
    ),
    "token: none": (lambda h: replace(h.token_request(), credential="a.b.c"), None),
}


@pytest.mark.parametrize("case", FAILURES)
async def test_every_failure_is_one_answer_after_one_read_of_a_secret(here: Proving, case: str) -> None:
    make, reason = FAILURES[case]
    request = make(here)
    refusal = await here.prove(request)
    assert isinstance(refusal, Refusal)
    assert replace(refusal, reason=None) == replace(authentication_failed(""), reason=None)
    assert refusal.reason is not None
    assert reason in (None, refusal.reason)
    secrets_read = [path for path in here.vault.asked if "/clients/" in path]
    assert len(secrets_read) == 1, "unknown keys and bad signatures take the same time"


@pytest.mark.parametrize("case", FAILURES)
async def test_with_vault_in_trouble_every_failure_is_vaults(here: Proving, case: str) -> None:
    here.vault.instead["*"] = answer(b'{"errors":["Vault is sealed"]}', b"503 Service Unavailable")
    with pytest.raises(CustodyError) as caught:
        await here.prove(FAILURES[case][0](here))
    assert caught.value.code == "vault_sealed"


async def test_nothing_that_was_sent_stands_in_a_reason(here: Proving) -> None:
    for make, _ in FAILURES.values():
        request = make(here)
        reason = str(await here.refused(request))
        for sent in (request.credential, request.query.decode().rpartition("=")[2]):
            assert len(sent) < 4 or sent not in reason


MALFORMED: dict[str, Callable[[SignedCall], SignedCall]] = {
    "a name twice": lambda call: replace(call, query="timestamp=1&" + call.query),
    "no timestamp": lambda call: replace(call, query="x=1&" + call.query.partition("&")[2]),
    "a parameter after the signature": lambda call: replace(call, query=call.query + "&x=1"),
    "query and form": lambda call: replace(call, body=b"x=1"),
    "recvWindow too large": lambda call: replace(call, query="recvWindow=60001&" + call.query),
}


@pytest.mark.parametrize("case", MALFORMED)
@pytest.mark.parametrize("credential", [HMAC.api_key, "nobody", ""])
async def test_a_fault_of_shape_is_told_whoever_asks(here: Proving, case: str, credential: str) -> None:
    refusal = await here.prove(here.request(MALFORMED[case](here.call()), credential=credential))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "malformed_parameters"
    assert here.vault.asked == []


@pytest.mark.parametrize(
    ("age_ms", "window", "good"),
    [
        *((5000, None, True), (5001, None, False), (0, 0, True), (1, 0, False)),
        *((60_000, 60_000, True), (60_001, 60_000, False), (-999, None, True), (-1000, None, False)),
    ],
)
@pytest.mark.parametrize("scheme", SIGNED_REQUEST_KEYS)
async def test_the_window_to_the_millisecond(
    here: Proving, scheme: str, age_ms: int, window: int | None, good: bool
) -> None:
    call = here.call(SIGNED_REQUEST_KEYS[scheme], timestamp_ms=NOW - age_ms, recv_window=window)
    assert isinstance(await here.prove(here.request(call)), Refusal) is not good


@pytest.mark.parametrize(
    ("ts", "good"),
    [(NOW // 1000 - 60, True), (NOW // 1000 - 61, False), (NOW // 1000 + 5, True), (NOW // 1000 + 6, False)],
)
async def test_the_window_of_tokens(here: Proving, ts: int, good: bool) -> None:
    assert isinstance(await here.prove(here.token_request(ts=ts)), Refusal) is not good


async def test_an_operation_that_was_signed_for_is_the_one_that_counts(here: Proving) -> None:
    call = here.call(parameters="operation=freeze.broadcast&")
    await here.proved(here.request(call, "freeze.broadcast"))
    escaped = await here.prove(here.request(here.call(parameters="oper%61tion=freeze.broadcast&")))
    assert isinstance(escaped, Refusal)
    assert escaped.code == "malformed_parameters"


async def test_a_client_that_signs_what_it_decoded_is_refused_with_a_hint_for_the_record(
    here: Proving,
) -> None:
    query = f"note=a%20b&timestamp={NOW}"
    signature = HMAC.sign(query.replace("%20", " ").encode())
    call = SignedCall("POST", "/x", f"{query}&signature={signature}", {"X-MBX-APIKEY": HMAC.api_key})
    reason = await here.refused(here.request(call, AUTH))
    assert reason == "client bot-hmac: the signature does not verify; it fits what the rule decoded signs"
    raw_signed = sign_text(RSA, SignedCall("POST", "/x", f"note=a b&timestamp={NOW}"))
    assert (await here.prove(here.request(raw_signed, AUTH))).code == "malformed_parameters"  # type: ignore[union-attr]  # a refusal


@pytest.mark.parametrize(
    "fields",
    [*({"secret": secret} for secret in (None, "", 12, ["x"])), {"other": "x"}, {}, None],
)
async def test_an_api_key_without_a_good_secret_cannot_be_told_from_an_unknown_one(
    here: Proving, fields: dict[str, object] | None
) -> None:
    """Nor is a client without a secret one with an empty secret. Only the record and custody's log know what to mend."""
    here.vault.fields.pop(PATHS["bot"])
    if fields is not None:
        here.vault.fields[PATHS["bot"]] = fields
    requests = [here.request(here.call(key)) for key in (HmacKey(HMAC.api_key, ""), STRANGER, FALSE_HMAC)]
    with capture_logs() as logged:
        broken, unknown, _ = verdicts = [await here.prove(request) for request in requests]
    assert {replace(refusal, reason=None) for refusal in verdicts if isinstance(refusal, Refusal)} == {
        replace(authentication_failed(""), reason=None)
    }
    assert isinstance(unknown, Refusal)
    assert unknown.reason == "unknown API key"
    assert isinstance(broken, Refusal)
    assert "clients/bot-hmac" in str(broken.reason)
    assert [(line["event"], line["client"], line["log_level"]) for line in logged] == [
        ("client_secret_unusable", "bot-hmac", "warning")
    ] * 2
    assert here.vault.asked.count(PATHS["bot"]) == 3, "each asks Vault once"


@pytest.mark.parametrize("fields", [{"secret": SECRET}, None])
async def test_every_failure_computes_as_much(
    here: Proving, fields: dict[str, object] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One HMAC, and the hints once: whoever sends 4 KiB must not see by the time whose API key it was."""
    if fields is None:
        here.vault.fields.pop(PATHS["bot"])
    work: list[str] = []

    def hmac(*arguments: Any) -> bool:
        work.append("hmac")
        return hmac_fits(*arguments)

    def hint(*arguments: Any) -> str | None:
        work.append("hint")
        length = len(work)
        found = payload_hint(*arguments)
        del work[length:]
        return found

    monkeypatch.setattr("vaultsigner.custody.claims.hmac_fits", hmac)
    monkeypatch.setattr("vaultsigner.custody.claims.payload_hint", hint)
    for key, signature in (
        (STRANGER, None),
        (FALSE_HMAC, None),
        (EDWARDS, "A" * 88),
        (RSA, "x"),
        (RSA, "A" * 344),
    ):
        call = here.call(key, parameters=f"note={'%27' * 1000}&")
        work.clear()
        await here.refused(here.request(call if signature is None else cut(call, signature)))
        assert sorted(work) == ["hint", "hmac"], key


@pytest.mark.parametrize(
    "operation", ["unfreeze.sign", "unfreeze.broadcast", "freeze.broadcast", AUTH, "wallet.list"]
)
async def test_a_token_over_one_path_is_not_good_for_the_operation_of_another(
    here: Proving, operation: str
) -> None:
    """The server says what a path means; one that has been taken over says anything."""
    moved = replace(here.token_request(), operation=Operation(operation))
    assert await here.refused(moved) == f"client bot-open_api: the token's path is not one of {operation}"
    assert (await here.proved(here.token_request())).ticket
    slash = "/api/freeze/sign/"
    raw = json.dumps(BODY).encode()
    token = open_api_token(OPEN_API, "POST", slash, "", raw, ts=NOW // 1000 - 1)
    request = here.request(SignedCall("POST", slash, "", {}, raw), family="open_api", credential=token)
    assert (await here.proved(request)).ticket
    assert await here.refused(replace(request, operation=Operation(operation)))


async def test_a_token_over_a_path_that_signs_nothing_has_nothing_signed(here: Proving) -> None:
    raw = json.dumps(BODY).encode()
    for path in ("/api/auth/check", "/api/wallet/resync", "/elsewhere"):
        token = open_api_token(OPEN_API, "POST", path, "", raw, ts=NOW // 1000)
        request = here.request(SignedCall("POST", path, "", {}, raw), AUTH, "open_api", token)
        assert (await here.proved(request)).ticket == ""
        for operation in ("freeze.sign", "freeze.broadcast"):
            reason = await here.refused(replace(request, operation=Operation(operation)))
            assert reason == f"client bot-open_api: the token's path is not one of {operation}"


async def test_without_clients_that_share_a_secret_nothing_is_read(tmp_path: Path) -> None:
    def none_shared(settings: Settings) -> Settings:
        return replace(settings, clients={name: c for name, c in settings.clients.items() if c.public_key})

    async with proving(tmp_path, change=none_shared) as here:
        assert await here.refused(here.request(here.call(STRANGER))) == "unknown API key"
        await here.proved(here.request(here.call(EDWARDS), AUTH))
        assert here.vault.asked == []


async def test_the_partner_is_whoever_has_its_key(here: Proving) -> None:
    call = partner_call(PARTNER, "GET", "/web3/v1/task/completion", {"task": '["a b"]'}, timestamp_ms=NOW)
    request = here.request(call, "partner.task_completion", "partner", call.headers["signature"])
    proof = await here.proved(request)
    assert (proof.client, proof.scheme, proof.ticket, proof.expires_at_ms) == (None, "rsa", "", NOW + 3000)
    signature = call.headers["signature"]
    other = here.call(RSA).query.rpartition("=")[2]
    last = "E=" if signature.endswith("A=") else "A="
    for wrong in ("", signature[:-2] + last, signature.lower(), signature + "=", other, "é", "\udcff"):
        refusal = await here.prove(replace(request, credential=wrong))
        assert isinstance(refusal, Refusal)
        assert (refusal.code, refusal.reason) == (
            "partner_invalid_signature",
            "partner: the signature does not verify",
        )
    flipped = replace(request, query=request.query.replace(b"a%20b", b"a%20c"))
    assert (await here.prove(flipped)).code == "partner_invalid_signature"  # type: ignore[union-attr]  # a refusal


@pytest.mark.parametrize(("age_ms", "good"), [(2999, True), (3000, False), (-4999, True), (-5000, False)])
async def test_the_partners_window(here: Proving, age_ms: int, good: bool) -> None:
    call = partner_call(PARTNER, "GET", "/web3/v1/task/completion", timestamp_ms=NOW - age_ms)
    verdict = await here.prove(here.request(call, "partner.task", "partner", call.headers["signature"]))
    assert isinstance(verdict, Refusal) is not good
    assert not isinstance(verdict, Refusal) or verdict.code == "partner_invalid_timestamp"


async def test_without_a_partner_the_question_is_none(tmp_path: Path) -> None:
    async with proving(tmp_path, change=lambda settings: replace(settings, partner=None)) as here:
        with pytest.raises(CustodyError, match="no partner"):
            await here.prove(here.request(here.call(), family="partner"))


async def test_a_check_says_whether_a_clients_requests_could_be_verified(here: Proving) -> None:
    async def code(name: str) -> str | None:
        try:
            await here.custody.proofs.check_client(ClientName(name))
        except CustodyError as error:
            return error.code
        return None

    assert [await code(f"bot-{scheme}") for scheme in ("hmac", "rsa", "ed25519", "open_api")] == [None] * 4
    assert await code("nobody") == "bad_question"
    for secret, expected in (("", "key_malformed"), (None, "key_malformed"), ("x", None)):
        here.vault.fields[PATHS["bot"]] = {"secret": secret}
        assert await code("bot-hmac") == expected
    here.vault.fields[PATHS["bot"]] = {"other": "x"}
    assert await code("bot-hmac") == "key_missing"
    del here.vault.fields[PATHS["bot"]]
    assert await code("bot-hmac") == "key_missing"


def flips(data: bytes) -> list[bytes]:
    return [data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :] for index in range(len(data))]


async def test_no_byte_of_a_signed_request_can_be_flipped(here: Proving) -> None:
    whole = here.request(here.call(timestamp_ms=NOW))
    await here.proved(whole)
    flipped = [replace(whole, query=query) for query in flips(whole.query)]
    flipped += [replace(whole, body=body) for body in flips(whole.body)]
    for request in flipped:
        assert isinstance(await here.prove(request), Refusal), request


def test_requests_may_hold_any_bytes() -> None:
    request = AuthenticateRequest(
        request_id="r",  # type: ignore[arg-type]  # a plain name will do in a test
        family="client",
        credential="\udcff\ud800é",
        operation="x",  # type: ignore[arg-type]  # the same
        method="GET",
        path="/\udce9",
        query=bytes(range(256)),
        body=b"\xff" * 65536,
        ip="::1",
    )
    payload = request.payload()
    assert b64encode(bytes(range(256))) in payload
    assert len(payload) < 100_000
    assert BODY
