"""Reads a directory of policy files, all of them or none."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from vaultsigner.config.files import read_limited
from vaultsigner.config.problems import ConfigProblems, Problem
from vaultsigner.config.report import Report
from vaultsigner.policy.document import LATER_KEYS, PolicyModel
from vaultsigner.policy.policy_set import PolicySet
from vaultsigner.policy.rules import Rule
from vaultsigner.strict_yaml import parse

MAX_BYTES = 1024 * 1024
SETTING = "policies"
"""The setting to look at where the directory itself is wrong, rather than a file in it."""


def load(directory: Path) -> PolicySet:
    """The policy set of every `*.yml` in a directory, hidden files left out.

    Args:
        directory: not searched below.

    Raises:
        ConfigProblems: there is no such file, or anything is wrong in one: all problems of all files.
    """
    files = [(path, read_limited(path, MAX_BYTES)) for path in _policy_files(directory)]
    seen: dict[str, str] = {}
    problems: list[Problem] = []
    rules: list[Rule] = []
    for path, data in files:
        found, wrong = _read_rules(path, data, seen)
        rules += found
        problems += wrong
    if problems:
        raise ConfigProblems(problems)
    return PolicySet(_digest(files), tuple(rules))


def _policy_files(directory: Path) -> list[Path]:
    """In the order of their names' bytes, which no locale changes."""
    try:
        entries = sorted(directory.iterdir(), key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        message = f"{_shown(directory)} cannot be read: {error.strerror}"
        raise _failure(SETTING, message, "name the directory with the policy files in `policies`") from error
    files = []
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.suffix == ".yml":
            files.append(entry)
        elif entry.suffix.lower() in (".yml", ".yaml"):
            # A deny rule in a file that nobody reads would be a hole that looks like a wall.
            raise _failure(str(entry), "only files ending in .yml are read", "rename it, or move it away")
    if not files:
        hint = "vaultsigner signs nothing without rules; start from the delivered policies/default.yml"
        raise _failure(SETTING, f"there is no policy file (*.yml) in {_shown(directory)}", hint)
    return files


def _shown(directory: Path) -> str:
    return f"{directory}".rstrip("/") + "/"


def _failure(file: str, message: str, hint: str) -> ConfigProblems:
    return ConfigProblems([Problem(file, None, None, "", message, hint)])


def _read_rules(path: Path, data: bytes, seen: dict[str, str]) -> tuple[list[Rule], list[Problem]]:
    """The rules of one file. `seen` maps the ids of all rules so far to their places."""
    document = parse(data, max_bytes=MAX_BYTES)
    report = Report(str(path), document, LATER_KEYS)
    if not document.complete:
        return [], report.problems
    if not isinstance(document.value, dict):
        report.add((), "this is no policy", "write version: 1 and rules; policies/default.yml is an example")
        return [], report.problems
    model = report.validated(PolicyModel, document.value)
    _check_ids(document.value.get("rules"), path, seen, report)
    if model is None:
        return [], report.problems
    places = (f"{path}:{document.values['rules', index].line}" for index in range(len(model.rules)))
    return [entry.rule(place) for entry, place in zip(model.rules, places, strict=True)], report.problems


def _check_ids(entries: object, path: Path, seen: dict[str, str], report: Report) -> None:
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        rule_id = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(rule_id, str):
            continue
        place = f"{path.name}, rules[{index}]"
        if seen.setdefault(rule_id, place) != place:
            report.add(("rules", index, "id"), f"{seen[rule_id]} has this id already", "write another id")


def _digest(files: Sequence[tuple[Path, bytes]]) -> str:
    """SHA-256 over name and content of each file, each behind its length, so that no two sets look alike."""
    digest = hashlib.sha256(b"vaultsigner policy set 1\n")
    for path, data in files:
        for part in (os.fsencode(path.name), data):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return f"sha256:{digest.hexdigest()}"
