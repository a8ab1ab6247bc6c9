"""Requests as Binance's clients really send them, byte for byte, at the time they were signed for."""

from collections.abc import Iterator

import pytest

from tests.integration.signed.callers import (
    COMPLETION,
    NAMES,
    REQUESTS,
    SCHEMES,
    call_of,
    planned_partner,
)
from tests.world import Vector, World
from vaultsigner.dev.service import Service

CHECK = "/api/auth/check"
SPLIT_BETWEEN_QUERY_AND_FORM = {"composed-003", "composed-006", "composed-009"}
"""Binance takes them; where the query ends and the form begins is not in what was signed, so we do not."""
EXCHANGE = [vector for vector in REQUESTS if not vector["id"].startswith("web3-")]
ACCEPTED = [
    vector
    for vector in EXCHANGE
    if vector["expect"] == "accept" and vector["id"] not in SPLIT_BETWEEN_QUERY_AND_FORM
]
REFUSED = [vector for vector in EXCHANGE if vector["expect"] == "refuse"]
LENIENT = [vector for vector in EXCHANGE if vector["expect"] == "lenient-only"]
PARTNER = [vector for vector in REQUESTS if vector["id"].startswith("web3-")]
REASONS = {"signature": "signature", "api key missing": "api key missing", "timestamp": "timestamp"}
SHAPE_FAULTS = {"refuse-004": 400, "refuse-013": 400}
"""Faults that anybody can see without a key; every other one is the same 401."""


def named(vectors: list[Vector]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", vectors, ids=[vector["id"] for vector in vectors])


def seen_before(vector: Vector) -> bool:
    """Whether an earlier vector is the same signed text by the same client, which counts once only."""
    same = [
        other["id"]
        for other in REQUESTS
        if (other["key"], other["signed_payload"]) == (vector["key"], vector["signed_payload"])
    ]
    return same.index(vector["id"]) > 0


@pytest.fixture(scope="module")
def second(frozen: World) -> Iterator[Service]:
    """Another service with a state of its own, which has seen none of the signatures."""
    with frozen.second_service("apart", state_url=None) as service:
        yield service


@pytest.fixture(scope="module")
def other_partner(frozen: World) -> Iterator[Service]:
    """One whose partner has the other key."""
    with frozen.second_service("partner", state_url=None, partner=planned_partner("web3_other")) as service:
        yield service


@named(ACCEPTED)
def test_what_binance_takes_is_taken(frozen: World, second: Service, vector: Vector) -> None:
    service = second if seen_before(vector) else frozen.service
    reply = frozen.send(call_of(vector, CHECK), service=service)
    name = NAMES[vector["key"]]
    expected = {"principal": {"type": "client", "name": name, "scheme": SCHEMES[name]}}
    assert (reply.status, reply.body) == (200, expected)
    (record,) = frozen.records(reply.request_id)
    assert record["principal"] == expected["principal"]


@named(REFUSED)
def test_what_binance_refuses_is_refused_for_that_reason(frozen: World, vector: Vector) -> None:
    reply = frozen.send(call_of(vector, CHECK))
    assert reply.status == SHAPE_FAULTS.get(vector["id"], 401), reply.body
    (record,) = frozen.records(reply.request_id)
    if (
        vector["id"] != "refuse-004"
    ):  # a form beside a query is refused for that, before any signature is looked at
        assert REASONS[vector["reason"]] in record["reason"].lower()


@named(LENIENT)
def test_a_client_that_signs_another_text_is_refused_with_a_hint_on_the_record(
    frozen: World, vector: Vector
) -> None:
    reply = frozen.send(call_of(vector, CHECK))
    assert (reply.status, reply.body["code"]) == (401, "authentication_failed")
    (record,) = frozen.records(reply.request_id)
    assert vector["payload_rule"] in record["reason"]
    assert vector["payload_rule"] not in str(reply.body)


@named([vector for vector in EXCHANGE if vector["id"] in SPLIT_BETWEEN_QUERY_AND_FORM])
def test_parameters_in_the_query_and_in_a_form_are_refused(frozen: World, vector: Vector) -> None:
    reply = frozen.send(call_of(vector, CHECK))
    assert (reply.status, reply.body["code"]) == (400, "malformed_parameters")


@named(PARTNER)
def test_the_partners_requests(
    frozen: World, second: Service, other_partner: Service, vector: Vector
) -> None:
    ours = other_partner if vector["key"] == "web3_other" else frozen.service
    service = second if seen_before(vector) else ours
    reply = frozen.send(call_of(vector, COMPLETION), service=service)
    assert reply.status == 200
    if vector["expect"] == "refuse":
        assert reply.body["code"] == "000004"
    else:  # the signature holds; none of them asks for a task of ours
        assert reply.body["code"] in ("000000", "000006"), reply.body


def test_every_vector_is_in_one_of_these_tests() -> None:
    told = [*ACCEPTED, *REFUSED, *LENIENT, *PARTNER]
    assert len(told) + len(SPLIT_BETWEEN_QUERY_AND_FORM) == len(REQUESTS) >= 53
