"""Every call, by every way to show who asks, through both clients, to a real service."""

import itertools
from decimal import Decimal

import pytest
import requests

from tests.adversarial.desk import RECEIVER
from tests.integration.client.asking import UNHURRIED
from tests.integration.client.conftest import Ask
from tests.integration.client.desk import APP, CALLERS, EXCHANGE, NAMES, PARTNER, WALLET, Desk
from tests.integration.exchanges.desk import ORDER, RSA_PAIR
from vaultsigner.client import (
    AuthenticationError,
    Broadcast,
    CancelOrder,
    CredentialsError,
    ExchangeRefusedError,
    Freeze,
    HmacKey,
    InvalidFieldsError,
    Message,
    NotFoundError,
    Order,
    PartnerError,
    PartnerKey,
    Password,
    Payment,
    PolicyDeniedError,
    SignedTransaction,
    Transfer,
    Unfreeze,
    Vote,
)

WAYS = list(CALLERS)
MESSAGES: list[Message] = [
    Order(symbol="ANN-457_BNB", side="buy", price="0.000396", quantity=Decimal(12)),
    CancelOrder(symbol="ANN-457_BNB", order_id="B6561DCC104130059A7C08F48C64610C1F6F9064-11"),
    Transfer(to_address=RECEIVER, symbol="BNB", amount=Decimal("0.5"), memo="grüezi & <b>"),
    Transfer(payments=[Payment(to_address=RECEIVER, symbol="BNB", amount=1)]),
    Freeze(symbol="BNB", amount="10"),
    Unfreeze(symbol="BNB", amount="10"),
    Vote(proposal_id=42, option="Yes"),
]
_amounts = itertools.count(1)


@pytest.mark.parametrize("way", WAYS)
def test_the_service_knows_who_asks(ask: Ask, way: str) -> None:
    who = ask(CALLERS[way]).check()
    assert (who.name, who.scheme) == (NAMES[way], way)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.kind)
def test_every_message_is_signed_and_sent(desk: Desk, ask: Ask, way: str, message: Message) -> None:
    client = ask(CALLERS[way])
    signed = client.sign(WALLET, message)
    assert isinstance(signed, SignedTransaction)
    assert signed.decision is not None
    assert signed.decision.rule in ("chain", "small")
    (intent, outcome) = desk.world.records(signed.request_id)
    assert (intent["principal"]["name"], intent["principal"]["scheme"]) == (NAMES[way], way)
    assert (outcome["chain"], outcome["seq"]) == (signed.decision.chain, signed.decision.seq)
    sent = client.broadcast(WALLET, message)
    assert isinstance(sent, Broadcast)
    executed = desk.world.node.chain.executed[-1]
    assert (executed.hex, executed.transaction_hash) == (signed.signed_msg, sent.hash)
    assert (sent.results[0].ok, sent.results[0].code) == (True, 0)


@pytest.mark.parametrize("way", ["token", "hmac"])
def test_each_kind_has_a_name_of_its_own(desk: Desk, ask: Ask, way: str) -> None:
    client = ask(CALLERS[way])
    amount = Decimal(next(_amounts)).scaleb(-8)
    order = {"symbol": "ANN-457_BNB", "side": 1, "price": "0.000396", "quantity": "12"}
    done = {
        "order": (client.sign_order(WALLET, **order), client.broadcast_order(WALLET, **order, sync=False)),
        "cancel": (
            client.sign_cancel_order(WALLET, symbol="ANN-457_BNB", order_id="A-1"),
            client.broadcast_cancel_order(WALLET, symbol="ANN-457_BNB", order_id="A-1"),
        ),
        "transfer": (
            client.sign_transfer(WALLET, to_address=RECEIVER, symbol="BNB", amount=amount),
            client.broadcast_transfer(WALLET, to_address=RECEIVER, symbol="BNB", amount=amount),
        ),
        "freeze": (
            client.sign_freeze(WALLET, symbol="BNB", amount=1),
            client.broadcast_freeze(WALLET, symbol="BNB", amount=1),
        ),
        "unfreeze": (
            client.sign_unfreeze(WALLET, symbol="BNB", amount=1),
            client.broadcast_unfreeze(WALLET, symbol="BNB", amount=1),
        ),
        "vote": (
            client.sign_vote(WALLET, proposal_id=3, option=2),
            client.broadcast_vote(WALLET, proposal_id=3, option=2),
        ),
    }
    executed = desk.world.node.chain.executed[-len(done) :]
    assert [transaction.hex for transaction in executed] == [signed.signed_msg for signed, _ in done.values()]
    hashes = [broadcast.hash for _, broadcast in done.values()]
    assert [transaction.transaction_hash for transaction in executed] == hashes


@pytest.mark.parametrize("way", WAYS)
def test_wallets(desk: Desk, ask: Ask, way: str) -> None:
    client = ask(CALLERS[way])
    (wallet,) = client.wallets()
    assert (wallet.name, wallet.address, wallet.env) == (WALLET, desk.wallet_address, "TESTNET")
    assert client.wallet(WALLET) == wallet
    assert client.resync(WALLET) is None
    with pytest.raises(NotFoundError) as caught:
        client.wallet("other/../x")
    assert caught.value.status == 404


@pytest.mark.parametrize("way", WAYS)
def test_an_exchange_is_asked(desk: Desk, ask: Ask, way: str) -> None:
    client = ask(CALLERS[way])
    # An Open API token names method and path anyway.
    operation = None if way == "open_api" else "exchange.order"
    answer = client.forward(EXCHANGE, "POST", "/api/v3/order", ORDER, operation=operation)
    assert (answer.status, answer.body["symbol"]) == (200, "BTCUSDT")
    assert answer.decision.rule == "trade"
    assert "x-mbx-used-weight-1m" in answer.headers
    assert desk.server.exchange.received[-1].meant == ORDER
    found = client.forward(
        EXCHANGE, "get", "api/v3/order", {"symbol": "BTCUSDT", "orderId": answer.body["orderId"]}
    )
    assert found.body["orderId"] == answer.body["orderId"]
    cancelled = client.forward(
        EXCHANGE, "DELETE", "/api/v3/order", [("symbol", "BTCUSDT"), ("orderId", answer.body["orderId"])]
    )
    assert cancelled.body["status"] == "CANCELED"
    with pytest.raises(ExchangeRefusedError) as caught:
        client.forward(
            EXCHANGE, "DELETE", "/api/v3/order", {"symbol": "BTCUSDT", "orderId": answer.body["orderId"]}
        )
    assert (caught.value.status, caught.value.exchange_code) == (400, -2011)


@pytest.mark.parametrize("way", WAYS)
def test_what_policy_denies_at_an_exchange_is_our_error_and_not_the_exchanges(ask: Ask, way: str) -> None:
    with pytest.raises(PolicyDeniedError) as caught:
        ask(CALLERS[way]).forward(EXCHANGE, "POST", "/api/v3/order", {**ORDER, "symbol": "DOGEUSDT"})
    error = caught.value
    assert (error.status, error.code) == (403, "policy_denied")
    assert "no-doge" in error.message
    assert error.request_id


def test_public_endpoints_and_listen_keys(ask: Ask) -> None:
    assert ask(None).forward(EXCHANGE, "GET", "/api/v3/time", proof="none").body["serverTime"] > 0
    key = ask(CALLERS["hmac"]).forward(EXCHANGE, "POST", "/api/v3/userDataStream", proof="api_key")
    assert key.body["listenKey"]


@pytest.mark.parametrize("way", WAYS)
def test_requests_are_signed_for_somebody_else_to_send(desk: Desk, ask: Ask, way: str) -> None:
    client = ask(CALLERS[way])
    signed = client.sign_exchange_request(EXCHANGE, "POST", "/api/v3/order", ORDER)
    answer = requests.request(
        signed.method, signed.url, headers=dict(signed.headers), data=signed.body, timeout=30
    )
    assert answer.status_code == 200, answer.text
    assert signed.decision.rule == "trade"
    message = client.sign_exchange_message(EXCHANGE, "order.place", ORDER)
    assert (message.method, message.params["symbol"]) == ("order.place", "BTCUSDT")
    assert message.params["signature"]
    listed = client.sign_exchange_request(
        EXCHANGE, "GET", "/api/v3/ticker/price", {"symbols": ["BTCUSDT", "ETHUSDT"]}
    )
    assert "%5B%22BTCUSDT%22%2C%22ETHUSDT%22%5D" in listed.url


@pytest.mark.parametrize("way", WAYS)
def test_open_api_apps(desk: Desk, ask: Ask, way: str) -> None:
    client = ask(CALLERS[way])
    token = client.open_api_token(APP, "GET", "/mp-api/v1/apps/1/x", query="a=b")
    assert token.headers == {token.header: token.token}
    assert token.token not in repr(token)
    plaintext = "secret data"
    assert client.open_api_decrypt(APP, desk.program.encrypted(plaintext)).plaintext == plaintext
    assert client.open_api_user_data(APP, "token-1").plaintext == "+41 79 123 45 67"


def test_the_partner(desk: Desk, ask: Ask) -> None:
    client = ask(PARTNER, **UNHURRIED)
    assert abs(client.partner_time() - client.client._session.clock_ms()) < 60_000
    sender = ask(CALLERS["hmac"])
    sender.broadcast_transfer(WALLET, to_address=RECEIVER, symbol="BNB", amount="0.00000001")
    assert client.partner_task_completion(desk.wallet_address, ["withdrawal"]) == {"withdrawal": True}
    assert set(client.partner_task_completion(desk.wallet_address)) >= {"withdrawal"}
    with pytest.raises(CredentialsError, match="PartnerKey"):
        sender.partner_task_completion(desk.wallet_address)
    with pytest.raises(PartnerError) as caught:
        ask(PartnerKey(RSA_PAIR[0]), **UNHURRIED).partner_task_completion(desk.wallet_address)
    assert (caught.value.status, caught.value.code) == (200, "000003")
    assert caught.value.request_id


def test_errors_tell_what_the_service_tells(ask: Ask) -> None:
    client = ask(CALLERS["ed25519"])
    with pytest.raises(InvalidFieldsError) as caught:
        client.sign_freeze(WALLET, symbol="BNB", amount="0.000000001")
    assert caught.value.status == 422
    assert isinstance(caught.value.detail, list)
    assert caught.value.request_id
    with pytest.raises(AuthenticationError) as wrong:
        ask(HmacKey(CALLERS["hmac"].api_key, "another secret than that")).check()  # type: ignore[union-attr]  # an HmacKey
    assert (wrong.value.status, wrong.value.code) == (401, "authentication_failed")
    with pytest.raises(AuthenticationError) as bad:
        ask(Password("ann", "wrong")).check()
    assert (bad.value.status, bad.value.code) == (400, "bad_credentials")
    with pytest.raises(CredentialsError):
        ask(None).check()
