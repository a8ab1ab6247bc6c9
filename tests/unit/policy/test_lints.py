"""What is allowed in a policy file and hardly meant."""

from datetime import date
from functools import partial
from pathlib import Path

import pytest

from tests.unit.policy.written import policies_with
from tests.work import calls_of
from vaultsigner.policy import Rule
from vaultsigner.policy.lints import Lint, lints
from vaultsigner.policy.places import Place
from vaultsigner.policy.policy_set import PolicySet
from vaultsigner.policy.rules import NamePatterns

SENDS = "operations: [transfer.*], when: {to_address: {equals: bnb1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnpjwksh}"


def texts(directory: Path, *rules: str, head: str = "", today: date | None = None) -> list[str]:
    return [
        f"{found.rule}: {found.text}" for found in lints(policies_with(directory, *rules, head=head), today)
    ]


def test_a_finding_says_where(tmp_path: Path) -> None:
    policies = policies_with(tmp_path, "{id: out, effect: allow, operations: [transfer.sign]}")
    (found,) = lints(policies)
    assert found == Lint("out", Place(f"{tmp_path}/desk.yml", 4, 5), found.text)
    assert str(found).startswith(
        f"{tmp_path}/desk.yml:4:5: rule out: it allows transfer.sign of any amount to anywhere"
    )


@pytest.mark.parametrize(
    "when",
    [
        "amount: {max: '1', min: '2'}",
        "amount: {below: '1', min: '1'}",
        "amount: {max: '1', above: '1'}",
        "amount: {below: '1', above: '1'}",
        "amount: {equals: '3', max: '2'}",
        "amount: {min: '5', in: ['1', '4.99']}",
        "amount: {equals: '1', not_in: ['1.0']}",
        "symbol: {equals: A, in: [B, C]}",
        "symbol: {in: [A, B], not_in: [B, A, C]}",
    ],
)
def test_conditions_that_nothing_meets_are_told(tmp_path: Path, when: str) -> None:
    (found,) = texts(tmp_path, f"{{id: r, effect: allow, operations: [freeze.*], when: {{{when}}}}}")
    assert "it can never match: no " in found
    (found,) = texts(tmp_path, f"{{id: r, effect: deny, operations: [freeze.*], when: {{{when}}}}}")
    assert "it can never match a request that has " in found


@pytest.mark.parametrize(
    "when",
    [
        "amount: {max: '2', min: '2'}",
        "amount: {max: '2', above: '1'}",
        "amount: {min: '1', max: '2', in: ['1', '9']}",
        "amount: {equals: '1', not_in: ['2']}",
        "symbol: {in: [A, B], not_in: [B]}",
        "symbol: {not_in: [A, B]}",
        "symbol: {equals: A}, amount: {equals: '1'}",
        "ip: {in: [10.0.0.0/8], not_in: [10.66.0.0/16]}",
    ],
)
def test_conditions_that_something_meets_are_not_told(tmp_path: Path, when: str) -> None:
    assert not texts(tmp_path, f"{{id: r, effect: allow, operations: [freeze.*], when: {{{when}}}}}")


def test_an_expired_rule_is_told_from_the_day_after(tmp_path: Path) -> None:
    rule = "{id: r, effect: allow, operations: [vote.*], expires: 2026-11-20}"
    assert not texts(tmp_path, rule, today=date(2026, 11, 20))
    assert not texts(tmp_path, rule)
    (found,) = texts(tmp_path, rule, today=date(2026, 11, 21))
    assert "it expired with 2026-11-20" in found


def test_fields_that_a_message_never_has_are_told(tmp_path: Path) -> None:
    asks = "when: {notional: {max: '1'}}"
    (some,) = texts(tmp_path, f"{{id: r, effect: allow, operations: [order.*, cancel_order.sign], {asks}}}")
    assert some == (
        "r: it never matches cancel_order.sign: it asks for notional, and there is none in them; give them a rule of their own"
    )
    (every,) = texts(tmp_path, f"{{id: r, effect: allow, operations: [vote.*], {asks}}}")
    assert "it can never match: it asks for notional, and there is none in vote.sign, vote.broadcast" in every
    (denied,) = texts(tmp_path, f"{{id: r, effect: deny, operations: [order.*, vote.sign], {asks}}}")
    assert (
        "there is no notional in vote.sign, and a deny rule counts that as met: it denies all of them; name"
        in denied
    )
    (summed,) = texts(
        tmp_path, "{id: r, effect: allow, operations: [vote.*], limits: [{sum: amount, max: '1', every: 1h}]}"
    )
    assert "it can never match: it sums amount, and there is none in vote.sign, vote.broadcast" in summed
    assert not texts(tmp_path, f"{{id: r, effect: allow, operations: [exchange.query], {asks}}}")


SHADOWED = [
    ("{id: a, effect: allow}", "{id: b, effect: allow, operations: [order.*]}"),
    ("{id: a, effect: deny}", "{id: b, effect: deny, principals: [user:sam]}"),
    ("{id: a, effect: allow, principals: ['user:*']}", "{id: b, effect: allow, principals: [user:sam]}"),
    ("{id: a, effect: allow, principals: ['user:*']}", "{id: b, effect: allow, principals: ['user:*']}"),
    ("{id: a, effect: allow, principals: [group:g]}", "{id: b, effect: allow, principals: [user:ann]}"),
    ("{id: a, effect: allow, targets: [wallet:w, wallet:v]}", "{id: b, effect: allow, targets: [wallet:v]}"),
    ("{id: a, effect: allow, WHEN price: {max: '9'}}}", "{id: b, effect: allow, WHEN price: {max: '8'}}}"),
    ("{id: a, effect: allow, WHEN price: {max: '9'}}}", "{id: b, effect: allow, WHEN price: {below: '9'}}}"),
    ("{id: a, effect: allow, WHEN price: {min: '9'}}}", "{id: b, effect: allow, WHEN price: {above: '9'}}}"),
    (
        "{id: a, effect: allow, WHEN price: {min: '9'}}}",
        "{id: b, effect: allow, WHEN price: {in: ['9', '10']}}}",
    ),
    (
        "{id: a, effect: allow, WHEN symbol: {in: [A, B]}}}",
        "{id: b, effect: allow, WHEN symbol: {equals: A}}}",
    ),
    (
        "{id: a, effect: allow, WHEN symbol: {not_in: [A]}}}",
        "{id: b, effect: allow, WHEN symbol: {equals: B}}}",
    ),
    (
        "{id: a, effect: allow, WHEN symbol: {not_in: [A]}}}",
        "{id: b, effect: allow, WHEN symbol: {not_in: [A, B]}}}",
    ),
    (
        "{id: a, effect: allow, WHEN ip: {in: [10.0.0.0/8]}}}",
        "{id: b, effect: allow, WHEN ip: {in: [10.1.0.0/16]}}}",
    ),
    ("{id: a, effect: allow, expires: 2027-01-02}", "{id: b, effect: allow, expires: 2027-01-01}"),
    (
        "{id: b, effect: allow, approvals: {count: 1, of: [user:zoe, user:ann], within: 1h}}",
        "{id: a, effect: allow}",
    ),
    ("{id: a, effect: deny, operations: [order.*]}", "{id: b, effect: allow, operations: [order.sign]}"),
    ("{id: b, effect: allow, operations: [order.sign]}", "{id: a, effect: deny, operations: [order.*]}"),
]
APART = [
    ("{id: a, effect: allow, operations: [order.*]}", "{id: b, effect: allow}"),
    ("{id: a, effect: allow, principals: [user:sam]}", "{id: b, effect: allow, principals: ['user:*']}"),
    ("{id: a, effect: allow, principals: ['user:*']}", "{id: b, effect: allow}"),
    ("{id: a, effect: allow, principals: ['client:*']}", "{id: b, effect: allow, principals: [user:sam]}"),
    ("{id: a, effect: allow, targets: [wallet:w]}", "{id: b, effect: allow, targets: [wallet:v]}"),
    ("{id: a, effect: allow, WHEN price: {max: '9'}}}", "{id: b, effect: allow, WHEN price: {max: '10'}}}"),
    ("{id: a, effect: allow, WHEN price: {below: '9'}}}", "{id: b, effect: allow, WHEN price: {max: '9'}}}"),
    ("{id: a, effect: allow, WHEN price: {min: '9'}}}", "{id: b, effect: allow, WHEN price: {max: '9'}}}"),
    ("{id: a, effect: allow, WHEN price: {max: '9'}}}", "{id: b, effect: allow, WHEN quantity: {max: '9'}}}"),
    ("{id: a, effect: allow, WHEN price: {max: '9'}}}", "{id: b, effect: allow, operations: [order.*]}"),
    (
        "{id: a, effect: allow, WHEN symbol: {equals: A}}}",
        "{id: b, effect: allow, WHEN symbol: {in: [A, B]}}}",
    ),
    (
        "{id: a, effect: allow, WHEN symbol: {not_in: [A]}}}",
        "{id: b, effect: allow, WHEN symbol: {in: [A, B]}}}",
    ),
    (
        "{id: a, effect: allow, WHEN ip: {in: [10.0.0.0/8]}}}",
        "{id: b, effect: allow, WHEN ip: {in: ['fd00::/8']}}}",
    ),
    ("{id: a, effect: allow, expires: 2027-01-01}", "{id: b, effect: allow, operations: [order.*]}"),
    ("{id: a, effect: allow, operations: [order.*]}", "{id: b, effect: deny, operations: [order.sign]}"),
    (
        "{id: a, effect: allow, approvals: {count: 1, of: [user:zoe, user:ann], within: 1h}}",
        "{id: b, effect: allow, operations: [order.*]}",
    ),
    (
        "{id: a, effect: allow, operations: [freeze.*], limits: [{sum: amount, max: '1', every: 1h}]}",
        "{id: b, effect: allow, operations: [freeze.*]}",
    ),
]


def shadow_texts(directory: Path, rules: tuple[str, str]) -> list[str]:
    written = [rule.replace("WHEN", "operations: [order.*], when: {") for rule in rules]
    return [each for each in texts(directory, *written, head="groups: {g: [user:ann]}") if ": rule " in each]


@pytest.mark.parametrize("rules", SHADOWED)
def test_a_shadowed_rule_is_told_with_what_shadows_it(tmp_path: Path, rules: tuple[str, str]) -> None:
    (found,) = shadow_texts(tmp_path, rules)
    assert found.startswith("b: rule a ")


@pytest.mark.parametrize("rules", APART)
def test_a_rule_with_something_of_its_own_is_not_told(tmp_path: Path, rules: tuple[str, str]) -> None:
    assert not shadow_texts(tmp_path, rules)


@pytest.mark.parametrize(
    ("limits", "index", "first"),
    [
        ("{count: 60, every: 1m}, {count: 3600, every: 1h}", 1, 0),
        ("{count: 3600, every: 1h}, {count: 60, every: 1m}", 0, 1),
        ("{count: 5, every: 1h}, {count: 5, every: 1m}", 1, 0),
        ("{count: 5, every: 1m}, {count: 5, every: 1m}", 1, 0),
        ("{count: 5, every: 1m, per: rule}, {count: 5, every: 1m}", 1, 0),
        ("{count: 5, every: 1m}, {count: 5, every: 1m, per: rule}", 0, 1),
        ("{sum: amount, max: '10', every: 1h}, {sum: amount, max: '240', every: 24h}", 1, 0),
        ("{count: 10, every: 1h}, {sum: amount, max: '50', every: 1h}", 1, 0),
    ],
)
def test_a_limit_that_another_keeps_from_being_reached_is_told(
    tmp_path: Path, limits: str, index: int, first: int
) -> None:
    rule = f"{{id: r, effect: allow, operations: [freeze.*], when: {{amount: {{max: '5'}}}}, limits: [{limits}]}}"
    (found,) = texts(tmp_path, rule)
    assert f"nobody can reach limits[{index}], because limits[{first}] holds first" in found


@pytest.mark.parametrize(
    "limits",
    [
        "{count: 60, every: 1m}, {count: 3599, every: 1h}",
        "{count: 60, every: 40s}, {count: 119, every: 1m}",
        "{count: 5, every: 1m}, {count: 6, every: 1m, per: rule}",
        "{count: 5, every: 1m}, {count: 5, every: 1m, per: target}",
        "{sum: amount, max: '10', every: 1h}, {sum: amount, max: '239', every: 24h}",
        "{count: 10, every: 1h}, {sum: amount, max: '49.99', every: 1h}",
    ],
)
def test_limits_that_all_matter_are_not_told(tmp_path: Path, limits: str) -> None:
    rule = f"{{id: r, effect: allow, operations: [freeze.*], when: {{amount: {{max: '5'}}}}, limits: [{limits}]}}"
    assert not texts(tmp_path, rule)


def test_a_count_of_transfers_bounds_no_sum_because_one_transfer_pays_many(tmp_path: Path) -> None:
    limits = "[{count: 1, every: 1h}, {sum: amount, max: '50', every: 1h}]"
    assert not texts(tmp_path, f"{{id: r, effect: allow, {SENDS}, amount: {{max: '5'}}}}, limits: {limits}}}")


def test_a_limit_under_which_no_request_fits_is_told(tmp_path: Path) -> None:
    limits = "[{sum: amount, max: '99', every: 1h}]"
    (found,) = texts(
        tmp_path, f"{{id: r, effect: allow, {SENDS}, amount: {{above: '100'}}}}, limits: {limits}}}"
    )
    assert "no request fits under limits[0]: `when` asks for amount from 100 up, and the limit is 99" in found


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ("operations: [transfer.*]", True),
        ("operations: [exchange.withdraw]", True),
        ("operations: [exchange.transfer, order.sign]", True),
        ("", True),
        ("operations: [transfer.*], when: {symbol: {equals: BNB}}", True),
        ("operations: [transfer.*], limits: [{count: 1, every: 1h}]", True),
        ("operations: [transfer.*], when: {to_address: {in: [x]}}", False),
        ("operations: [transfer.*], when: {amount: {max: '5'}}", False),
        ("operations: [transfer.*], limits: [{sum: amount, max: '1', every: 1h}]", False),
        ("operations: [exchange.withdraw], when: {address: {in: [x]}}", False),
        ("operations: [order.*, exchange.order]", False),
    ],
)
def test_transfers_of_anything_to_anywhere_are_told(tmp_path: Path, members: str, told: bool) -> None:
    rule = f"{{id: r, effect: allow, {members}}}" if members else "{id: r, effect: allow}"
    found = [each for each in texts(tmp_path, rule) if "of any amount to anywhere" in each]
    assert bool(found) is told


def test_a_rule_that_denies_transfers_needs_no_destination(tmp_path: Path) -> None:
    assert not texts(tmp_path, "{id: r, effect: deny, operations: [transfer.*, exchange.withdraw]}")


def test_those_who_ask_and_approve_may_leave_too_few(tmp_path: Path) -> None:
    rule = "{id: r, effect: allow, operations: [vote.*], principals: [WHO], approvals: {count: 2, of: [OF], within: 1h}}"
    asked = rule.replace("WHO", "user:ann").replace("OF", "user:ann, user:bob")
    (found,) = texts(tmp_path, asked)
    assert "user:ann may ask and may approve" in found
    assert not texts(tmp_path, rule.replace("WHO", "user:ann").replace("OF", "user:ann, user:bob, user:cid"))
    assert not texts(tmp_path, rule.replace("WHO", "user:zoe").replace("OF", "user:ann, user:bob"))


def test_many_rules_cost_no_more_than_as_many_times_one() -> None:
    few, many = (calls_of(partial(lints, of_many_users(count))) for count in (400, 4000))
    assert many < 12 * few


def of_many_users(count: int) -> PolicySet:
    """A rule for each."""
    everything = NamePatterns(everything=True)
    rules = tuple(
        Rule(
            f"r{number}",
            "allow",
            NamePatterns(names=frozenset({f"user:u{number}"})),
            everything,
            frozenset({"vote.sign"}),  # type: ignore[arg-type]  # an operation, written as text
        )
        for number in range(count)
    )
    return PolicySet("sha256:0", rules)
