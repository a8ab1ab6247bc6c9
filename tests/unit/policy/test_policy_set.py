"""Decisions: a table of cases, and what must hold for any rules at all."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultsigner.domain.decisions import Decision, Effect
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import Operation
from vaultsigner.domain.principals import Principal, PrincipalKind
from vaultsigner.policy import PolicySet, Rule, load
from vaultsigner.policy.rules import OPERATIONS, NamePatterns

DESK = """
version: 1
rules:
  - {id: trades, effect: allow, principals: [user:sam, client:bot-1], targets: [wallet:w1], operations: [order.*]}
  - {id: trades-too, effect: allow, principals: ["user:*"], targets: ["wallet:*"], operations: [order.sign]}
  - {id: no-orders-from-w2, effect: deny, targets: [wallet:w2], operations: [order.*, cancel_order.*]}
  - {id: clients-cancel, effect: allow, principals: ["client:*"], operations: [cancel_order.*]}
  - {id: eve-nothing, effect: deny, principals: [user:eve]}
  - {id: eve-nothing-at-all, effect: deny, principals: [user:eve]}
"""
CASES: list[tuple[str, str, str, Effect, str | None]] = [
    ("user:sam", "order.sign", "wallet:w1", "allow", "trades"),
    ("user:sam", "order.broadcast", "wallet:w1", "allow", "trades"),
    ("user:ann", "order.sign", "wallet:w1", "allow", "trades-too"),
    ("user:ann", "order.broadcast", "wallet:w1", "deny", None),
    ("user:sam", "order.sign", "wallet:w2", "deny", "no-orders-from-w2"),
    ("user:sam", "order.sign", "wallet:w3", "allow", "trades-too"),
    ("user:sam", "order.broadcast", "wallet:w3", "deny", None),
    ("client:sam", "order.sign", "wallet:w1", "deny", None),
    ("client:bot-1", "order.sign", "wallet:w1", "allow", "trades"),
    ("client:bot-1", "order.sign", "wallet:w11", "deny", None),
    ("client:bot-2", "cancel_order.sign", "wallet:w1", "allow", "clients-cancel"),
    ("client:bot-2", "cancel_order.broadcast", "wallet:w2", "deny", "no-orders-from-w2"),
    ("user:sam", "cancel_order.sign", "wallet:w1", "deny", None),
    ("user:eve", "order.sign", "wallet:w1", "deny", "eve-nothing"),
    ("user:eve", "vote.sign", "wallet:w1", "deny", "eve-nothing"),
    ("user:Eve", "vote.sign", "wallet:w1", "deny", None),
    ("user:sam", "transfer.sign", "wallet:w1", "deny", None),
    ("user:sam", "order.approve", "wallet:w1", "deny", None),
    ("user:eve", "order.approve", "wallet:w1", "deny", None),
    ("user:sam", "order.sign", "exchange:w1", "deny", None),
    ("user:*", "order.broadcast", "wallet:w1", "deny", None),
]


def decision(policies: PolicySet, who: str, operation: str, target: str) -> Decision:
    kind, _, name = who.partition(":")
    kinds: dict[str, PrincipalKind] = {"user": "user", "client": "client"}
    intent = Intent(Operation(operation), target, ({"symbol": "BNB"},))
    return policies.evaluate(Principal(kinds[kind], name), intent)


@pytest.mark.parametrize(("who", "operation", "target", "effect", "rule"), CASES)
def test_the_desk_policy_decides(  # noqa: PLR0917 - the columns of the table
    tmp_path: Path, who: str, operation: str, target: str, effect: Effect, rule: str | None
) -> None:
    (tmp_path / "desk.yml").write_text(DESK)
    policies = load(tmp_path)
    decided = decision(policies, who, operation, target)
    assert (decided.effect, decided.rule, decided.policy) == (effect, rule, policies.digest)
    words = {"allow": "allows", "deny": "denies"}[effect]
    assert decided.reason == ("no rule matches" if rule is None else f"rule {rule} {words}")


NAMES = ("a", "b")
PATTERNS = st.builds(
    lambda kind, everything, whole, names: NamePatterns(
        everything, frozenset([kind] if whole else []), frozenset(f"{kind}:{name}" for name in names)
    ),
    st.shared(st.just("user")),
    st.booleans(),
    st.booleans(),
    st.sets(st.sampled_from(NAMES)),
)
TARGETS = st.builds(
    lambda everything, names: NamePatterns(
        everything, frozenset(), frozenset(f"wallet:{name}" for name in names)
    ),
    st.booleans(),
    st.sets(st.sampled_from(NAMES)),
)
OPERATION = st.sampled_from(OPERATIONS[:3])
RULES = st.lists(
    st.builds(
        Rule,
        id=st.just(""),
        effect=st.sampled_from(["allow", "deny"]),
        principals=PATTERNS,
        targets=TARGETS,
        operations=st.frozensets(OPERATION, min_size=1),
    ),
    max_size=6,
).map(
    lambda rules: [
        Rule(f"r{i}", r.effect, r.principals, r.targets, r.operations) for i, r in enumerate(rules)
    ]
)
QUESTION = st.builds(
    lambda who, operation, wallet: (Principal("user", who), Intent(operation, f"wallet:{wallet}", ({},))),
    st.sampled_from(NAMES),
    OPERATION,
    st.sampled_from(NAMES),
)
Question = tuple[Principal, Intent]


def effect_of(rules: list[Rule], question: Question) -> Effect:
    return PolicySet("sha256:0", tuple(rules)).evaluate(*question).effect


def matching(rules: list[Rule], question: Question) -> list[Rule]:
    """By the words of the documentation, rule by rule, with no index."""
    principal, intent = question
    return [
        rule
        for rule in rules
        if intent.operation in rule.operations
        and (
            rule.principals.everything
            or str(principal) in rule.principals.names
            or "user" in rule.principals.kinds
        )
        and (rule.targets.everything or intent.target in rule.targets.names)
    ]


@given(RULES, QUESTION)
def test_deny_wins_and_nothing_matching_denies(rules: list[Rule], question: Question) -> None:
    decided = PolicySet("sha256:0", tuple(rules)).evaluate(*question)
    found = matching(rules, question)
    denying = [rule.id for rule in found if rule.effect == "deny"]
    allowing = [rule.id for rule in found if rule.effect == "allow"]
    assert decided.rule == next(iter([*denying, *allowing]), None)
    assert decided.allowed == (bool(allowing) and not denying)


@given(RULES, RULES, QUESTION)
def test_more_deny_rules_never_allow_more_and_more_allow_rules_never_deny_more(
    rules: list[Rule], more: list[Rule], question: Question
) -> None:
    before = effect_of(rules, question)
    if before == "deny":
        assert effect_of(rules + [rule for rule in more if rule.effect == "deny"], question) == "deny"
    else:
        assert effect_of(rules + [rule for rule in more if rule.effect == "allow"], question) == "allow"


@given(RULES.flatmap(lambda rules: st.tuples(st.just(rules), st.permutations(rules))), QUESTION)
def test_the_order_of_rules_does_not_change_the_effect(
    orders: tuple[list[Rule], list[Rule]], question: Question
) -> None:
    assert effect_of(orders[0], question) == effect_of(orders[1], question)


@given(QUESTION)
def test_no_rules_deny_everything(question: Question) -> None:
    assert effect_of([], question) == "deny"
