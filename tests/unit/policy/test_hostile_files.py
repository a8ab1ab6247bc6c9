"""Files made to hurt whoever reads them: refused quickly, with the place."""

import time
from pathlib import Path

import pytest

from tests.unit.marked_text import unmarked
from vaultsigner.config import ConfigProblems, Problem
from vaultsigner.policy import load

RULES = "rules: [{id: r, effect: allow}]"
SECONDS = 3.0
"""Generous: this machine may be busy. A reader that expands or recurses would take minutes, or fall over."""


def problems_in(directory: Path, data: bytes) -> tuple[Problem, ...]:
    (directory / "bad.yml").write_bytes(data)
    started = time.monotonic()
    with pytest.raises(ConfigProblems) as caught:
        load(directory)
    assert time.monotonic() - started < SECONDS
    return caught.value.problems


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
    "data",
    [
        b"version: 1\nrules: [" + b"{id: R, effect: perhaps}, " * 20_000 + b"]",
        b"version: 1\nlists: {" + b"a: [1], " * 100_000 + b"}",
        b"version: 1\nrules: [{id: r, effect: allow, when: {symbol: {in: [" + b"5," * 100_000 + b"]}}}]",
        b"version: 1\nrules: [{id: r, effect: allow, operations: [" + b"oder.sign," * 50_000 + b"]}]",
    ],
)
def test_a_hundred_thousand_mistakes_are_told_in_seconds(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "bad.yml").write_bytes(data)
    started = time.monotonic()
    with pytest.raises(ConfigProblems):
        load(tmp_path)
    assert time.monotonic() - started < 5 * SECONDS


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (problem,) = problems_in(tmp_path, b"version: 1\nrules: [\xff]")
    assert (problem.line, problem.column, problem.message) == (2, 9, "not UTF-8")
