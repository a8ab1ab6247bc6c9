"""Documents of explanations: what config.yml says to a request before policy is asked."""

from dataclasses import replace

import pytest

from tests.unit.cli.sample import sample_settings, sample_wallet
from vaultsigner.config.settings import User
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import ExchangeName, Operation, UserName, WalletName
from vaultsigner.domain.permissions import Permission
from vaultsigner.policy.documents import permission_document

TRADE = frozenset({Permission("trade")})
WALLET = replace(sample_wallet("w", "one"), permissions=TRADE)
SAM = User(
    UserName("sam"), "", {WalletName("w"): TRADE}, exchanges=(ExchangeName("main"),), open_api=("mini-app",)
)


@pytest.mark.parametrize(
    ("operation", "target", "needed", "there"),
    [
        ("order.sign", "wallet:w", "trade", True),
        ("transfer.sign", "wallet:w", "transfer", False),
        ("exchange.order", "exchange:main", "exchanges", True),
        ("exchange.withdraw", "exchange:other", "exchanges", False),
        ("open_api.token", "open_api:mini-app", "open_api", True),
        ("open_api.token", "open_api:main", "open_api", False),
    ],
)
def test_the_fence_tells_what_is_needed_and_whether_it_is_there(
    operation: str, target: str, needed: str, there: bool
) -> None:
    told = permission_document(sample_settings(WALLET), Intent(Operation(operation), target, ({},)), SAM)
    assert told is not None
    assert (told["needed"], told["there"]) == (needed, there)
    assert told["why"]


@pytest.mark.parametrize(
    ("operation", "target"), [("order.sign", "wallet:x"), ("exchange.order", "wallet:w")]
)
def test_of_what_it_does_not_know_it_says_nothing(operation: str, target: str) -> None:
    intent = Intent(Operation(operation), target, ({},))
    assert permission_document(sample_settings(WALLET), intent, SAM) is None
