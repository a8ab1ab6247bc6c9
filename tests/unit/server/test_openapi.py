"""The document describes what is served, passes a validator, and its examples are good ones."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # publishes no types
from openapi_spec_validator import OpenAPIV31SpecValidator

from vaultsigner.domain.refusals import Refusal
from vaultsigner.formats.bnb_beacon.request_body import RequestBody, read_request
from vaultsigner.formats.exchange.sign_only import read_sign_only
from vaultsigner.formats.open_api.requests import read_decrypt_request, read_token_request
from vaultsigner.server.openapi import openapi_document
from vaultsigner.server.partner_envelope import MESSAGES
from vaultsigner.server.partner_routes import partner_routes
from vaultsigner.server.route import Route
from vaultsigner.server.routes import ROUTES
from vaultsigner.strict_json import parse

READ_BY: dict[str, Callable[[bytes], object]] = {
    "/api/exchange/{name}/sign": read_sign_only,
    "/api/open_api/{name}/token": read_token_request,
    "/api/open_api/{name}/decrypt": read_decrypt_request,
}
PARTNER_ROUTES = partner_routes("/web3")


def document_of(*routes: Route) -> dict[str, Any]:
    """As it is sent."""
    document: dict[str, Any] = json.loads(json.dumps(openapi_document(routes)))
    return document


def operations_of(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Path, method, description."""
    items = document["paths"].items()
    return [(path, method, operation) for path, item in items for method, operation in item.items()]


DOCUMENT = document_of(*ROUTES)
WITH_PARTNER = document_of(*ROUTES, *PARTNER_ROUTES)
OPERATIONS = operations_of(DOCUMENT)
PARTNERS = [each for each in operations_of(WITH_PARTNER) if each[0].startswith("/web3/")]
FORWARDED = "/exchange/{name}/{path}"
AUTHENTICATED = [
    (path, method, operation)
    for path, method, operation in OPERATIONS
    if path.startswith("/api/") and path != "/api/auth/login" and operation["tags"] != ["Record"]
]
FOR_USERS = [operation for _, _, operation in OPERATIONS if operation["tags"] == ["Record"]]


def members_for_exchange_clients(status: int) -> set[str]:
    """What errors have there beside the usual."""
    return {"msg", "success"} if status >= 500 or status == 404 else {"msg"}


@pytest.mark.parametrize("document", [DOCUMENT, WITH_PARTNER], ids=["alone", "with the partner family"])
def test_it_is_valid(document: dict[str, Any]) -> None:
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert document["openapi"].startswith("3.1.")


def test_it_has_every_route_and_no_other() -> None:
    for routes, document in ((ROUTES, DOCUMENT), ((*ROUTES, *PARTNER_ROUTES), WITH_PARTNER)):
        served = {(path, route.method.lower()) for route in routes for path in route.paths}
        assert {(path, method) for path, method, _ in operations_of(document)} == served


def test_without_a_partner_nothing_speaks_of_one() -> None:
    assert "partner" not in json.dumps(DOCUMENT)


def test_operation_ids_are_unique() -> None:
    for document, number in ((DOCUMENT, 47), (WITH_PARTNER, 52)):
        ids = [operation["operationId"] for _, _, operation in operations_of(document)]
        assert len(set(ids)) == len(ids) == number


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_operation_has_examples_for_all_it_takes_and_answers(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    answers = operation["responses"]
    assert "200" in answers
    assert "500" in answers
    for status, answer in answers.items():
        [content] = answer["content"].values()
        for example in content["examples"].values():
            name = example.get("$ref", "").removeprefix("#/components/examples/")
            value = DOCUMENT["components"]["examples"][name]["value"] if name else example["value"]
            if status not in ("200", "202"):
                more = members_for_exchange_clients(int(status)) if path == FORWARDED else set()
                assert set(value) == {"code", "message", "detail", "request_id"} | more
                assert name in (value["code"], f"forwarded_{value['code']}")
        assert content["examples"]
    if path == FORWARDED:
        assert ("requestBody" in operation) == (method != "get")
    else:
        assert ("requestBody" in operation) == (method == "post" and path != "/api/auth/check")


@pytest.mark.parametrize(("path", "method", "operation"), AUTHENTICATED)
def test_who_asks_can_be_shown_in_three_ways_everywhere(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    assert operation["security"] == [{"access_token": []}, {"signed_request": []}, {"open_api_token": []}]
    names = [each["$ref"].rpartition("/")[2] for each in operation["parameters"] if "$ref" in each]
    assert names == ["timestamp", "recvWindow", "operation", "signature"]
    codes = {code for answer in operation["responses"].values() for code in examples(answer)}
    assert {
        *("not_authenticated", "authentication_failed", "invalid_token", "malformed_parameters"),
        *("replayed", "rate_limited", "body_too_large", "state_unavailable", "custody_unavailable"),
    } <= codes
    assert "Retry-After" in operation["responses"]["429"]["headers"]
    assert "WWW-Authenticate" in operation["responses"]["401"]["headers"]


def test_the_record_is_for_users_alone() -> None:
    assert len(FOR_USERS) == 7
    for operation in FOR_USERS:
        assert operation["security"] == [{"access_token": []}]
        assert all("$ref" not in each for each in operation["parameters"])
        assert "no_permission" in examples(operation["responses"]["403"])


def test_answers_about_the_record_have_the_shape_they_are_said_to_have() -> None:
    for operation in FOR_USERS:
        [described] = operation["responses"]["200"]["content"].values()
        validator = Draft202012Validator({**described["schema"], "components": DOCUMENT["components"]})
        for example in described["examples"].values():
            assert list(validator.iter_errors(example["value"])) == []


def test_without_any_way_there_is_none_to_show() -> None:
    for path, _, operation in OPERATIONS:
        if path in ("/", "/api/auth/login"):
            assert (operation["security"], operation["parameters"]) == ([], [])


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_what_exchanges_tell_everybody_needs_no_way_to_show(method: str) -> None:
    operation = DOCUMENT["paths"][FORWARDED][method]
    ways: list[dict[str, Any]] = [{"access_token": []}, {"signed_request": []}, {"open_api_token": []}]
    assert operation["security"] == [*ways, {}]
    assert {"X-Vaultsigner-Decision", "X-Vaultsigner-Outcome"} <= set(
        operation["responses"]["200"]["headers"]
    )
    codes = {code for answer in operation["responses"].values() for code in examples(answer)}
    assert {"exchange_unavailable", "outcome_unknown", "exchange_not_found", "policy_denied"} <= codes


def test_the_answers_of_exchanges_and_apps_have_the_shape_they_are_said_to_have() -> None:
    schemas = DOCUMENT["components"]
    for path, method, operation in OPERATIONS:
        if not path.startswith(("/exchange/", "/api/exchange/", "/api/open_api/")):
            continue
        contents = [answer["content"] for answer in operation["responses"].values()]
        if "requestBody" in operation and path != FORWARDED:
            contents.append(operation["requestBody"]["content"])
        for content in contents:
            [described] = content.values()
            validator = Draft202012Validator({**described["schema"], "components": schemas})
            for name, example in described["examples"].items():
                shown = (
                    schemas["examples"][example["$ref"].rpartition("/")[2]] if "$ref" in example else example
                )
                assert list(validator.iter_errors(shown["value"])) == [], (path, method, name)


def test_the_example_requests_to_exchanges_and_apps_are_understood() -> None:
    for path, read in READ_BY.items():
        body = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        for example in body["examples"].values():
            assert not isinstance(read(json.dumps(example["value"]).encode()), Refusal)


def test_errors_of_forwarded_requests_speak_of_exchanges() -> None:
    operation = DOCUMENT["paths"][FORWARDED]["post"]
    for status, answer in operation["responses"].items():
        if status not in ("200", "202"):
            for example in examples(answer).values():
                value = DOCUMENT["components"]["examples"][example["$ref"].rpartition("/")[2]]["value"]
                assert "transfer" not in value["message"]
                assert "wallet_" not in value["message"]


def test_the_websocket_example_opens_no_session() -> None:
    body = DOCUMENT["paths"]["/api/exchange/{name}/sign"]["post"]["requestBody"]["content"][
        "application/json"
    ]
    assert [each["value"]["ws"] for each in body["examples"].values() if "ws" in each["value"]] == [
        "order.place"
    ]


def test_user_data_is_asked_for_by_a_parameter() -> None:
    operation = DOCUMENT["paths"]["/api/open_api/{name}/user-data"]["get"]
    named = {
        each["name"]: (each["in"], each.get("required")) for each in operation["parameters"] if "name" in each
    }
    assert named["openData"] == ("query", True)


def test_no_error_is_told_twice() -> None:
    for routes in (ROUTES, PARTNER_ROUTES):
        for route in routes:
            assert len(set(route.documentation.errors)) == len(route.documentation.errors)


def examples(answer: dict[str, Any]) -> dict[str, Any]:
    """The examples of one response, by name."""
    found: dict[str, Any] = answer["content"]["application/json"]["examples"]
    return found


@pytest.mark.parametrize(("path", "method", "operation"), PARTNERS)
def test_the_partners_answers_are_all_in_the_envelope(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    for status, answer in operation["responses"].items():
        for name, example in examples(answer).items():
            found = WITH_PARTNER["components"]["examples"][name] if "$ref" in example else example
            value = found["value"]
            assert list(value) == ["code", "message", "data"]
            assert MESSAGES[value["code"]] == value["message"]
            assert (value["code"] == "000002") == (int(status) >= 500)
            assert (value["data"] is None) == (value["code"] != "000000")


def test_task_completion_can_answer_every_code() -> None:
    for method in ("get", "post", "put", "delete"):
        operation = WITH_PARTNER["paths"]["/web3/v1/task/completion"][method]
        assert {*examples(operation["responses"]["200"])} == {
            "answer",
            *(f"partner_{code}" for code in MESSAGES if code not in ("000000", "000002")),
        }
        assert operation["security"] == [{"partner_signature": []}]
        assert ("requestBody" in operation) == (method != "get")
        assert {each["name"] for each in operation["parameters"]} == (
            {"walletAddress", "task", "recvWindow", "timestamp"} if method == "get" else set()
        )
    assert WITH_PARTNER["paths"]["/web3/v1/time"]["get"]["security"] == []


@pytest.mark.parametrize("kind", ["order", "cancel_order", "transfer", "freeze", "unfreeze", "vote"])
@pytest.mark.parametrize("step", ["sign", "broadcast"])
def test_the_example_requests_are_understood(kind: str, step: str) -> None:
    body = DOCUMENT["paths"][f"/api/{kind}/{step}"]["post"]["requestBody"]["content"]["application/json"]
    for example in body["examples"].values():
        read = read_request(kind, parse(json.dumps(example["value"]).encode()), "tbnb")
        assert isinstance(read, RequestBody), read
        assert read.unknown_members == ()


def test_only_broadcasts_take_sync() -> None:
    with_sync = {
        path
        for path, _, operation in OPERATIONS
        if any(parameter.get("name") == "sync" for parameter in operation["parameters"])
    }
    assert with_sync == {path for path, _, _ in OPERATIONS if path.endswith("/broadcast")}
