"""What is tried again and what never is, when connections end and services refuse; and clocks and tokens that are off."""

import socket
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.integration.client.asking import Asking, asking
from tests.integration.client.raw_service import (
    DROPPED,
    RawService,
    Rubbish,
    Said,
    error,
    running_raw_service,
)
from tests.patience import wait_until
from vaultsigner.client import (
    AccessToken,
    ApprovalRequiredError,
    AsyncSigningClient,
    AuthenticationError,
    ConnectionLostError,
    Credentials,
    ExchangeOutcomeUnknownError,
    ExchangeRefusedError,
    Freeze,
    HmacKey,
    LimitExceededError,
    NotSentError,
    OutcomeUnknownError,
    Password,
    RateLimitedError,
    ReplayedError,
    ServiceError,
    UnavailableError,
    UnexpectedAnswerError,
    UpstreamError,
)
from vaultsigner.client.session import machine_ms
from vaultsigner.dev.ports import free_port

BOT = HmacKey("key", "a secret for tests alone")
MESSAGE = Freeze(symbol="BNB", amount=1)
SIGNED = Said(200, {"signed_msg": "00ff"})
NODE = Said(200, [{"code": 0, "hash": "AB", "log": "", "ok": True}])
WHO = Said(200, {"principal": {"type": "client", "name": "bot", "scheme": "hmac"}})
Ask = Callable[..., Asking]


@pytest.fixture
def service() -> Iterator[RawService]:
    with running_raw_service() as running:
        yield running


@pytest.fixture(params=["sync", "async"])
def ask(service: RawService, request: pytest.FixtureRequest) -> Iterator[Ask]:
    with ExitStack() as stack:

        def made(credentials: Credentials | None = BOT, url: str | None = None, **options: Any) -> Asking:
            return stack.enter_context(asking(request.param, url or service.url, credentials, **options))

        yield made


def queries(service: RawService) -> list[dict[str, list[str]]]:
    lines = [request.split(b" ", 2)[1].decode() for request in service.asked]
    return [parse_qs(line.partition("?")[2]) for line in lines]


@pytest.mark.parametrize(
    "lost", [DROPPED, Said(200, {"signed_msg": "00ff"}, cut=3), error(503, "vault_unavailable")]
)
def test_a_signature_is_asked_for_again_and_signed_anew(service: RawService, ask: Ask, lost: Said) -> None:
    service.says(lost, lost, SIGNED)
    assert ask().sign("w", MESSAGE).signed_msg == "00ff"
    assert len(service.asked) == 3
    assert len({query["signature"][0] for query in queries(service)}) == 3, "never the same bytes"


@pytest.mark.parametrize("lost", [DROPPED, Said(200, [{}], cut=1)])
def test_a_broadcast_whose_answer_did_not_come_is_never_repeated(
    service: RawService, ask: Ask, lost: Said
) -> None:
    service.says(lost, NODE)
    with pytest.raises(OutcomeUnknownError) as caught:
        ask().broadcast("w", MESSAGE)
    assert (caught.value.code, caught.value.status, len(service.asked)) == ("no_answer", 0, 1)
    assert isinstance(caught.value.__cause__, ConnectionLostError)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (error(503, "audit_unavailable"), UnavailableError),
        (error(502, "node_refused"), UpstreamError),
        (error(502, "node_unavailable"), UpstreamError),
        (error(504, "outcome_unknown"), OutcomeUnknownError),
        (error(409, "replayed"), ReplayedError),
        (error(500, "internal_error"), ServiceError),
    ],
)
def test_nor_is_one_that_was_refused(
    service: RawService, ask: Ask, said: Said, kind: type[ServiceError]
) -> None:
    service.says(said, NODE)
    with pytest.raises(kind):
        ask().broadcast("w", MESSAGE)
    assert len(service.asked) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nor_what_may_change_something_at_an_exchange(service: RawService, ask: Ask, method: str) -> None:
    """aiohttp repeats PUT and DELETE by itself when a kept connection ends."""
    client = ask()
    service.says(Said(200, {}))
    client.forward("main", "GET", "/x")
    service.says(DROPPED, Said(200, {}))
    with pytest.raises(OutcomeUnknownError):
        client.forward("main", method, "/x", {"a": "b"})
    assert len(service.asked) == 2


def test_a_query_to_an_exchange_is_repeated(service: RawService, ask: Ask) -> None:
    service.says(DROPPED, error(502, "exchange_unavailable"), Said(200, {"a": 1}))
    assert ask().forward("main", "GET", "/x").body == {"a": 1}


@pytest.mark.parametrize("act", ["sign", "broadcast"])
def test_429_uses_nothing_up_and_is_waited_out(service: RawService, ask: Ask, act: str) -> None:
    service.says(error(429, "rate_limited", Retry_After="1"), NODE if act == "broadcast" else SIGNED)
    started = time.monotonic()
    getattr(ask(), act)("w", MESSAGE)
    assert time.monotonic() - started >= 1
    assert len(service.asked) == 2


def test_nobody_waits_longer_than_was_said(service: RawService, ask: Ask) -> None:
    service.says(error(429, "limit_exceeded", Retry_After="3600"), SIGNED)
    with pytest.raises(LimitExceededError) as caught:
        ask().sign("w", MESSAGE)
    assert (caught.value.retry_after, len(service.asked)) == (3600, 1)
    service.says(error(429, "rate_limited"), SIGNED)
    with pytest.raises(RateLimitedError):
        ask(retry_seconds=0).sign("w", MESSAGE)
    assert len(service.asked) == 2


def test_where_nobody_listens_nothing_was_sent(ask: Ask) -> None:
    for act in ("sign", "broadcast"):
        with pytest.raises(NotSentError):
            getattr(ask(url=f"http://127.0.0.1:{free_port()}", retry_seconds=0.3), act)("w", MESSAGE)


def test_an_approval_is_used_once(service: RawService, ask: Ask) -> None:
    """Where the answer was lost it may be used up: asked again, the refusal would hide that."""
    service.says(DROPPED, SIGNED)
    with pytest.raises(OutcomeUnknownError):
        ask().sign("w", MESSAGE, approval="a" * 32)
    assert len(service.asked) == 1
    assert b"X-Vaultsigner-Approval: " + b"a" * 32 in service.asked[0]


def test_a_connection_that_the_service_closed_meanwhile_is_not_used(service: RawService, ask: Ask) -> None:
    client = ask()
    service.says(Said(200, {"signed_msg": "00"}, kept=False), NODE)
    client.sign("w", MESSAGE)
    wait_until(lambda: service.ended, "the service ends the connection")
    assert client.broadcast("w", MESSAGE).hash == "AB"
    assert len(service.asked) == 2


def test_connections_are_kept(service: RawService, ask: Ask) -> None:
    service.says(SIGNED)
    client = ask()
    for _ in range(3):
        client.sign("w", MESSAGE)
    ports = {request.lower().count(b"connection: close") for request in service.asked}
    assert ports == {0}


@pytest.mark.parametrize("hours_off", [-0.1, 0.1])
def test_a_clock_that_is_off_is_corrected_once_it_is_refused(
    service: RawService, ask: Ask, hours_off: float
) -> None:
    off_ms = int(hours_off * 3_600_000)
    service.says(error(401, "authentication_failed"), WHO)
    client = ask(clock_ms=lambda: machine_ms() + off_ms)
    client.check()
    stamps = [int(query["timestamp"][0]) for query in queries(service)]
    assert abs(stamps[0] - machine_ms() - off_ms) < 60_000
    assert abs(stamps[1] - stamps[0] + off_ms) < 5_000
    assert client.clock_offset_ms == pytest.approx(-off_ms, abs=2_000)


def test_a_clock_that_is_right_is_left_alone(service: RawService, ask: Ask) -> None:
    service.says(error(401, "authentication_failed"), WHO)
    client = ask()
    with pytest.raises(AuthenticationError):
        client.check()
    assert (len(service.asked), client.clock_offset_ms) == (1, 0)


def test_nobody_moves_our_clock_by_hours_unless_asked(service: RawService, ask: Ask) -> None:
    """Who could answer in the service's name would have signatures made for another day."""
    tomorrow = formatdate(time.time() + 86_400, usegmt=True)
    service.says(error(401, "authentication_failed", Date=tomorrow), WHO)
    client = ask()
    with pytest.raises(AuthenticationError):
        client.check()
    assert (len(service.asked), client.clock_offset_ms) == (1, 0)
    service.says(Said(200, {}, {"Date": tomorrow}))
    assert client.sync_time() == pytest.approx(86_400_000, abs=60_000)


def test_a_token_that_has_run_out_is_replaced(service: RawService, ask: Ask) -> None:
    token = Said(200, {"access_token": "t", "token_type": "bearer"})
    service.says(token, error(403, "invalid_token"), token, NODE)
    assert ask(Password("sam", "word")).broadcast("w", MESSAGE).hash == "AB"
    assert [request.split(b" ")[1] for request in service.asked] == [
        b"/api/auth/login",
        b"/api/freeze/broadcast",
        b"/api/auth/login",
        b"/api/freeze/broadcast",
    ]
    service.says(error(403, "invalid_token"))
    with pytest.raises(AuthenticationError):
        ask(AccessToken("t")).check()


@pytest.mark.parametrize(
    "said",
    [
        Said(200, b"<html>"),
        Said(403, b"<html>Forbidden"),
        Said(302, b"", {"Location": "http://127.0.0.1:1/"}),
        Said(200, {"signed_msg": None}),
        Said(404, {"code": 17}),
    ],
)
def test_what_is_no_answer_of_ours_is_said_to_be_none(service: RawService, ask: Ask, said: Said) -> None:
    service.says(said)
    with pytest.raises(UnexpectedAnswerError) as caught:
        ask(retry_seconds=0).sign("w", MESSAGE)
    assert caught.value.status == said.status


def test_an_exchanges_errors_are_told_from_ours(service: RawService, ask: Ask) -> None:
    client = ask()
    service.says(Said(400, {"code": -2010, "msg": "no money"}))
    with pytest.raises(ExchangeRefusedError) as refused:
        client.forward("main", "POST", "/x")
    assert (refused.value.exchange_code, refused.value.exchange_message) == (-2010, "no money")
    service.says(Said(503, {"code": -1007, "msg": "?"}, {"X-Vaultsigner-Outcome": "unknown"}))
    with pytest.raises(ExchangeOutcomeUnknownError) as unknown:
        client.forward("main", "POST", "/x")
    assert unknown.value.answer.body["code"] == -1007
    # An exchange that says what we say, about a request of its own.
    service.says(
        Said(403, {"code": "suspended", "message": "x", "request_id": "its"}, {"X-Request-Id": "ours"})
    )
    with pytest.raises(ExchangeRefusedError):
        client.forward("main", "POST", "/x")
    assert len(service.asked) == 3


def test_202_is_no_success(service: RawService, ask: Ask) -> None:
    approval = {
        "id": "f" * 32,
        "needed": 2,
        "given": 0,
        "of": ["user:ann"],
        "expires_at": "2030-01-01T00:00:00.000Z",
    }
    document = {"code": "approval_required", "message": "m", "approval": approval, "request_id": "r"}
    service.says(
        Said(202, document, {"X-Vaultsigner-Decision": "rule=large; policy=0123456789ab; audit=c0ffee:7"})
    )
    with pytest.raises(ApprovalRequiredError) as caught:
        ask().broadcast("w", MESSAGE)
    pending = caught.value.pending
    assert (pending.id, pending.needed, pending.request_id) == ("f" * 32, 2, "r")
    assert pending.decision is not None
    assert (pending.decision.rule, pending.decision.audit) == ("large", "c0ffee:7")


async def test_nor_by_an_event_loop_that_was_too_busy_to_hear_of_it(service: RawService) -> None:
    async with AsyncSigningClient(service.url, BOT) as client:
        service.says(Said(200, {"signed_msg": "00"}, kept=False), NODE)
        await client.sign("w", MESSAGE)
        wait_until(lambda: service.ended, "the service ends the connection")
        assert (await client.broadcast("w", MESSAGE)).hash == "AB"


@pytest.mark.parametrize(
    "rubbish",
    [
        b"rubbish\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 8\r\n\r\n{}",
    ],
)
def test_what_is_not_http_makes_nobody_show_a_signature(
    service: RawService, ask: Ask, rubbish: bytes
) -> None:
    service.says(Rubbish(0, rubbish, kept=False))
    with pytest.raises((ConnectionLostError, UnexpectedAnswerError)) as caught:
        ask(retry_seconds=0).check()
    (query,) = queries(service)
    shown = "".join(traceback.format_exception(caught.value))
    assert query["signature"][0] not in shown
    assert "timestamp=" not in shown


async def test_a_connection_that_takes_too_long_makes_nobody_show_a_signature() -> None:
    """Nothing was sent: whoever has that signature is the first to use it."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as full, ExitStack() as waiting:
        address = full.getsockname()
        for _ in range(4):  # more than the backlog takes: whoever comes now is not answered
            one = waiting.enter_context(closing(socket.socket()))
            one.setblocking(False)
            with suppress(BlockingIOError):
                one.connect(address)
        client = AsyncSigningClient(
            f"http://127.0.0.1:{address[1]}", BOT, timeout_seconds=0.2, retry_seconds=0
        )
        with pytest.raises(NotSentError, match="took too long") as caught:
            await client.check()
        await client.close()
    assert "signature=" not in "".join(traceback.format_exception(caught.value))
