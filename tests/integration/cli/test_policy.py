"""`vaultsigner policy` as people run it: in a pipe and on a terminal, without Vault, without a service."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cli.program import Outcome, Program
from tests.unit.cli.policy_records import MOMENT, decided, transfer, write_records

RULES = """\
version: 1
rules:
  - id: small
    effect: allow
    operations: [transfer.*]
    when: {amount: {max: "10"}, to_address: {equals: tbnb1yg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zz3yvm8}}
    limits: [{sum: amount, max: "50", every: 24h}]
  - id: large
    effect: allow
    principals: [user:sam]
    operations: [transfer.*]
    when: {amount: {above: "10", max: "100"}, to_address: {equals: tbnb1yg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zz3yvm8}}
    approvals: {count: 2, of: [user:ann, user:bob], within: 1h}
"""
CASES = """\
version: 1
cases:
  - {name: a little, principal: user:sam, operation: transfer.sign, target: wallet:hot,
     items: [{amount: "5", to_address: tbnb1yg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zz3yvm8}], expect: allow}
"""
ROOT = Path(__file__).parents[3]
ASKED = ("--as", "user:sam", "--operation", "transfer.sign", "--target", "wallet:hot")


@pytest.fixture
def desk(tmp_path: Path) -> Program:
    """A working directory with rules, cases and records, and no configuration."""
    (tmp_path / "policies" / "tests").mkdir(parents=True)
    (tmp_path / "policies" / "desk.yml").write_text(RULES)
    (tmp_path / "policies" / "tests" / "desk.yml").write_text(CASES)
    write_records(
        tmp_path / "audit", decided(transfer("5")), decided(transfer("500")), decided(transfer("50"))
    )
    return Program(tmp_path)


def document(outcome: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(outcome.out)
    return found


def test_rules_in_order_are_status_0(desk: Program) -> None:
    done = desk.run("policy", "check")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("policies: 2 rules, 0 errors, 0 warnings; policies sha256:")


def test_a_mistake_is_status_1_at_its_place(desk: Program) -> None:
    (desk.home / "policies" / "desk.yml").write_text(RULES.replace("max:", "maxx:", 1))
    done = desk.run("policy", "check")
    assert done.status == 1
    assert "policies/desk.yml:6:21: error: rules[0].when.amount.maxx" in done.out
    assert "did you mean max?" in done.out
    (finding,) = document(desk.run("policy", "check", "--json"))["findings"]
    assert (finding["level"], finding["line"], finding["column"]) == ("error", 6, 21)


def test_warnings_are_status_1_only_where_asked_for(desk: Program) -> None:
    (desk.home / "policies" / "free.yml").write_text(
        "version: 1\nrules: [{id: free, effect: allow, operations: [transfer.*]}]\n"
    )
    assert desk.run("policy", "check").status == 0
    done = desk.run("policy", "check", "--strict")
    assert done.status == 1
    assert "policies/free.yml:2:47: warning: rule free: it allows transfer.sign" in done.out


def test_rules_are_checked_where_the_configuration_is_broken(desk: Program) -> None:
    (desk.home / "config").mkdir()
    (desk.home / "config" / "config.yml").write_text("walets: []\n")
    done = desk.run("policy", "check", "policies")
    assert done.status == 0
    assert "names are not checked" in done.err


def test_the_directory_of_the_configuration_counts(desk: Program) -> None:
    (desk.home / "policies").rename(desk.home / "rules")
    (desk.home / "config").mkdir()
    (desk.home / "config" / "config.yml").write_text("policies: rules\naudit: {directory: audit}\n")
    done = desk.run("policy", "check")
    assert done.out.splitlines()[-1].startswith("rules: 2 rules"), done.out + done.err


def test_explain_tells_each_rule_and_the_decision(desk: Program) -> None:
    done = desk.run(
        "policy",
        "explain",
        *ASKED,
        "--item",
        '{"amount": "20", "to_address": "tbnb1yg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zz3yvm8"}',
    )
    assert (done.status, done.err) == (0, "")
    assert "amount is 20, not at most 10" in done.out
    assert "Decision: allow, by rule large" in done.out
    assert "2 approvals within 1h, of user:ann, user:bob" in done.out
    assert "from 127.0.0.1 (assumed: say --ip)" in done.out


def test_explain_for_programs(desk: Program) -> None:
    item = '{"amount": "5", "to_address": "tbnb1yg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zz3yvm8"}'
    done = desk.run(
        "policy", "explain", *ASKED, "--item", item, "--item", item, "--at", "2026-11-20T10:00Z", "--json"
    )
    told = document(done)
    assert [(each["rule"], each["matched"]) for each in told["rules"]] == [("small", True), ("large", False)]
    assert told["decision"]["limits"][0]["use"] == "10"
    assert (told["at"], told["ip"], told["permission"]) == ("2026-11-20T10:00:00Z", "127.0.0.1", None)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--item", '{"amont": "5"}'), "did you mean amount?"),
        (("--item", '{"amount": 5.5}'), "decimals are text"),
        (("--ip", "here"), "10.0.0.7"),
        (("--at", "noon"), "2026-11-20T10:00:00Z"),
        (("--operation", "transfer.sing"), "did you mean transfer.sign?"),
        (("--target", "hot"), "write wallet:hot"),
    ],
)
def test_a_question_that_makes_no_sense_is_status_2(desk: Program, wrong: tuple[str, str], said: str) -> None:
    done = desk.run("policy", "explain", *ASKED, *wrong)
    assert done.status == 2
    assert said in done.err


def test_what_somebody_else_wrote_cannot_move_the_cursor(desk: Program) -> None:
    done = desk.run(
        "policy", "explain", *ASKED, "--item", '{"to_address": "\\u001b[2Jtbnb1"}', "--memo", "\x1b]0;x\x07"
    )
    assert done.status == 0
    assert "\x1b" not in done.out


def test_cases_as_expected_are_status_0(desk: Program) -> None:
    done = desk.run("policy", "test")
    assert (done.status, done.out, done.err) == (0, "1 of 1 case as expected, in 1 file\n", "")


def test_a_case_that_is_decided_otherwise_is_a_diff_and_status_1(desk: Program) -> None:
    cases = desk.home / "policies" / "tests" / "desk.yml"
    cases.write_text(CASES.replace("expect: allow", "expect: {effect: allow, rule: large, approvals: 2}"))
    done = desk.run("policy", "test")
    assert done.status == 1
    assert done.out.splitlines() == [
        "policies/tests/desk.yml:3: a little",
        "    effect: allow",
        "  - rule: large",
        "  + rule: small",
        "  - approvals: 2",
        "  + approvals: 0",
        "  ? rule large: amount is 5, not above 10",
        "",
        "0 of 1 case as expected, in 1 file",
    ]
    told = document(desk.run("policy", "test", "--json"))
    assert (told["failed"], told["results"][0]["passed"]) == (1, False)


def test_a_mistake_in_a_case_is_status_1_at_its_place(desk: Program) -> None:
    cases = desk.home / "policies" / "tests" / "desk.yml"
    cases.write_text(CASES.replace("name: a little", "nam: a little"))
    done = desk.run("policy", "test")
    assert done.status == 1
    assert "policies/tests/desk.yml:3:6: cases[0].nam" in done.err
    assert "did you mean name?" in done.err


def test_cases_of_today_against_the_rules_of_tomorrow(desk: Program) -> None:
    (desk.home / "new").mkdir()
    (desk.home / "new" / "desk.yml").write_text(RULES.replace('max: "10"}', 'max: "4"}'))
    done = desk.run("policy", "test", "new", "--cases", "policies/tests")
    assert done.status == 1
    assert "+ effect: deny" in done.out


def test_replay_tells_which_decisions_change(desk: Program) -> None:
    done = desk.run("policy", "replay", "--records", "audit", "--policies", "policies")
    assert (done.status, done.err) == (0, "")
    assert "3 requests" in done.out
    assert "2 would be decided otherwise" in done.out
    assert "rule small: amount is 500, not at most 10" in done.out
    assert "allow after approvals (large)" in done.out
    assert "not replayed" in done.out


def test_replay_for_programs(desk: Program) -> None:
    told = document(desk.run("policy", "replay", "--json"))
    assert (told["intents"], told["changed"], told["same_effect_other_rule"]) == (3, 2, 1)
    assert [change["would_be"]["verdict"] for change in told["changes"]] == ["deny", "allow after approvals"]
    assert told["changes"][0]["examples"][0]["seq"] == 2


def test_replay_since(desk: Program) -> None:
    write_records(desk.home / "audit", decided(transfer("500")), at=MOMENT + timedelta(days=1))
    told = document(desk.run("policy", "replay", "--since", "2026-11-21", "--json"))
    assert (told["intents"], told["since"]) == (1, "2026-11-21T00:00:00Z")
    assert desk.run("policy", "replay", "--since", "yesterday").status == 2


def test_lines_that_are_no_records_are_status_1_and_the_rest_is_told(desk: Program) -> None:
    (path,) = (desk.home / "audit").rglob("*.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"ip":"10.0.0.7"', b'"ip":"\\u001b[2J"', 1))
    done = desk.run("policy", "replay")
    assert done.status == 1
    assert "2 requests" in done.out
    assert f"1 line is no record and was left out: {path.relative_to(desk.home)}:1" in done.out


def test_no_records_are_no_answer(desk: Program) -> None:
    done = desk.run("policy", "replay", "--records", "nowhere")
    assert done.status == 1
    assert "nowhere" in done.err


def test_a_bar_shows_on_a_terminal(desk: Program) -> None:
    done = desk.converse("policy", "replay", dialogue=[])
    assert done.status == 0
    assert "Reading the record" in done.out
    assert "would be decided otherwise" in done.out


def test_the_delivered_schema_is_what_the_program_prints() -> None:
    done = Program(ROOT).run("policy", "schema")
    assert done.status == 0
    assert done.out == (ROOT / "policies" / "schema.json").read_text()


def test_the_delivered_rules_are_right_under_the_delivered_configuration() -> None:
    done = Program(ROOT).run("policy", "check", "policies", "--json")
    assert (done.status, done.err) == (0, "")
    (finding,) = document(done)["findings"]
    assert (
        "rule transfers-within-permissions: it allows transfer.sign, transfer.broadcast" in finding["message"]
    )


def test_the_example_is_right_but_for_the_names_that_everybody_writes_themselves() -> None:
    done = Program(ROOT).run("policy", "check", "policies/examples", "--json")
    assert (done.status, done.err) == (0, "")
    found = document(done)
    assert found["names_checked"]
    assert found["findings"]
    assert [each for each in found["findings"] if " is called " not in each["message"]] == []
    assert Program(ROOT / "policies").run("policy", "check", "examples", "--strict").status == 0


@pytest.mark.parametrize("directory", ["policies", "policies/examples"])
def test_the_delivered_cases_are_as_expected(directory: str) -> None:
    done = Program(ROOT).run("policy", "test", directory, "--json")
    assert (done.status, done.err) == (0, "")
    told = document(done)
    assert told["cases"] > 0
    assert told["failed"] == 0
