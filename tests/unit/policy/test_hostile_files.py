"""Files made to hurt whoever reads them: refused with little work, and with the place."""

from pathlib import Path

import pytest

from tests.unit.marked_text import unmarked
from tests.work import calls_of
from vaultsigner.config import ConfigProblems, Problem
from vaultsigner.policy import load

RULES = "rules: [{id: r, effect: allow}]"
FEW = 20_000
"""Calls of functions. A reader that expands or recurses would make millions, or fall over."""


def problems_in(directory: Path, data: bytes) -> tuple[Problem, ...]:
    problems, calls = refused(directory, data)
    assert calls < FEW
    return problems


def refused(directory: Path, data: bytes) -> tuple[tuple[Problem, ...], int]:
    """What is told about a file, and how many calls that took."""
    (directory / "bad.yml").write_bytes(data)
    told: list[tuple[Problem, ...]] = []

    def read() -> None:
        with pytest.raises(ConfigProblems) as caught:
            load(directory)
        told.append(caught.value.problems)

    calls = calls_of(read)
    return told[0], calls


def bomb() -> str:
    """Nine levels of nine: a billion laughs."""
    lines = ["version: 1", "lists:", "  a: &a [x, x, x, x, x, x, x, x, x]"]
    for one, before in zip("bcdefghi", "abcdefgh", strict=True):
        lines.append(f"  {one}: &{one} [{', '.join([f'*{before}'] * 9)}]")
    return "\n".join([*lines, RULES])


def test_a_billion_laughs_are_not_laughed(tmp_path: Path) -> None:
    problems = problems_in(tmp_path, bomb().encode())
    assert (problems[0].line, problems[0].column, problems[0].message) == (3, 6, "an anchor (&)")
    assert any(problem.message == "an alias (*)" for problem in problems)


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        (f"version: 1\nlists: {{a: «&x [b]}}\n{RULES}", "an anchor"),
        (f"version: 1\nlists: {{a: [b], c: «*x }}\n{RULES}", "an alias"),
        (f"version: 1\nlists: {{a: «!!set [b]}}\n{RULES}", "a tag"),
        ("version: «!!python/object/apply:os.system [true]\nrules: []", "a tag"),
        (f"version: 1\n«version: 1\n{RULES}", "there twice"),
        ("version: 1\nrules: [{id: r, effect: allow, «effect: deny}]", "there twice"),
        (
            "version: 1\nrules: [{id: r, effect: allow, when: {amount: {max: '1'}, «amount: {max: '9'}}}]",
            "there twice",
        ),
        ("version: «010\n" + RULES, "another number"),
        ("version: «1.0\n" + RULES, "another number"),
        ("version: «0x1\n" + RULES, "another number"),
        ("version: «~\n" + RULES, "null"),
        ("version: 1\nrules: [{id: «010, effect: allow}]", "another number"),
        ("version: 1\nrules: [{id: r, effect: «on}]", "truth value"),
        ("version: 1\nrules: [{id: r, effect: allow, when: {amount: {max: «.inf}}}]", "another number"),
        ("version: 1\nrules: [{id: r, effect: allow, when: {amount: {max: «1e3}}}]", "another number"),
        ("version: 1\nrules: [{id: r, effect: allow, when: {time: {from: «12:30:45}}}]", "another number"),
        ("version: 1\nrules: [{id: r, effect: allow, when: «~}]", "null"),
        ("version: 1\nrules: [{id: r, effect: allow, limits: «~}]", "null"),
        ("version: 1\nrules:\n  - id: r\n«\teffect: allow", "a tab"),
        ("version: 1\nrules: [{id: r, effect:«\tallow}]", "a tab"),
        (f"version: 1\n{RULES}\n«---\nversion: 1", "second document"),
        (f"«%YAML 1.1\n---\nversion: 1\n{RULES}", "directive"),
        (f"version: 1\n{RULES}\n«<<: {{version: 2}}", "merge key"),
        (f"version: 1\n{RULES}\n? «[a]\n: b", "a key must be text"),
        ("version: 1\nrules: [{id: r, effect: allow, when: {symbol: {equals: BNB«\u200b}}}]", "invisible"),
        ("version: 1\nrules: [{id: r, effect: allow, when: {symbol: {equals: «\u202eBNB}}}]", "invisible"),
    ],
)
def test_what_readers_would_take_differently_is_refused(tmp_path: Path, marked: str, message: str) -> None:
    text, line, column = unmarked(marked)
    first = problems_in(tmp_path, text.encode())[0]
    assert message in first.message
    assert first.line == line
    # A directive is told where its document begins.
    assert first.column == column or "directive" in message


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_five_thousand_levels_end_at_the_twentieth(tmp_path: Path, opening: str) -> None:
    (problem,) = problems_in(tmp_path, b"version: 1\nrules:\n  " + opening.encode() * 5000)
    assert problem.line == 3
    assert problem.column is not None
    assert problem.column <= 3 + 21 * len(opening)


def test_five_thousand_levels_by_indentation_end_at_the_twentieth(tmp_path: Path) -> None:
    text = "version: 1\nrules:\n" + "".join(" " * depth + "a:\n" for depth in range(1, 1500))
    (problem,) = problems_in(tmp_path, text.encode())
    assert problem.line is not None
    assert problem.line <= 24
    assert "20 deep" in problem.message


@pytest.mark.parametrize(
    "data", [b"a: b\n" * 2_000_000, b"\x00" * 10_000_000, b"[" * 10_000_000, b"#" * 10_000_000]
)
def test_ten_megabytes_are_not_read(tmp_path: Path, data: bytes) -> None:
    (problem,) = problems_in(tmp_path, data)
    assert (problem.line, problem.column) == (1, 1)
    assert "larger than 4194304 bytes" in problem.message


@pytest.mark.parametrize(
    ("before", "mistake", "after"),
    [
        ("rules: [", "{id: R, effect: perhaps}, ", "]"),
        ("lists: {", "a: [1], ", "}"),
        ("rules: [{id: r, effect: allow, when: {symbol: {in: [", "5,", "]}}}]"),
        ("rules: [{id: r, effect: allow, operations: [", "oder.sign,", "]}]"),
    ],
)
def test_many_mistakes_cost_no_more_than_as_many_times_one(
    tmp_path: Path, before: str, mistake: str, after: str
) -> None:
    def calls(count: int) -> int:
        return refused(tmp_path, f"version: 1\n{before}{mistake * count}{after}".encode())[1]

    calls(1)  # what is made once and kept
    few, many = calls(500), calls(5000)
    assert many < 12 * few


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (problem,) = problems_in(tmp_path, b"version: 1\nrules: [\xff]")
    assert (problem.line, problem.column, problem.message) == (2, 9, "not UTF-8")
