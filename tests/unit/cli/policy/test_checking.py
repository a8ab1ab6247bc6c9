"""`policy check`: every finding with its level and place; a wall with a hole in it is an error."""

from datetime import date
from pathlib import Path

from tests.unit.config.loading import HASH, Loading
from vaultsigner.cli.policy.checking import check_directory

TODAY = date(2026, 11, 21)
CONFIG = f"users: [{{username: sam, password_hash: '{HASH}', wallet_permissions: []}}]"


def write(directory: Path, *rules: str, more: str = "") -> Path:
    directory.mkdir(exist_ok=True)
    (directory / "a.yml").write_text(
        f"version: 1\n{more}rules:\n" + "".join(f"  - {rule}\n" for rule in rules)
    )
    return directory


def test_errors_have_file_line_and_column_and_the_nearest_word(tmp_path: Path) -> None:
    report = check_directory(write(tmp_path, "{id: r, efect: allow}", "{id: s, effect: alow}"), None, TODAY)
    assert report.policies is None
    told = [str(finding).removeprefix(f"{tmp_path}/") for finding in report.findings]
    assert 'a.yml:3:13: error: rules[0].efect: "efect" is not known here; did you mean effect?' in told
    assert "a.yml:4:21: error: rules[1].effect: the effect is allow or deny; did you mean allow?" in told
    assert report.count("error") == len(told)


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    report = check_directory(tmp_path / "nowhere", None, TODAY)
    assert report.count("error") == 1
    assert report.document()["policy"] is None


def test_what_is_hardly_meant_is_a_warning_at_its_rule(tmp_path: Path) -> None:
    report = check_directory(
        write(tmp_path, "{id: gone, effect: allow, operations: [vote.*], expires: 2026-11-20}"), None, TODAY
    )
    (finding,) = report.findings
    assert str(finding).startswith(
        f"{tmp_path}/a.yml:3:62: warning: rule gone: it expired with 2026-11-20 and never matches again"
    )
    assert report.policies is not None


def test_a_rule_that_denies_somebody_who_does_not_exist_is_an_error(tmp_path: Path) -> None:
    settings = Loading(tmp_path).settings(CONFIG)
    rules = (
        "{id: a, effect: allow, principals: [user:sma], operations: [vote.*]}",
        "{id: d, effect: deny, principals: [user:samm]}",
    )
    report = check_directory(write(tmp_path / "policies", *rules), settings, TODAY)
    told = [(finding.level, finding.line, finding.column) for finding in report.findings]
    assert told == [("warning", 3, 41), ("error", 4, 40)]
    assert "did you mean sam?" in report.findings[1].message
    assert check_directory(tmp_path / "policies", None, TODAY).findings == ()


def test_a_member_of_a_group_is_told_where_the_group_stands(tmp_path: Path) -> None:
    settings = Loading(tmp_path).settings(CONFIG)
    rule = "{id: a, effect: allow, principals: [group:desk], operations: [vote.*]}"
    directory = write(tmp_path / "policies", rule, more="groups: {desk: [user:sma]}\n")
    (finding,) = check_directory(directory, settings, TODAY).findings
    assert (finding.file, finding.line, finding.column) == (str(directory / "a.yml"), 2, 17)
    assert finding.message.startswith("group desk: no user is called sma")


def test_a_colon_in_the_path_does_not_move_the_place(tmp_path: Path) -> None:
    directory = write(
        tmp_path / "a:7: b", "{id: gone, effect: allow, operations: [vote.*], expires: 2026-11-20}"
    )
    (finding,) = check_directory(directory, None, TODAY).findings
    assert (finding.file, finding.line) == (str(directory / "a.yml"), 3)


def test_findings_stand_in_the_order_of_the_files_each_at_its_very_word(tmp_path: Path) -> None:
    rules = (
        "{id: a, effect: allow, operations: [order.*], when: {side: {in: [byu, buy, sel]}}}",
        "{id: b, effect: allow, operations: [transfer.*]}",
    )
    report = check_directory(write(tmp_path, *rules), None, TODAY)
    assert all(finding.column is not None for finding in report.findings)
    assert [(finding.line, finding.column) for finding in report.findings] == [(3, 70), (3, 80), (4, 40)]


def test_addresses_of_the_configurations_own_networks_are_no_finding(tmp_path: Path) -> None:
    address = "desk1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnz93v58"
    rule = f"{{id: r, effect: deny, operations: [transfer.*], when: {{to_address: {{equals: {address}}}}}}}"
    directory = write(tmp_path / "policies", rule)
    assert "no network of ours" in str(check_directory(directory, None, TODAY).findings[0])
    own = "{node_url: 'https://node.example', chain_id: Desk, address_prefix: desk}"
    settings = Loading(tmp_path).settings(f"environments: {{DESK: {own}}}")
    assert not check_directory(directory, settings, TODAY).findings


def test_an_approver_of_several_rules_is_told_once(tmp_path: Path) -> None:
    settings = Loading(tmp_path).settings(CONFIG)
    rule = "{id: rID, effect: allow, operations: [vote.*], when: {proposal_id: {equals: 'ID'}}, approvals: APPROVALS}"
    rules = [
        rule.replace("ID", number).replace("APPROVALS", "{count: 1, of: [group:risk], within: 1h}")
        for number in "12"
    ]
    directory = write(tmp_path / "policies", *rules, more="groups: {risk: [user:sam, user:ann]}\n")
    (finding,) = check_directory(directory, settings, TODAY).findings
    assert (finding.line, finding.column) == (2, 27)
    assert finding.message.startswith("rule r1: no user is called ann")
