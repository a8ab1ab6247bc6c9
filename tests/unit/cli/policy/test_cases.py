"""Files of cases: strict, every complaint with its place, and a case is compared in what it names."""

from pathlib import Path

import pytest

from tests.unit.marked_text import unmarked
from vaultsigner.cli.policy.cases import load_cases
from vaultsigner.cli.policy.testing import run_cases
from vaultsigner.config import ConfigProblems, Problem
from vaultsigner.policy import load

RULES = """\
version: 1
rules:
  - {id: small, effect: allow, operations: [transfer.*], when: {amount: {max: "10"}}}
  - {id: large, effect: allow, operations: [transfer.*], approvals: {count: 1, of: [user:ann], within: 1h}}
  - {id: office, effect: deny, when: {ip: {not_in: [10.0.0.0/8]}}}
"""
HEAD = "version: 1\ncases:\n"
IDS = frozenset({"small", "large", "office"})
CASE = (
    "name: a, principal: user:sam, operation: transfer.sign, target: wallet:hot, "
    'items: [{amount: "5"}], ip: 10.0.0.7, at: 2026-11-20T10:00:00Z'
)


def write(directory: Path, text: str, name: str = "a.yml") -> Path:
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(text)
    return directory


def problems_in(directory: Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigProblems) as caught:
        load_cases(directory, IDS)
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("«[]", "this is no file of cases"),
        ("«{version: 1}", '"cases" is missing'),
        ("version: «2\ncases: []", "write version: 1"),
        ("version: 1\ncases: «[]", "write at least one entry"),
        (HEAD + "  - {" + CASE + ", expect: deny, «mem: a}", "did you mean memo?"),
        (HEAD + "  - «{" + CASE + "}", '"expect" is missing'),
        (HEAD + "  - {" + CASE + ", expect: «maybe}", "the effect is allow or deny"),
        (HEAD + "  - {" + CASE + ", expect: {effect: «alow}}", "did you mean allow?"),
        (HEAD + "  - {" + CASE + ", expect: {effect: allow, rule: «smal}}", "did you mean small?"),
        (HEAD + "  - {" + CASE + ", expect: {effect: allow, approvals: «-1}}", "at least 0"),
        (HEAD + "  - {" + CASE.replace("user:sam", "«usr:sam") + ", expect: deny}", "write user:sam"),
        (HEAD + "  - {" + CASE.replace("transfer.sign", "«transfer.sing") + ", expect: deny}", "transfer.sign"),
        (HEAD + "  - {" + CASE.replace("wallet:hot", "«hot") + ", expect: deny}", "write wallet:hot"),
        (HEAD + "  - {" + CASE.replace("amount", "«amuont") + ", expect: deny}", "did you mean amount?"),
        (HEAD + "  - {" + CASE.replace('"5"', "«5.0") + ", expect: deny}", "quotes"),
        (HEAD + "  - {" + CASE.replace('"5"', '«["5"]') + ", expect: deny}", "decimals are text, too"),
        (HEAD + "  - {" + CASE.replace('[{amount: "5"}]', "«[]") + ", expect: deny}", "at least one entry"),
        (HEAD + "  - {" + CASE.replace("10.0.0.7", "«10.0.0.777") + ", expect: deny}", "no IP address"),
        (HEAD + "  - {" + CASE.replace("2026-11-20T10:00:00Z", "«2026-11-20T10:00") + ", expect: deny}", "with its zone"),
        (HEAD + "  - «{" + CASE.replace(", ip: 10.0.0.7", "") + ", expect: deny}", "write both ip and at"),
        (f"{HEAD}  - {{{CASE}, expect: deny}}\n  - {{{CASE.replace('a,', '«a,')}, expect: deny}}", "has this name"),
        (HEAD + "  - {" + CASE + ", expect: deny, «name: b}", "is there twice"),
    ],
)  # fmt: skip
def test_complaints_have_their_place(tmp_path: Path, text: str, said: str) -> None:
    text, line, column = unmarked(text)
    found = problems_in(write(tmp_path, text))
    assert [(found[0].line, found[0].column)] == [(line, column)], found
    assert said in str(found[0])


def test_all_problems_of_all_files_are_told(tmp_path: Path) -> None:
    write(tmp_path, "version: 2", "a.yml")
    write(tmp_path, "[]", "b.yml")
    assert {Path(problem.file).name for problem in problems_in(tmp_path)} == {"a.yml", "b.yml"}


@pytest.mark.parametrize("name", ["a.yaml", "a.YML"])
def test_a_file_that_would_not_be_run_is_told(tmp_path: Path, name: str) -> None:
    write(tmp_path, "version: 1", name)
    assert "only files ending in .yml are read" in str(problems_in(tmp_path)[0])


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_no_cases_are_not_cases_that_pass(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    assert "policy test --help" in str(problems_in(tmp_path / name)[0])


@pytest.mark.parametrize(
    ("case", "passed"),
    [
        ("expect: allow", True),
        ("expect: deny", False),
        ("expect: {effect: allow, rule: small}", True),
        ("expect: {effect: allow, rule: large}", False),
        ("expect: {effect: allow, rule: null}", False),
        ("expect: {effect: allow, approvals: 0}", True),
        ("expect: {effect: allow, approvals: 1}", False),
    ],
)
def test_what_a_case_names_is_compared(tmp_path: Path, case: str, passed: bool) -> None:
    policies = load(write(tmp_path / "rules", RULES))
    cases, files = load_cases(write(tmp_path / "cases", f"{HEAD}  - {{{CASE}, {case}}}"), IDS)
    (result,) = run_cases(policies, cases)
    assert files == 1
    assert result.passed is passed


def test_a_failure_is_a_diff_with_what_the_expected_rule_says(tmp_path: Path) -> None:
    policies = load(write(tmp_path / "rules", RULES))
    text = f"{HEAD}  - {{{CASE.replace('5', '50')}, expect: {{effect: allow, rule: small, approvals: 0}}}}"
    cases, _ = load_cases(write(tmp_path / "cases", text), IDS)
    (result,) = run_cases(policies, cases)
    assert list(result.difference()) == [
        (" ", "effect: allow"),
        ("-", "rule: small"),
        ("+", "rule: large"),
        ("-", "approvals: 0"),
        ("+", "approvals: 1"),
        ("?", "rule small: amount is 50, not at most 10"),
    ]


def test_defaults_are_for_cases_that_do_not_say(tmp_path: Path) -> None:
    plain = CASE.partition(", ip")[0]
    text = (
        "version: 1\ndefaults: {ip: 10.0.0.7, at: 2026-11-20T10:00:00Z}\ncases:\n"
        f"  - {{{plain}, expect: allow}}\n"
        f"  - {{{plain.replace('a,', 'b,')}, ip: 192.0.2.1, expect: {{effect: deny, rule: office}}}}\n"
    )
    cases, _ = load_cases(write(tmp_path / "cases", text), IDS)
    assert [result.passed for result in run_cases(load(write(tmp_path / "rules", RULES)), cases)] == [
        True,
        True,
    ]


def test_without_address_and_time_rules_that_need_them_are_asked_in_vain(tmp_path: Path) -> None:
    text = f"{HEAD}  - {{{CASE.partition(', ip')[0]}, expect: {{effect: deny, rule: office}}}}"
    cases, _ = load_cases(write(tmp_path / "cases", text), IDS)
    (result,) = run_cases(load(write(tmp_path / "rules", RULES)), cases)
    assert result.passed


@pytest.mark.parametrize("directory", ["policies", "policies/examples"])
def test_the_delivered_cases_are_decided_as_they_say(directory: str) -> None:
    rules = Path(__file__).parents[4] / directory
    policies = load(rules)
    cases, _ = load_cases(rules / "tests", frozenset(rule.id for rule in policies.rules))
    assert [result.case.name for result in run_cases(policies, cases) if not result.passed] == []
