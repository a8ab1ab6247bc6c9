"""What `vaultsigner policy check` finds: mistakes, and what is allowed but hardly meant."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from vaultsigner.config import ConfigProblems, Settings
from vaultsigner.policy import PolicySet, unknown_names
from vaultsigner.policy.lints import lints
from vaultsigner.policy.loader import load_with_places
from vaultsigner.policy.places import Place, Places
from vaultsigner.policy.value_lints import BEACON_PREFIXES

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Args:
        level: `error`: vaultsigner does not start with these rules, or a rule that denies protects nothing.
        file, line, column: where; None where there is no such place.
        message: what is wrong, and what to write instead.
    """

    level: Level
    file: str
    line: int | None
    column: int | None
    message: str

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return f"{place}: {self.level}: {self.message}"


@dataclass(frozen=True, slots=True)
class PolicyReport:
    """All of them, those of the files in order. `policies` is None where there are errors that keep it from loading."""

    directory: Path
    findings: tuple[Finding, ...]
    policies: PolicySet | None
    names_checked: bool

    def count(self, level: Level) -> int:
        """How many of a level."""
        return sum(finding.level == level for finding in self.findings)

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "directory": str(self.directory),
            "policy": self.policies.digest if self.policies is not None else None,
            "rules": len(self.policies.rules) if self.policies is not None else None,
            "names_checked": self.names_checked,
            "errors": self.count("error"),
            "warnings": self.count("warning"),
            "findings": [asdict(finding) for finding in self.findings],
        }


def check_directory(directory: Path, settings: Settings | None, today: date) -> PolicyReport:
    """Everything wrong with the rules of a directory; odd things only once nothing is wrong.

    Args:
        settings: whose wallets and callers the names in rules are looked for among; None leaves that out.
        today: by UTC.
    """
    try:
        policies, places = load_with_places(directory)
    except ConfigProblems as error:
        return PolicyReport(directory, tuple(_errors(error)), None, names_checked=False)
    findings = [*_odd(policies, places, settings, today)]
    if settings is not None:
        findings += _unknown(policies, places, settings)
    in_order = sorted(findings, key=lambda finding: (finding.file, finding.line or 0, finding.column or 0))
    return PolicyReport(directory, tuple(in_order), policies, names_checked=settings is not None)


def _errors(error: ConfigProblems) -> Iterator[Finding]:
    for problem in error.problems:
        where = f"{problem.where}: " if problem.where else ""
        message = f"{where}{problem.message}; {problem.hint}"
        yield Finding("error", problem.file, problem.line, problem.column, message)


def _odd(policies: PolicySet, places: Places, settings: Settings | None, today: date) -> Iterator[Finding]:
    """Addresses of networks of the configuration's own are addresses, too."""
    own = settings.environments.values() if settings is not None else ()
    prefixes = BEACON_PREFIXES.union(environment.address_prefix for environment in own)
    for lint in lints(policies, today, places=places, prefixes=prefixes):
        yield _at(lint.place, "warning", f"rule {lint.rule}: {lint.text}")


def _unknown(policies: PolicySet, places: Places, settings: Settings) -> Iterator[Finding]:
    """A member of a group that several rules use for approvals is told once, with the first of them."""
    told: set[tuple[Place | None, str]] = set()
    for name in unknown_names(policies, settings):
        place = places.of_text(name.rule, name.name) or name.place
        if (place, name.told) not in told:
            yield _at(place, "error" if name.opens else "warning", f"{name.about}: {name.told}")
        told.add((place, name.told))


def _at(place: Place | None, level: Level, message: str) -> Finding:
    if place is None:
        return Finding(level, "", None, None, message)
    return Finding(level, place.file, place.line, place.column, message)
