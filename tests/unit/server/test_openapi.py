"""The document describes what is served, passes a validator, and its examples are good ones."""

import json
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from vaultsigner.formats.bnb_beacon.request_body import RequestBody, read_request
from vaultsigner.server.openapi import openapi_document
from vaultsigner.server.routes import ROUTES
from vaultsigner.strict_json import parse

DOCUMENT: dict[str, Any] = json.loads(json.dumps(openapi_document(ROUTES)))
OPERATIONS = [
    (path, method, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
]


def test_it_is_valid() -> None:
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []
    assert DOCUMENT["openapi"].startswith("3.1.")


def test_it_has_every_route_and_no_other() -> None:
    served = {(path, route.method.lower()) for route in ROUTES for path in route.paths}
    assert {(path, method) for path, method, _ in OPERATIONS} == served


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(ids)) == len(ids) == 19


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_operation_has_examples_for_all_it_takes_and_answers(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    answers = operation["responses"]
    assert "200" in answers
    assert "500" in answers
    for status, answer in answers.items():
        content = answer["content"]["application/json"]
        for example in content["examples"].values():
            name = example.get("$ref", "").removeprefix("#/components/examples/")
            value = DOCUMENT["components"]["examples"][name]["value"] if name else example["value"]
            if status != "200":
                assert set(value) == {"code", "message", "detail", "request_id"}
                assert value["code"] == name
        assert content["examples"]
    assert ("requestBody" in operation) == (method == "post")
    if path.startswith("/api/") and path != "/api/auth/login":
        assert {"401", "403", "503"} <= set(answers)
        assert operation["security"] == [{"access_token": []}]


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
        if any(parameter["name"] == "sync" for parameter in operation["parameters"])
    }
    assert with_sync == {path for path, _, _ in OPERATIONS if path.endswith("/broadcast")}
