"""The index: few rules are asked, whatever their number, and never one too few."""

from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import Operation
from vaultsigner.domain.principals import Principal
from vaultsigner.policy import Rule
from vaultsigner.policy.facts import Question
from vaultsigner.policy.index import RuleIndex
from vaultsigner.policy.operations import OPERATIONS
from vaultsigner.policy.policy_set import FEW_RULES, MOST_KEPT, PolicySet
from vaultsigner.policy.rules import NamePatterns

ALL = NamePatterns(everything=True)
EVERY = frozenset(OPERATIONS)


def question(who: str, operation: str, target: str) -> Question:
    return Question(Principal("user", who), Intent(Operation(operation), target, ()), None)


def named(kind: str, *names: str) -> NamePatterns:
    return NamePatterns(names=frozenset(f"{kind}:{name}" for name in names))


def numbered(rules: list[Rule]) -> list[tuple[int, Rule]]:
    return list(enumerate(rules))


def test_of_ten_thousand_rules_only_those_for_the_name_are_asked() -> None:
    rules = [
        Rule(f"r{n}", "allow", named("user", f"u{n}"), named("wallet", f"w{n}"), EVERY) for n in range(9_997)
    ]
    rules += [
        Rule("all", "allow", ALL, ALL, frozenset({OPERATIONS[0]})),
        Rule("users", "allow", NamePatterns(kinds=frozenset({"user"})), named("wallet", "w77"), EVERY),
        Rule("other-operation", "allow", ALL, ALL, frozenset({OPERATIONS[1]})),
    ]
    index = RuleIndex(numbered(rules))
    assert list(index.candidates(question("u77", OPERATIONS[0], "wallet:w77"))) == [77, 9_997, 9_998]
    assert list(index.candidates(question("u77", OPERATIONS[0], "wallet:w78"))) == [9_997]
    assert list(index.candidates(question("u77", "order.approve", "wallet:other"))) == []


def test_a_rule_that_names_one_name_twice_over_is_asked_once() -> None:
    patterns = NamePatterns(
        kinds=frozenset({"user"}), names=frozenset({"user:a"}), members=frozenset({"user:a"})
    )
    index = RuleIndex(numbered([Rule("r", "allow", patterns, ALL, EVERY)]))
    assert list(index.candidates(question("a", OPERATIONS[0], "wallet:w"))) == [0]


def test_rules_with_very_many_names_are_found_for_each() -> None:
    """They stand in fewer places than they have names: a few megabytes of rules must not become gigabytes of index."""
    many = [f"n{number}" for number in range(3_000)]
    few = frozenset({OPERATIONS[0], OPERATIONS[1]})
    rules = [
        Rule("people", "allow", named("user", *many), named("wallet", "n1", "n2"), few),
        Rule("wallets", "allow", named("user", "n1", "n2"), named("wallet", *many), few),
        Rule("both", "allow", named("user", *many), named("wallet", *many), few),
    ]
    index = RuleIndex(numbered(rules))
    for who in ("n1", "n2"):
        assert list(index.candidates(question(who, OPERATIONS[1], "wallet:n2"))) == [0, 1, 2]
    assert 2 in index.candidates(question("n2999", OPERATIONS[1], "wallet:n2999"))
    assert 0 in index.candidates(question("n2999", OPERATIONS[1], "wallet:n1"))
    assert 1 in index.candidates(question("n1", OPERATIONS[1], "wallet:n2999"))
    assert (
        sum(len(targets) for by_principal in index._slots.values() for targets in by_principal.values())
        < 10_000
    )


def test_what_the_indexes_answered_is_kept_in_bounded_memory() -> None:
    few = PolicySet("sha256:0", (Rule("all", "allow", ALL, ALL, EVERY),))
    for number in range(MOST_KEPT + 10):
        assert few.deciding_rule(question(f"u{number}", OPERATIONS[0], "wallet:w")) is few.rules[0]
    assert 0 < len(few._looked_up) <= MOST_KEPT
    many = PolicySet("sha256:0", tuple(Rule(f"r{n}", "allow", ALL, ALL, EVERY) for n in range(FEW_RULES + 1)))
    for who in ("a", "b"):
        assert many.deciding_rule(question(who, OPERATIONS[0], "wallet:w")) is many.rules[0]
    assert not many._looked_up
