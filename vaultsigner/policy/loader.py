"""Reads a directory of policy files, all of them or none."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType

from vaultsigner.config.files import read_limited
from vaultsigner.config.problems import ConfigProblems, Problem
from vaultsigner.policy.names import DefinedNames
from vaultsigner.policy.places import Places
from vaultsigner.policy.policy_file import MAX_BYTES, PolicyFile
from vaultsigner.policy.policy_set import PolicySet

SETTING = "policies"
"""The setting to look at where the directory itself is wrong, rather than a file in it."""


def load(directory: Path) -> PolicySet:
    """The policy set of every `*.yml` in a directory, hidden files left out.

    Args:
        directory: not searched below.

    Raises:
        ConfigProblems: there is no such file, or anything is wrong in one: all problems of all files.
    """
    return _load(directory)[0]


def load_with_places(directory: Path) -> tuple[PolicySet, Places]:
    """The same, with where everything stands in the files: for those who look at what is written.

    Raises:
        ConfigProblems: as `load`.
    """
    policies, files = _load(directory)
    return policies, Places([(str(file.path), file.document) for file in files])


def _load(directory: Path) -> tuple[PolicySet, list[PolicyFile]]:
    files = [PolicyFile(path, read_limited(path, MAX_BYTES)) for path in _policy_files(directory)]
    names, ids = DefinedNames(), dict[str, str]()
    for file in files:
        names.add(file.path, file.document, file.report)
    rules = tuple(rule for file in files for rule in file.rules(names, ids))
    problems = [problem for file in files for problem in file.report.problems]
    if problems:
        raise ConfigProblems(problems)
    digest = _digest([(file.path, file.data) for file in files])
    return PolicySet(digest, rules, MappingProxyType(names.groups())), files


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


def _digest(files: Sequence[tuple[Path, bytes]]) -> str:
    """SHA-256 over name and content of each file, each behind its length, so that no two sets look alike."""
    digest = hashlib.sha256(b"vaultsigner policy set 1\n")
    for path, data in files:
        for part in (os.fsencode(path.name), data):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return f"sha256:{digest.hexdigest()}"
