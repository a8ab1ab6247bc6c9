"""Answers that stand between: a proxy's own words have no request id and no error document, and are nobody else's."""

from typing import Any

import pytest

from vaultsigner.client.asks import Ask
from vaultsigner.client.calls.exchanges import forward, partner_tasks
from vaultsigner.client.calls.wallets import wallets
from vaultsigner.client.errors import (
    ConnectionLostError,
    MalformedRequestError,
    OutcomeUnknownError,
    RateLimitedError,
    ServiceError,
    SigningClientError,
    UnexpectedAnswerError,
)
from vaultsigner.client.plans import Pause, Send
from vaultsigner.client.reply import Reply
from vaultsigner.client.session import Session

ORDER = forward("main", "POST", "/api/v3/order", proof="none")
ASKS = [wallets(), ORDER, partner_tasks("/web3", "bnb1", None)]
KINDS = ["ours", "an exchange's", "the partner's"]


def said(status: int, text: str = "words", **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, text.encode())


def told(ask: Ask[Any], reply: Reply) -> SigningClientError:
    return Session.refusal(ask, reply)


@pytest.mark.parametrize("ask", ASKS, ids=KINDS)
@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (413, MalformedRequestError, "too large.*nothing was signed"),
        (429, RateLimitedError, "too many requests.*nothing was signed"),
        (502, ConnectionLostError, "HTTP 502 .*unknown"),
        (503, ConnectionLostError, "HTTP 503 .*unknown"),
        (504, ConnectionLostError, "HTTP 504 .*unknown"),
        (404, UnexpectedAnswerError, "HTTP 404 "),
        (302, UnexpectedAnswerError, "HTTP 302 "),
    ],
)
def test_a_proxys_words_are_told_as_a_proxys(ask: Ask[Any], status: int, kind: type, words: str) -> None:
    error = told(ask, said(status))
    assert type(error) is kind
    with pytest.raises(kind, match=words):
        raise error


@pytest.mark.parametrize("text", ["", "{}", '{"code": -2010, "msg": "no money"}', "null", "[" * 100_000])
def test_whatever_it_writes(text: str) -> None:
    assert type(told(ORDER, said(502, text))) is ConnectionLostError


def test_when_to_try_again_is_told() -> None:
    error = told(wallets(), said(429, retry_after="7"))
    assert isinstance(error, ServiceError)
    assert (error.status, error.code, error.retry_after_seconds) == (429, "rate_limited", 7.0)


def test_an_order_that_a_proxy_answers_with_5xx_is_asked_once_and_may_have_been_done() -> None:
    plan = Session(None).perform(ORDER)
    assert isinstance(next(plan), Send)
    with pytest.raises(OutcomeUnknownError, match="HTTP 502 ") as caught:
        plan.send(said(502, "Bad Gateway"))
    assert caught.value.code == "no_answer"


def test_an_order_that_a_proxy_held_back_is_asked_again() -> None:
    plan = Session(None).perform(ORDER)
    next(plan)
    assert isinstance(plan.send(said(429, "Too Many Requests")), Pause)
    assert isinstance(next(plan), Send)
    plan.close()
