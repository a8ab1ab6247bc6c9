"""The delivered files: the default, the strict example, and the schema that editors read beside them."""

import json
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # publishes no types

from tests.unit.marked_text import unmarked
from tests.unit.policy.test_mistakes import WRONG
from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import Operation
from vaultsigner.domain.principals import Principal, PrincipalKind
from vaultsigner.policy import load
from vaultsigner.policy.lints import lints
from vaultsigner.policy.operations import NAMED_ONLY, OPERATIONS
from vaultsigner.policy.schema import json_schema

POLICIES = Path(__file__).parents[3] / "policies"
TREASURY, COLD = "bnb1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnpjwksh", "0x" + "1" * 40
FRIDAY = datetime(2026, 11, 20, 9, tzinfo=UTC)


def strictly(who: str, operation: str, target: str, ip: str = "10.1.2.3", **fields: str) -> Decision:
    kinds: dict[str, PrincipalKind] = {"user": "user", "client": "client"}
    kind, _, name = who.partition(":")
    intent = Intent(Operation(operation), target, (fields,))
    circumstances = Circumstances(ip_address(ip), FRIDAY)
    return load(POLICIES / "examples").evaluate(Principal(kinds[kind], name), intent, circumstances)


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each not in NAMED_ONLY])
def test_the_default_allows_what_permissions_allow_under_limits(operation: str) -> None:
    """Without circumstances, too: nothing in it asks for them."""
    intent = Intent(Operation(operation), "wallet:any", ({"symbol": "BNB", "amount": "1"},))
    decided = load(POLICIES).evaluate(Principal("client", "any"), intent)
    assert decided.allowed
    assert decided.limits
    assert decided.approvals is None


def test_the_default_names_listen_keys_by_a_rule_that_can_be_deleted() -> None:
    decided = load(POLICIES).evaluate(
        Principal("client", "any"), Intent(Operation("exchange.user_stream"), "exchange:any", ({},))
    )
    assert (decided.allowed, decided.rule) == (True, "user-streams")


@pytest.mark.parametrize("operation", sorted(NAMED_ONLY - {"exchange.user_stream"}))
def test_the_default_allows_nothing_else_that_must_be_named(operation: str) -> None:
    intent = Intent(Operation(operation), "exchange:any", ({},))
    assert not load(POLICIES).evaluate(Principal("client", "any"), intent).allowed


def test_the_delivered_files_have_no_finding_but_that_transfers_may_go_anywhere_by_default() -> None:
    assert [each.rule for each in lints(load(POLICIES))] == ["transfers-within-permissions"]
    assert not lints(load(POLICIES / "examples"))


def test_the_strict_example_allows_what_it_names() -> None:
    order = {"symbol": "BTCUSDT", "price": "97000", "quantity": "0.1"}
    assert strictly("user:sam", "order.sign", "wallet:wallet_1", **order).rule == "desk-trades"
    assert strictly("user:ann", "order.sign", "wallet:wallet_1", **order).rule is None
    outside = strictly("user:sam", "order.sign", "wallet:wallet_1", ip="203.0.113.9", **order)
    assert outside.rule == "only-from-the-office"
    small = {"symbol": "BNB", "amount": "10", "to_address": TREASURY}
    assert strictly("user:sam", "transfer.broadcast", "wallet:wallet_1", **small).rule == "small-transfers"
    large = strictly(
        "user:sam", "transfer.broadcast", "wallet:wallet_1", **{**small, "amount": "10.00000001"}
    )
    assert large.rule == "large-transfers"
    assert large.approvals is not None
    assert large.approvals.count == 2
    withdrawal = {"coin": "BNB", "network": "BSC", "amount": "5", "address": COLD}
    assert (
        strictly("user:sam", "exchange.withdraw", "exchange:binance-main", **withdrawal).rule == "withdrawals"
    )
    elsewhere = strictly(
        "user:sam", "exchange.withdraw", "exchange:binance-main", **{**withdrawal, "address": "0xe"}
    )
    assert elsewhere.rule == "withdrawals-to-the-cold-wallet-alone"
    assert strictly("client:bot-1", "exchange.withdraw", "exchange:binance-main", **withdrawal).rule is None


@pytest.mark.parametrize(
    ("file", "schema"), [("default.yml", "schema.json"), ("examples/strict.yml", "../schema.json")]
)
def test_the_first_line_leads_editors_to_the_schema(file: str, schema: str) -> None:
    first = (POLICIES / file).read_text().splitlines()[0]
    assert first == f"# yaml-language-server: $schema={schema}"
    assert ((POLICIES / file).parent / schema).resolve() == POLICIES / "schema.json"


def test_the_delivered_schema_is_that_of_the_models() -> None:
    assert json.loads((POLICIES / "schema.json").read_text()) == json_schema()


class EditorLoader(yaml.SafeLoader):
    """YAML 1.2 as editors read it: a date is text."""


EditorLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def marks(text: str) -> list[str]:
    """What an editor marks."""
    tree: Any = yaml.load(text, EditorLoader)  # noqa: S506 - a safe loader with fewer types
    return [error.message for error in Draft202012Validator(json_schema()).iter_errors(tree)]


def test_the_schema_is_one_and_marks_nothing_that_is_right() -> None:
    Draft202012Validator.check_schema(json_schema())
    assert not marks((POLICIES / "default.yml").read_text())
    assert not marks((POLICIES / "examples" / "strict.yml").read_text())
    cases: Any = yaml.safe_load(Path(__file__).with_name("decision_cases.yml").read_text("utf-8"))
    for block in cases["blocks"].values():
        assert not marks(block["policy"])


def test_the_schema_marks_most_mistakes() -> None:
    """All that concern the shape; names, networks, zones and what needs other files are for the service to tell."""
    found = [bool(marks(unmarked(marked)[0])) for marked, *_ in WRONG]
    assert sum(found) >= 0.6 * len(found)
