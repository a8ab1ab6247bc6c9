"""Policies written in a line, for tests."""

from pathlib import Path

from vaultsigner.policy import PolicySet, load


def policies_with(directory: Path, *rules: str, head: str = "") -> PolicySet:
    """The rules, each a flow mapping, in a file called desk.yml; the first is in line 4 where there is no head."""
    lines = "\n".join(f"  - {rule}" for rule in rules)
    (directory / "desk.yml").write_text(f"version: 1\n{head}\nrules:\n{lines}\n")
    return load(directory)
