"""A server that has been taken over holds a client's signed request to an exchange: it gets what that asks for."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.integration.custody.exchange_proving import (
    BINANCE_ORDER,
    ORDER_PATH,
    ExchangeProving,
    denying,
    exchange_proving,
    kv_path,
)
from tests.integration.custody.proving import NOW, RSA, SIGNED_REQUEST_KEYS
from tests.signing_client import SignedCall
from vaultsigner.custody.protocol import Proof
from vaultsigner.custody.used_signatures import UsedSignatures
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import CustodyError
from vaultsigner.formats.exchange.requests import ExchangeRequest

WINDOW_MS = 5000
ORDER = ExchangeRequest("rest", "POST", "/api/v3/order", BINANCE_ORDER)
WITHDRAW = "/exchange/spot/sapi/v1/capital/withdraw/apply"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[ExchangeProving]:
    async with exchange_proving(tmp_path) as at_hand:
        yield at_hand


async def code_of(
    desk: ExchangeProving, proof: Proof, call: SignedCall | None = None, **changes: Any
) -> str | None:
    try:
        await desk.sign(proof, call, **changes)
    except CustodyError as error:
        return error.code
    return None


def parameter(name: str, value: str) -> ExchangeRequest:
    changed = {**dict(BINANCE_ORDER), name: value}
    return replace(ORDER, parameters=tuple(changed.items()))


@pytest.mark.parametrize(
    "changes",
    [
        {"request": parameter("quantity", "2")},
        {"request": parameter("price", "0.10")},
        {"request": parameter("symbol", "BTCUSDT")},
        {"request": parameter("newClientOrderId", "x")},
        {"request": replace(ORDER, parameters=BINANCE_ORDER[:-1])},
        {"request": replace(ORDER, parameters=tuple(reversed(BINANCE_ORDER)))},
        {"request": replace(ORDER, recv_window_ms=60_000)},
        {"request": replace(ORDER, path="/api/v3/order/test")},
        {"request": replace(ORDER, path="/sapi/v1/margin/order")},
        {"request": ExchangeRequest("websocket", "order.place", "", BINANCE_ORDER)},
        {"exchange": "edwards"},
        {"exchange": "forbidden"},
        {"principal": Principal("client", "bot-rsa")},
        {"principal": Principal("user", "bot-hmac")},
        {"principal": Principal("client", "bot-hmac ")},
        {"ip": "192.0.2.8"},
    ],
)
async def test_a_ticket_is_good_for_nothing_else(desk: ExchangeProving, changes: dict[str, Any]) -> None:
    """Other parameters, another endpoint, window, transport, exchange, principal or place; and it is spent then."""
    proof = await desk.proof()
    reads = desk.here.custody.reader.reads
    assert await code_of(desk, proof, **changes) == "no_permission"
    assert await code_of(desk, proof) == "custody_unavailable"
    assert desk.here.custody.reader.reads == reads


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"operation": "exchange.query"}, "bad_question"),
        ({"operation": "exchange.other"}, "bad_question"),
        ({"operation": "order.sign"}, "bad_question"),
        ({"exchange": "nowhere"}, "bad_question"),
        ({"request": replace(ORDER, json_body=b"{}")}, "bad_question"),
        ({"request": replace(ORDER, method="DELETE")}, "bad_question"),
        ({"policy": "sha256:another"}, "policy_mismatch"),
    ],
)
async def test_what_does_not_fit_together_is_refused(
    desk: ExchangeProving, changes: dict[str, Any], code: str
) -> None:
    proof = await desk.proof()
    assert await code_of(desk, proof, **changes) == code
    assert await code_of(desk, proof) == "custody_unavailable"


@pytest.mark.parametrize(
    ("operation", "path"),
    [
        ("exchange.query", ORDER_PATH),
        ("exchange.other", ORDER_PATH),
        ("freeze.sign", ORDER_PATH),
        ("open_api.token", ORDER_PATH),
        ("auth.check", ORDER_PATH),
        ("exchange.order", WITHDRAW),
        ("exchange.order", "/exchange/nowhere/api/v3/order"),
        ("exchange.order", "/exchange/spot"),
        ("exchange.order", "/exchange/spot/api/../v3/order"),
        ("exchange.order", "/api/v3/order"),
        ("exchange.order", "/api/exchange/spot/sign"),
    ],
)
async def test_another_operation_than_the_request_means_gets_no_ticket(
    desk: ExchangeProving, operation: str, path: str
) -> None:
    """The client is who it says: what the server makes of its request is not to be signed for."""
    proof = await desk.here.proved(desk.question(desk.call(path=path), operation))
    assert proof.ticket == ""
    assert await code_of(desk, proof) == "custody_unavailable"


async def test_an_operation_that_the_client_signed_is_the_only_one(desk: ExchangeProving) -> None:
    """A signature does not cover the path. A client that adds the operation binds that, too."""
    call = desk.call((*BINANCE_ORDER, ("operation", "exchange.order")))
    assert await code_of(desk, await desk.proof(call), call) is None
    moved = replace(call, path=WITHDRAW)
    refused = await desk.here.prove(desk.question(moved, "exchange.other"))
    assert isinstance(refused, Refusal)


async def test_a_ticket_is_good_once_and_a_signature_too(desk: ExchangeProving) -> None:
    question = desk.question(desk.call())
    first, second = await desk.here.proved(question), await desk.here.proved(question)
    assert [await code_of(desk, proof) for proof in (second, first, second)] == [
        None,
        "replayed",
        "custody_unavailable",
    ]


async def test_many_copies_at_once_make_one_signature(desk: ExchangeProving) -> None:
    question = desk.question(desk.call())
    proofs = await asyncio.gather(*(desk.here.proved(question) for _ in range(64)))
    codes = await asyncio.gather(*(code_of(desk, proof) for proof in proofs))
    assert sorted(code or "signed" for code in codes) == ["replayed"] * 63 + ["signed"]


async def test_an_exchange_outside_of_the_clients_list_is_closed(desk: ExchangeProving) -> None:
    call = desk.call(path="/exchange/forbidden/api/v3/order")
    proof = await desk.proof(call)
    assert await code_of(desk, proof, call) == "no_permission"
    assert kv_path("forbidden") not in desk.here.vault.asked, "it was not even read ahead"


async def test_withdrawals_stay_shut_whatever_the_server_says(tmp_path: Path) -> None:
    async with exchange_proving(tmp_path, policies=denying("exchange.withdraw")) as desk:
        parameters = (("coin", "BTC"), ("address", "bc1q"), ("amount", "1"))
        call = desk.call(parameters, path=WITHDRAW)
        proof = await desk.proof(call, "exchange.withdraw")
        assert await code_of(desk, proof, call, operation="exchange.withdraw") == "policy_denied"
        proof = await desk.proof(call, "exchange.withdraw")
        assert await code_of(desk, proof, call) == "bad_question"
        assert kv_path("spot") not in desk.here.vault.asked


async def test_a_clients_query_is_no_withdrawal_either(tmp_path: Path) -> None:
    """Whoever has the client's ticket: neither forwarding nor the client's own word makes more of it."""
    async with exchange_proving(tmp_path, policies=denying("exchange.withdraw")) as desk:
        parameters = (("coin", "BTC"), ("address", "bc1q"), ("amount", "1"))
        call = desk.call(parameters, method="GET", path="/exchange/spot/api/v3/account", place="query")
        proof = await desk.proof(call, "exchange.query")
        assert await code_of(desk, proof, call, operation="exchange.query") == "policy_denied"
        assert kv_path("spot") not in desk.here.vault.asked


async def test_a_killed_custody_signs_for_nothing_that_it_may_have_signed_for(desk: ExchangeProving) -> None:
    question = desk.question(desk.call(recv_window_ms=60_000))
    wish: dict[str, Any] = {"request": replace(ORDER, recv_window_ms=60_000)}
    first = await desk.sign(await desk.here.proved(question), **wish)
    desk.here.now_ms += 3000
    desk.here.custody.admission._used = UsedSignatures(lambda: desk.here.now_ms, after_crash=True)
    assert await code_of(desk, await desk.here.proved(question), **wish) == "custody_unavailable"
    assert first.retry_ticket


class TestRetry:
    """The exchange has said that the time is wrong: once more, with another time."""

    async def again(self, desk: ExchangeProving, proof: Proof, ticket: str, **changes: Any) -> str | None:
        return await code_of(desk, replace(proof, ticket=ticket), **changes)

    @pytest.mark.parametrize(
        ("moved_ms", "code"),
        [
            (0, "retry_refused"),
            (1, "retry_refused"),
            (WINDOW_MS, "retry_refused"),
            (WINDOW_MS + 1, None),
            (120_000, None),
            (-1, "retry_refused"),
            (-999, "retry_refused"),
            (-1000, None),
            (-120_000, None),
        ],
    )
    async def test_the_new_time_is_one_at_which_the_first_is_not_good(
        self, desk: ExchangeProving, moved_ms: int, code: str | None
    ) -> None:
        """At the exchange: time < its own + 1000, and its own - time <= recvWindow."""
        proof = await desk.proof()
        first = await desk.sign(proof, clock_offset_ms=10_000)
        assert await self.again(desk, proof, first.retry_ticket, clock_offset_ms=10_000 + moved_ms) == code

    async def test_the_window_is_the_clients_own(self, desk: ExchangeProving) -> None:
        call = desk.call(recv_window_ms=60_000)
        proof = await desk.proof(call)
        first = await desk.sign(proof, call)
        again = replace(proof, ticket=first.retry_ticket)
        assert await code_of(desk, again, call, clock_offset_ms=60_000) == "retry_refused"

    async def test_there_is_no_second_retry(self, desk: ExchangeProving) -> None:
        proof = await desk.proof()
        first = await desk.sign(proof)
        second = await desk.sign(replace(proof, ticket=first.retry_ticket), clock_offset_ms=60_000)
        assert second.retry_ticket == ""
        assert second.timestamp_ms == NOW + 60_000
        assert second.signed.body != first.signed.body
        for ticket in (first.retry_ticket, second.retry_ticket, proof.ticket):
            assert await self.again(desk, proof, ticket, clock_offset_ms=600_000) == "custody_unavailable"

    async def test_a_retry_that_was_refused_is_spent(self, desk: ExchangeProving) -> None:
        proof = await desk.proof()
        first = await desk.sign(proof)
        assert await self.again(desk, proof, first.retry_ticket) == "retry_refused"
        assert (
            await self.again(desk, proof, first.retry_ticket, clock_offset_ms=60_000) == "custody_unavailable"
        )

    @pytest.mark.parametrize(
        "changes",
        [
            {"request": parameter("quantity", "2")},
            {"request": replace(ORDER, recv_window_ms=1)},
            {"exchange": "edwards"},
            {"ip": "192.0.2.8"},
            {"principal": Principal("client", "bot-rsa")},
        ],
    )
    async def test_it_is_for_the_same_request_alone(
        self, desk: ExchangeProving, changes: dict[str, Any]
    ) -> None:
        proof = await desk.proof()
        first = await desk.sign(proof)
        changes = {"clock_offset_ms": 60_000, **changes}
        assert await self.again(desk, proof, first.retry_ticket, **changes) == "no_permission"

    async def test_it_is_decided_anew(self, desk: ExchangeProving) -> None:
        proof = await desk.proof()
        first = await desk.sign(proof)
        policies = desk.here.custody.policies
        policies._current = replace(denying("exchange.order"), digest="sha256:newer")
        assert (
            await self.again(
                desk, proof, first.retry_ticket, clock_offset_ms=60_000, policy=policies.current.digest
            )
            == "policy_denied"
        )

    async def test_it_ends_with_the_clients_own_signature(self, desk: ExchangeProving) -> None:
        proof = await desk.proof()
        first = await desk.sign(proof)
        desk.here.now_ms += WINDOW_MS + 35_001
        assert await self.again(desk, proof, first.retry_ticket) == "custody_unavailable"

    async def test_what_could_not_be_signed_leaves_none(self, desk: ExchangeProving) -> None:
        desk.here.vault.fields[kv_path("spot")] = {"other": "x"}
        tickets = len(desk.here.custody.exchange_signer._tickets)
        assert await code_of(desk, await desk.proof()) == "key_missing"
        assert len(desk.here.custody.exchange_signer._tickets) == tickets


@pytest.mark.parametrize("scheme", SIGNED_REQUEST_KEYS)
async def test_another_clients_ticket_is_not_ones_own(desk: ExchangeProving, scheme: str) -> None:
    """A robbed key of one client does nothing in another's name."""
    call = desk.call(key=SIGNED_REQUEST_KEYS[scheme])
    stolen = await desk.proof(call)
    mine = await desk.proof(desk.call(key=RSA if scheme != "rsa" else SIGNED_REQUEST_KEYS["hmac"]))
    swapped = replace(mine, ticket=stolen.ticket)
    assert await code_of(desk, swapped, call) == "no_permission"


async def test_a_query_signature_cannot_be_moved_to_where_it_would_change_something(tmp_path: Path) -> None:
    """A signature covers parameters, not the path: that is Binance's rule. What remains is what policy allows the client."""
    async with exchange_proving(tmp_path, policies=denying("exchange.cancel")) as desk:
        call = desk.call(
            (("symbol", "LTCBTC"),), method="GET", path="/exchange/spot/api/v3/openOrders", place="query"
        )
        moved = replace(call, method="DELETE")
        proof = await desk.proof(moved, "exchange.cancel")
        assert proof.ticket
        assert await code_of(desk, proof, moved, operation="exchange.cancel") == "policy_denied"
