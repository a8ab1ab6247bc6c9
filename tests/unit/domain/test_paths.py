"""One table says which path asks for which signature."""

import pytest

from vaultsigner.domain.names import Operation
from vaultsigner.domain.paths import (
    PATHS_OF_MESSAGES,
    VERBS,
    asked_at,
    forwarded_place,
    may_mean,
    open_api_at,
    sign_only_exchange,
)
from vaultsigner.domain.permissions import PERMISSION_FOR_MESSAGE
from vaultsigner.server.routes import ROUTES


def test_every_message_that_can_be_signed_has_its_paths() -> None:
    assert PATHS_OF_MESSAGES.keys() == PERMISSION_FOR_MESSAGE.keys()


def test_what_is_served_is_what_the_table_says() -> None:
    """In every spelling of a path that the server takes; a route that signs and is not in the table would show."""
    for route in ROUTES:
        message, _, verb = route.operation.partition(".")
        signs = message in PATHS_OF_MESSAGES and verb in VERBS
        for path in route.spelled_paths():
            assert asked_at(route.method, path) == (route.operation if signs else None)
            assert may_mean(route.operation, route.method, path)


@pytest.mark.parametrize(
    ("operation", "method", "path", "may"),
    [
        ("freeze.sign", "POST", "/api/freeze/sign", True),
        ("freeze.sign", "POST", "/api/freeze/sign/", True),
        ("cancel_order.broadcast", "POST", "/api/order/cancel/broadcast", True),
        ("freeze.sign", "POST", "/api/freeze/sign//", False),
        ("freeze.sign", "POST", "/api/freeze/SIGN", False),
        ("freeze.sign", "POST", "/api/%66reeze/sign", False),
        ("freeze.sign", "POST", "/api/freeze/broadcast", False),
        ("unfreeze.broadcast", "POST", "/api/freeze/sign", False),
        ("freeze.sign", "GET", "/api/freeze/sign", False),
        ("freeze.sign", "POST", "/api/auth/check", False),
        ("freeze.sign", "POST", "", False),
        ("auth.check", "POST", "/api/freeze/sign", False),
        ("auth.check", "GET", "/api/auth/check", True),
        ("auth.check", "POST", "/api/auth/check", True),
        ("wallet.read", "GET", "/api/wallet/desk", True),
        ("wallet.list", "GET", "/elsewhere", True),
        ("exchange.order", "POST", "/exchange/main/api/v3/order", True),
        ("exchange.query", "GET", "/exchange/main/api/v3/order", True),
        ("exchange.other", "GET", "/exchange/main", True),
        ("exchange.order", "POST", "/exchange", False),
        ("exchange.order", "POST", "/api/exchange/main/sign", True),
        ("exchange.order", "POST", "/api/exchange/main/sign/", True),
        ("exchange.order", "GET", "/api/exchange/main/sign", False),
        ("exchange.order", "POST", "/api/exchange/main/else/sign", False),
        ("exchange.order", "POST", "/api/exchange//sign", False),
        ("exchange.order", "POST", "/api/exchange/sign", False),
        ("exchange.order", "POST", "/api/freeze/sign", False),
        ("exchange.order", "POST", "/api/open_api/app/token", False),
        ("exchange.order", "GET", "/api/auth/check", False),
        ("freeze.sign", "POST", "/exchange/main/api/freeze/sign", False),
        ("freeze.sign", "POST", "/api/exchange/main/sign", False),
        ("open_api.token", "POST", "/exchange/main/api/open_api/app/token", False),
        ("auth.check", "POST", "/exchange/main/api/v3/order", False),
        ("wallet.list", "GET", "/api/open_api/app/user-data", False),
        ("open_api.token", "POST", "/api/open_api/app/token", True),
        ("open_api.token", "POST", "/api/open_api/app/token/", True),
        ("open_api.token", "GET", "/api/open_api/app/token", False),
        ("open_api.token", "POST", "/api/open_api/app/decrypt", False),
        ("open_api.decrypt", "POST", "/api/open_api/app/decrypt", True),
        ("open_api.user_data", "GET", "/api/open_api/app/user-data", True),
        ("open_api.user_data", "POST", "/api/open_api/app/user-data", False),
        ("open_api.user_data", "GET", "/api/open_api//user-data", False),
        ("open_api.decrypt", "GET", "/elsewhere", False),
    ],
)
def test_a_path_is_good_for_its_own_operation_alone(
    operation: str, method: str, path: str, may: bool
) -> None:
    assert may_mean(Operation(operation), method, path) is may


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/exchange/main/api/v3/order", ("main", "/api/v3/order")),
        ("/exchange/main/", ("main", "/")),
        ("/exchange/main", ("main", "")),
        ("/exchange//api", ("", "/api")),
        ("/exchange/", ("", "")),
        ("/exchange", None),
        ("/api/exchange/main/sign", None),
        ("/EXCHANGE/main/api", None),
    ],
)
def test_where_a_request_is_forwarded_to(path: str, place: tuple[str, str] | None) -> None:
    assert forwarded_place(path) == place


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/exchange/main/sign", "main"),
        ("/api/exchange/main/sign/", "main"),
        ("/api/exchange/sign/sign", "sign"),
        ("/api/exchange/main/sign//", None),
        ("/api/exchange//sign", None),
        ("/api/exchange/sign", None),
        ("/api/exchange/a/b/sign", None),
        ("/api/exchange/main", None),
        ("/exchange/main/sign", None),
    ],
)
def test_whose_request_is_signed_only(path: str, name: str | None) -> None:
    assert sign_only_exchange(path) == name


def test_which_app_of_the_open_api_is_meant() -> None:
    assert open_api_at("POST", "/api/open_api/app/token") == ("open_api.token", "app")
    assert open_api_at("GET", "/api/open_api/app/user-data/") == ("open_api.user_data", "app")
    assert open_api_at("GET", "/api/open_api/app/token") is None
    assert open_api_at("POST", "/api/open_api/a/b/token") is None
