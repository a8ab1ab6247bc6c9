"""What an exchange's client finds in our errors: see the module; tests of the clients themselves show what they make of it."""

import json
from typing import Any

import pytest

from vaultsigner.domain.names import JsonValue, RequestId
from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.exchange_errors import exchange_answer, exchange_refusal
from vaultsigner.server.statuses import STATUS_FOR_CODE, status_of
from vaultsigner.signing.calls import Answer

ID = RequestId("01KAJ0Y7W8F0N6Q3VZ2M5T9XBC")
MESSAGE = 'Policy says "no" \U0001f40e'
NOT_THERE = {"exchange_not_found", "not_found"}
OURS = {"code", "message", "detail", "request_id"}
ERRORS = sorted(code for code in STATUS_FOR_CODE if code != "ok" and not code.startswith("partner_"))


def body_of(code: str) -> dict[str, Any]:
    """As it is sent."""
    sent = exchange_refusal(Refusal(code, MESSAGE), ID).body
    assert isinstance(sent, bytes)
    body: dict[str, Any] = json.loads(sent)
    assert (body["code"], body["message"], body["request_id"]) == (code, MESSAGE, ID)
    return body


@pytest.mark.parametrize("code", [code for code in ERRORS if status_of(code) < 500 and code not in NOT_THERE])
def test_a_refusal_has_the_words_that_make_it_one(code: str) -> None:
    body = body_of(code)
    assert set(body) == OURS | {"msg"}
    assert body["msg"] == f"{MESSAGE} (the request has no operation privilege)"


@pytest.mark.parametrize("code", [code for code in ERRORS if status_of(code) >= 500 or code in NOT_THERE])
def test_what_could_not_be_done_has_a_number(code: str) -> None:
    body = body_of(code)
    assert set(body) == OURS | {"msg", "success"}
    assert body["success"] is False
    number = -1130 if code in NOT_THERE else -1007 if code == "outcome_unknown" else -1001
    assert json.loads(body["msg"]) == {"code": number, "msg": MESSAGE}


def test_what_waits_for_approval_is_a_refusal_to_such_a_client() -> None:
    body: dict[str, JsonValue] = {"code": "approval_required", "message": MESSAGE, "approval": {"id": "a"}}
    response = exchange_answer(Answer(body, code="approval_required"), ID)
    assert isinstance(response.body, bytes)
    assert response.status == 202
    assert json.loads(response.body) == body | {"msg": f"{MESSAGE} (the request has no operation privilege)"}


def test_the_time_is_left_alone() -> None:
    assert exchange_answer(Answer({"serverTime": 1}), ID).body == b'{"serverTime":1}'
