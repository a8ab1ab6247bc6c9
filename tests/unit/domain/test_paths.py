"""One table says which path asks for which signature."""

import pytest

from vaultsigner.domain.names import Operation
from vaultsigner.domain.paths import PATHS_OF_MESSAGES, VERBS, asked_at, may_mean
from vaultsigner.domain.permissions import PERMISSION_FOR_MESSAGE
from vaultsigner.server.routes import ROUTES


def test_every_message_that_can_be_signed_has_its_paths() -> None:
    assert PATHS_OF_MESSAGES.keys() == PERMISSION_FOR_MESSAGE.keys()


def test_what_is_served_is_what_the_table_says() -> None:
    """In every spelling of a path that the server takes; a route that signs and is not in the table would show."""
    for route in ROUTES:
        signs = route.operation.partition(".")[2] in VERBS
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
    ],
)
def test_a_path_is_good_for_its_own_operation_alone(
    operation: str, method: str, path: str, may: bool
) -> None:
    assert may_mean(Operation(operation), method, path) is may
