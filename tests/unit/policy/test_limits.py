"""What a request would use of which window, and which windows are one."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.policy.written import policies_with
from vaultsigner.domain.decisions import Approvals, Decision, Limit
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import Operation
from vaultsigner.domain.principals import Principal
from vaultsigner.policy import PolicySet
from vaultsigner.policy.facts import Question

SAM = Principal("user", "sam")
LIMITS = "[{count: 60, every: 1m}, {sum: amount, max: '250000', every: 24h, per: target}, {count: 5, every: 7d, per: rule}]"


def decided(policies: PolicySet, *amounts: str, who: Principal = SAM, target: str = "wallet:w") -> Decision:
    intent = Intent(Operation("transfer.sign"), target, tuple({"amount": amount} for amount in amounts))
    return policies.evaluate(who, intent)


def test_counts_use_one_and_sums_add_all_items(tmp_path: Path) -> None:
    policies = policies_with(
        tmp_path, f"{{id: r, effect: allow, operations: [transfer.*], limits: {LIMITS}}}"
    )
    assert decided(policies, "1.5", "2e-8", "1000").limits == (
        Limit("r", 0, "count", None, Decimal(60), 60, "principal", "r/count/0/user:sam", Decimal(1)),
        Limit(
            "r",
            0,
            "sum",
            "amount",
            Decimal(250000),
            86400,
            "target",
            "r/sum:amount/0/wallet:w",
            Decimal("1001.50000002"),
        ),
        Limit("r", 0, "count", None, Decimal(5), 604800, "rule", "r/count/0/rule", Decimal(1)),
    )


def test_another_limit_written_before_it_begins_no_window_anew(tmp_path: Path) -> None:
    """Or whoever tightens a rule would empty what is used up of it."""
    day = "{sum: amount, max: '5', every: 24h, per: target}"
    rule = "{id: r, effect: allow, operations: [transfer.*], limits: [%s]}"
    (before,) = decided(policies_with(tmp_path, rule % day), "1").limits
    tightened = decided(policies_with(tmp_path, rule % f"{{count: 9, every: 1m}}, {day}"), "1").limits
    assert tightened[1].key == before.key
    alike = decided(
        policies_with(tmp_path, rule % f"{{sum: amount, max: '2', every: 1h, per: target}}, {day}"), "1"
    )
    assert len({limit.key for limit in alike.limits}) == 2


@pytest.mark.parametrize("symbol", ["bnb", "Bnb", "BNB"])
def test_small_letters_do_not_walk_around_a_rule_that_denies_a_symbol(tmp_path: Path, symbol: str) -> None:
    """The chain puts symbols into capitals itself, so bnb freezes BNB."""
    policies = policies_with(
        tmp_path,
        "{id: all, effect: allow}",
        "{id: not-this, effect: deny, operations: [freeze.*], when: {symbol: {equals: bnb}}}",
    )
    intent = Intent(Operation("freeze.sign"), "wallet:w", ({"symbol": symbol, "amount": "1"},))
    assert policies.evaluate(SAM, intent).rule == "not-this"


def test_windows_are_shared_exactly_as_per_says(tmp_path: Path) -> None:
    policies = policies_with(
        tmp_path, f"{{id: r, effect: allow, operations: [transfer.*], limits: {LIMITS}}}"
    )

    def keys(who: Principal, target: str) -> list[str]:
        return [limit.key for limit in decided(policies, "1", who=who, target=target).limits]

    first = keys(SAM, "wallet:w")
    client = keys(Principal("client", "sam"), "wallet:w")
    elsewhere = keys(SAM, "wallet:v")
    assert [one == other for one, other in zip(first, client, strict=True)] == [False, True, True]
    assert [one == other for one, other in zip(first, elsewhere, strict=True)] == [True, False, True]
    assert len(set(first)) == 3


def test_a_changed_maximum_goes_on_from_what_was_used_and_a_changed_kind_does_not(tmp_path: Path) -> None:
    keys = []
    for limit in (
        "{count: 60, every: 1m}",
        "{count: 6, every: 1h}",
        "{sum: amount, max: '6', every: 1m}",
        "{sum: price, max: '6', every: 1m}",
    ):
        rule = f"{{id: r, effect: allow, operations: [transfer.*], limits: [{limit}]}}"
        intent = Intent(Operation("transfer.sign"), "wallet:w", ({"amount": "1", "price": "1"},))
        (found,) = policies_with(tmp_path, rule).evaluate(SAM, intent).limits
        keys.append(found.key)
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_a_denied_request_uses_nothing(tmp_path: Path) -> None:
    policies = policies_with(
        tmp_path,
        f"{{id: r, effect: allow, operations: [transfer.*], limits: {LIMITS}}}",
        "{id: d, effect: deny, when: {amount: {above: '5'}}}",
    )
    assert decided(policies, "6").limits == ()
    assert decided(policies, "NaN").limits == ()
    assert len(decided(policies, "5").limits) == 3


def test_the_limits_of_the_named_rule_count_and_of_no_other(tmp_path: Path) -> None:
    policies = policies_with(
        tmp_path,
        "{id: first, effect: allow, limits: [{count: 1, every: 1m}]}",
        "{id: second, effect: allow, limits: [{count: 2, every: 1m}]}",
    )
    assert [limit.rule for limit in decided(policies, "1").limits] == ["first"]


def test_approvers_are_people_with_groups_written_out(tmp_path: Path) -> None:
    policies = policies_with(
        tmp_path,
        "{id: r, effect: allow, approvals: {count: 2, of: [group:risk, user:zoe, user:ann], within: 90m}}",
        head="groups: {risk: [user:bob, client:bot-1, user:ann]}",
    )
    found = decided(policies, "1")
    assert found.approvals == Approvals(2, ("user:ann", "user:bob", "user:zoe"), 5400)
    assert found.allowed


def test_a_limit_that_cannot_be_counted_is_never_left_out(tmp_path: Path) -> None:
    (rule,) = policies_with(tmp_path, f"{{id: r, effect: allow, limits: {LIMITS}}}").rules
    intent = Intent(Operation("transfer.sign"), "wallet:w", ({"amount": "1"}, {}))
    question = Question(SAM, intent, None)
    assert not rule.match(question).matched
    with pytest.raises(ValueError, match="no amount"):
        rule.applied_limits(question)
