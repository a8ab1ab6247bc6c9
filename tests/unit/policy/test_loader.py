"""Policy files: what is read, every complaint with its place, and what the digest covers."""

import hashlib
from pathlib import Path

import pytest

from tests.unit.marked_text import unmarked
from vaultsigner.config import ConfigProblems, Problem
from vaultsigner.policy import load
from vaultsigner.policy.conditions import TextIn
from vaultsigner.policy.operations import NAMED_ONLY, OPERATIONS

RULE = "{id: r, effect: allow}"


def write(directory: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (directory / f"{name}.yml").write_text(text)
    return directory


def problems_in(directory: Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigProblems) as caught:
        load(directory)
    return caught.value.problems


def test_patterns_are_written_out(tmp_path: Path) -> None:
    text = """
version: 1
rules:
  - id: desk-1
    effect: deny
    principals: [user:sam, "user:*", client:bot-1]
    targets: [wallet:wallet_1, "wallet:*"]
    operations: [order.*, transfer.sign]
  - {id: "2", effect: allow, operations: ["*"]}
"""
    first, second = load(write(tmp_path, a=text)).rules
    assert first.principals.names == {"user:sam", "client:bot-1"}
    assert first.principals.kinds == {"user"}
    assert not first.principals.everything
    assert first.targets.names == {"wallet:wallet_1"}
    assert first.operations == {"order.sign", "order.broadcast", "transfer.sign"}
    assert second.operations == set(OPERATIONS) - NAMED_ONLY


def test_an_operation_pattern_does_not_reach_its_longer_neighbours(tmp_path: Path) -> None:
    text = "version: 1\nrules: [{id: r, effect: allow, operations: [freeze.*, order.*]}]"
    (rule,) = load(write(tmp_path, a=text)).rules
    assert rule.operations == {"freeze.sign", "freeze.broadcast", "order.sign", "order.broadcast"}


@pytest.mark.parametrize("words", ["['*']", "[exchange.*]", "[exchange.query, order.*, exchange.*]"])
def test_no_star_allows_a_withdrawal_and_every_star_denies_one(tmp_path: Path, words: str) -> None:
    text = f"version: 1\nrules: [{{id: a, effect: allow, operations: {words}}}, {{id: d, effect: deny, operations: {words}}}]"
    allowing, denying = load(write(tmp_path, a=text)).rules
    assert not allowing.operations & NAMED_ONLY
    assert denying.operations >= NAMED_ONLY


def test_a_withdrawal_is_allowed_by_its_name(tmp_path: Path) -> None:
    text = "version: 1\nrules: [{id: a, effect: allow, operations: [exchange.*, exchange.withdraw]}]"
    (rule,) = load(write(tmp_path, a=text)).rules
    assert rule.operations & NAMED_ONLY == {"exchange.withdraw"}


def in_rule(member: str) -> str:
    return f"version: 1\nrules:\n  - {{id: r, effect: allow, {member}}}\n"


WRONG = [
    (f"version: «2\nrules: [{RULE}]", "version", "not known", "write version: 1"),
    (f"version: «'1'\nrules: [{RULE}]", "version", "not known", "write version: 1"),
    (f"version: «true\nrules: [{RULE}]", "version", "not known", "write version: 1"),
    (f"«rules: [{RULE}]", "version", "is missing", "version:"),
    ("«version: 1", "rules", "is missing", "rules:"),
    ("version: 1\nrules: «[]", "rules", "list is empty", "at least one"),
    ("version: 1\nrules: «{}", "rules", "must be a list", "dash"),
    ("version: 1\nrules: [«r]", "rules[0]", "must be a mapping", "name: value"),
    (f"version: 1\n«rule: []\nrules: [{RULE}]", "rule", "not known", "did you mean rules?"),
    (in_rule("«principal: [user:sam]"), "rules[0].principal", "not known", "did you mean principals?"),
    (in_rule("principals: «user:sam"), "rules[0].principals", "must be a list", "dash"),
    (in_rule("principals: «[]"), "rules[0].principals", "list is empty", "at least one"),
    (in_rule("principals: «null"), "rules[0].principals", "must be a list", "dash"),
    (in_rule("principals: [«5]"), "rules[0].principals[0]", "must be text", "quotes"),
    (in_rule("principals: [«sam]"), "rules[0].principals[0]", "names nothing", "user:NAME"),
    (in_rule("principals: [«usr:sam]"), "rules[0].principals[0]", "names nothing", "write user:sam"),
    (in_rule("principals: [«User:sam]"), "rules[0].principals[0]", "names nothing", "write user:sam"),
    (in_rule("principals: [«'user:']"), "rules[0].principals[0]", "names nothing", "user:NAME"),
    (in_rule("principals: [«'user:s*']"), "rules[0].principals[0]", "a whole name", "user:*"),
    (in_rule("principals: [«group:desk]"), "rules[0].principals[0]", "no group has this name", "none yet"),
    (in_rule("principals: [«'group:*']"), "rules[0].principals[0]", "every group", "group:NAME"),
    (in_rule("principals: [«wallet:w]"), "rules[0].principals[0]", "names nothing", "user"),
    (in_rule("targets: [«walet:w]"), "rules[0].targets[0]", "names nothing", "write wallet:w"),
    (in_rule("targets: [«user:sam]"), "rules[0].targets[0]", "names nothing", "wallet"),
    (
        in_rule("targets: [«exchang:binance]"),
        "rules[0].targets[0]",
        "names nothing",
        "write exchange:binance",
    ),
    (in_rule("targets: [«group:desk]"), "rules[0].targets[0]", "names nothing", "wallet"),
    (in_rule("operations: [«trade]"), "rules[0].operations[0]", "no such operation", "followed by .sign"),
    (in_rule("operations: [«order]"), "rules[0].operations[0]", "no such operation", "did you mean order.*?"),
    (
        in_rule("operations: [«oder.sign]"),
        "rules[0].operations[0]",
        "no such operation",
        "did you mean order.sign?",
    ),
    (
        in_rule("operations: [«transfers.*]"),
        "rules[0].operations[0]",
        "no such operation",
        "did you mean transfer.*?",
    ),
    (
        in_rule("operations: [«order.sing]"),
        "rules[0].operations[0]",
        "no such operation",
        "did you mean order.sign?",
    ),
    (
        in_rule("operations: [«exchange.withdrawal]"),
        "rules[0].operations[0]",
        "no such operation",
        "did you mean exchange.withdraw?",
    ),
    (in_rule("operations: [«'*.sign']"), "rules[0].operations[0]", "no such operation", "sign"),
    (in_rule("operations: [«wallet.resync]"), "rules[0].operations[0]", "no such operation", ""),
    ("version: 1\nrules: [{id: «R1, effect: allow}]", "rules[0].id", "no rule id", "small letters"),
    ("version: 1\nrules: [{id: «-r, effect: allow}]", "rules[0].id", "no rule id", "small letters"),
    ("version: 1\nrules: [{id: «1, effect: allow}]", "rules[0].id", "must be text", "quotes"),
    (f"version: 1\nrules: [{{id: «{'r' * 65}, effect: allow}}]", "rules[0].id", "no rule id", "64"),
    (
        "version: 1\nrules: [{id: r, effect: «alow}]",
        "rules[0].effect",
        "allow or deny",
        "did you mean allow?",
    ),
    ("version: 1\nrules: [{id: r, effect: «yes}]", "rules[0].effect", "truth value", '"yes" in quotes'),
    ("version: 1\nrules: [«{effect: allow}]", "rules[0].id", "is missing", "id:"),
    ("version: 1\nrules: [«{id: r}]", "rules[0].effect", "is missing", "effect:"),
    (
        f"version: 1\nrules: [{RULE}, {{id: «r, effect: deny}}]",
        "rules[1].id",
        "desk.yml, rules[0]",
        "another id",
    ),
    (f"version: 1\nversion: 1\nrules: [{RULE}]".replace("\nv", "\n«v"), "version", "there twice", "keep one"),
    ("version: 1\nrules: [«&a {id: r, effect: allow}]", "rules[0]", "an anchor", "write values out"),
    (in_rule("operations: [*«]"), "", "not YAML", '"*" in quotes'),
    ("«", "", "no policy", "policies/default.yml"),
    ("«[]", "", "no policy", "policies/default.yml"),
    ("version: 1\nrules: " + "[" * 19 + "«[", "", "20 deep", "brackets"),
]


@pytest.mark.parametrize(("marked", "where", "message", "hint"), WRONG)
def test_each_mistake_is_told_at_its_place(
    tmp_path: Path, marked: str, where: str, message: str, hint: str
) -> None:
    text, line, column = unmarked(marked)
    (problem,) = problems_in(write(tmp_path, desk=text))
    assert (problem.file, problem.line, problem.column) == (str(tmp_path / "desk.yml"), line, column)
    assert problem.where == where
    assert message in problem.message
    assert hint in problem.hint


def test_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    directory = write(
        tmp_path,
        a=f"version: 1\nrules: [{RULE}]",
        b="version: 3\nrules: [{id: r, effect: perhaps}]",
        c="a: [",
    )
    assert [(Path(p.file).name, p.where) for p in problems_in(directory)] == [
        ("b.yml", "version"),
        ("b.yml", "rules[0].id"),
        ("b.yml", "rules[0].effect"),
        ("c.yml", ""),
    ]


def test_an_id_may_not_come_back_in_another_file(tmp_path: Path) -> None:
    (problem,) = problems_in(
        write(tmp_path, a=f"version: 1\nrules: [{RULE}]", b=f"version: 1\nrules: [{RULE}]")
    )
    assert (problem.file, problem.line, problem.column) == (str(tmp_path / "b.yml"), 2, 14)
    assert problem.message == "a.yml, rules[0] has this id already"


def test_lists_and_groups_are_known_in_all_files(tmp_path: Path) -> None:
    rule = "{id: r, effect: allow, principals: [group:desk], when: {symbol: {in: $majors}}}"
    (found,) = load(
        write(
            tmp_path,
            a=f"version: 1\nrules: [{rule}]",
            b=f"version: 1\nlists: {{majors: [BTCUSDT]}}\nrules: [{RULE.replace('r,', 's,')}]",
            c=f"version: 1\ngroups: {{desk: [user:sam]}}\nrules: [{RULE.replace('r,', 't,')}]",
        )
    ).rules[:1]
    assert found.principals.groups == {"desk"}
    assert found.principals.members == {"user:sam"}
    assert not found.principals.names
    assert found.conditions == (TextIn("symbol", frozenset({"BTCUSDT"})),)


@pytest.mark.parametrize("section", ["lists: {x: [a]}", "groups: {x: ['user:a']}"])
def test_a_name_may_be_defined_once_in_all_files(tmp_path: Path, section: str) -> None:
    directory = write(
        tmp_path,
        a=f"version: 1\n{section}\nrules: [{RULE}]",
        b=f"version: 1\n{section}\nrules: [{RULE.replace('r,', 's,')}]",
    )
    (problem,) = problems_in(directory)
    one = section[:5].rstrip("s:")
    assert (problem.file, problem.line, problem.where) == (
        str(tmp_path / "b.yml"),
        2,
        f"{section.partition(':')[0]}.x",
    )
    column = section.index("x:") + 1
    assert problem.message == f"{tmp_path}/a.yml:2:{column} has a {one} of this name already"


def test_a_list_and_a_group_may_share_a_name(tmp_path: Path) -> None:
    text = f"version: 1\nlists: {{x: [a]}}\ngroups: {{x: ['user:a']}}\nrules: [{RULE}]"
    assert load(write(tmp_path, a=text)).groups["x"].members == ("user:a",)


def test_a_name_that_an_unreadable_file_may_define_is_not_called_missing(tmp_path: Path) -> None:
    rule = "{id: r, effect: allow, principals: [group:desk], when: {symbol: {in: $majors}}}"
    directory = write(tmp_path, a=f"version: 1\nrules: [{rule}]", b="version: 1\ngroups: {desk: [")
    assert {Path(problem.file).name for problem in problems_in(directory)} == {"b.yml"}


def test_a_rule_beside_a_wrong_one_is_looked_at_too(tmp_path: Path) -> None:
    text = """
version: 1
rules:
  - {id: a, effect: alow}
  - {id: b, effect: allow, principals: [group:nobody]}
  - {id: c, effect: allow, when: {symbol: {in: $nothing}}}
"""
    assert [problem.where for problem in problems_in(write(tmp_path, a=text))] == [
        "rules[0].effect",
        "rules[1].principals[0]",
        "rules[2].when.symbol.in",
    ]


def test_rules_stand_in_the_order_of_file_names_and_lines(tmp_path: Path) -> None:
    directory = write(
        tmp_path,
        b="version: 1\nrules: [{id: b1, effect: allow}, {id: b2, effect: deny}]",
        B="version: 1\nrules: [{id: upper, effect: allow}]",
        a="version: 1\nrules: [{id: a1, effect: allow}]",
    )
    rules = load(directory).rules
    assert [rule.id for rule in rules] == ["upper", "a1", "b1", "b2"]
    assert [str(rule.place) for rule in rules] == [
        f"{tmp_path}/{place}" for place in ("B.yml:2:9", "a.yml:2:9", "b.yml:2:9", "b.yml:2:34")
    ]


def test_without_a_policy_file_nothing_starts(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("version: 1")
    (tmp_path / ".hidden.yml").write_text(f"version: 1\nrules: [{RULE}]")
    (problem,) = problems_in(tmp_path)
    assert "no policy file" in problem.message
    assert "default.yml" in problem.hint


def test_without_a_directory_nothing_starts(tmp_path: Path) -> None:
    (problem,) = problems_in(tmp_path / "missing")
    assert str(problem).startswith(f"policies: {tmp_path}/missing/ cannot be read: No such file")


@pytest.mark.parametrize("name", ["deny.yaml", "deny.YML", "deny.Yaml"])
def test_a_file_that_would_be_overlooked_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path, a=f"version: 1\nrules: [{RULE}]")
    (tmp_path / name).write_text("version: 1\nrules: [{id: d, effect: deny}]")
    (problem,) = problems_in(tmp_path)
    assert (problem.file, problem.hint) == (str(tmp_path / name), "rename it, or move it away")


def test_a_directory_named_like_a_policy_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.yml").mkdir()
    (problem,) = problems_in(tmp_path)
    assert "cannot be read" in problem.message


def test_ten_megabytes_are_refused(tmp_path: Path) -> None:
    """Unread: see `test_hostile_files`."""
    (problem,) = problems_in(write(tmp_path, a="a: b\n" * 2_000_000))
    assert "larger than 4194304 bytes" in problem.message


def test_the_digest_covers_names_and_bytes_of_all_files(tmp_path: Path) -> None:
    text = f"version: 1\nrules: [{RULE}]"
    other = "version: 1\nrules: [{id: s, effect: allow}]"
    digests = []
    for number, files in enumerate(
        (
            {"a": text},
            {"b": text},
            {"a": text + "\n"},
            {"a": text, "b": other},
            {"a": other, "b": text},
        )
    ):
        directory = tmp_path / str(number)
        directory.mkdir()
        digest = load(write(directory, **files)).digest
        assert digest.startswith("sha256:")
        assert len(digest) == 71
        digests.append(digest)
    assert len(set(digests)) == len(digests)


def test_the_digest_is_the_same_for_the_same_files_elsewhere(tmp_path: Path) -> None:
    digests = set()
    text = f"version: 1\nrules: [{RULE}]"
    for name in ("x", "y"):
        directory = tmp_path / name
        directory.mkdir()
        (directory / ".swap").write_text(name)
        digests.add(load(write(directory, a=text)).digest)
    framed = b"vaultsigner policy set 1\n" + b"".join(
        len(part).to_bytes(8, "big") + part for part in (b"a.yml", text.encode())
    )
    assert digests == {f"sha256:{hashlib.sha256(framed).hexdigest()}"}
