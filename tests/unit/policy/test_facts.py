"""What conditions see of a request."""

import pytest

from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import Operation
from vaultsigner.domain.principals import Principal
from vaultsigner.policy.facts import Facts, Question, Unmet


def memo_of(intent: Intent) -> str | Unmet:
    (facts,) = Question(Principal("user", "a"), intent, None).items
    return facts.text("memo")


def test_the_memo_of_a_request_is_a_field_of_each_item() -> None:
    """On a transfer to an exchange it says whose account is credited."""
    intent = Intent(Operation("transfer.sign"), "wallet:w", ({"amount": "1"},), memo="104233")
    assert memo_of(intent) == "104233"
    assert memo_of(Intent(Operation("transfer.sign"), "wallet:w", ({"amount": "1"},))) == ""
    assert memo_of(Intent(Operation("transfer.sign"), "wallet:w", ({"memo": "own"},), memo="other")) == "own"


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (False, "false"), (7, "7"), ("x", "x")])
def test_plain_values_are_compared_as_text(value: str | int, text: str) -> None:
    assert Facts({"reduce_only": value}).text("reduce_only") == text


def test_what_nobody_knows_is_told_as_unknown() -> None:
    for unmet in (
        Facts({}).text("symbol"),
        Facts({"symbol": []}).text("symbol"),
        Facts({"amount": "x"}).decimal("amount"),
    ):
        assert isinstance(unmet, Unmet)
        assert unmet.unknown
