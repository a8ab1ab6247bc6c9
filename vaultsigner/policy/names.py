"""Lists and groups: defined in any file, known in all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from vaultsigner.config.problems import KnownWords
from vaultsigner.config.report import Report
from vaultsigner.policy.places import Place
from vaultsigner.policy.policy_set import Group
from vaultsigner.strict_yaml import Document, YamlPath, YamlValue

Section = Literal["lists", "groups"]
_ONE: Mapping[Section, str] = {"lists": "list", "groups": "group"}


@dataclass(slots=True)
class DefinedNames:
    """All lists and groups.

    Args:
        entries: of each name, the entries that are texts.
        places: where the name of each stands.
        complete: False where a file could not be read to its end: a name that is missing may stand there.
    """

    entries: dict[Section, dict[str, tuple[str, ...]]] = field(
        default_factory=lambda: {"lists": {}, "groups": {}}
    )
    places: dict[tuple[Section, str], Place] = field(default_factory=dict)
    complete: bool = True

    def add(self, path: Path, document: Document, report: Report) -> None:
        """Take the names of one file; a name that another file has already is told."""
        if not document.complete or not isinstance(document.value, dict):
            self.complete = False
            return
        for section, known in self.entries.items():
            defined = document.value.get(section)
            for name, entries in defined.items() if isinstance(defined, dict) else ():
                if name in known:
                    message = f"{self.places[section, name]} has a {_ONE[section]} of this name already"
                    report.add(
                        (section, name), message, "write another name, or put the two together", at_key=True
                    )
                    continue
                known[name] = _texts(entries)
                key = document.keys[section, name]
                self.places[section, name] = Place(str(path), key.line, key.column)

    def found(self, section: Section, name: str, place: YamlPath, report: Report) -> tuple[str, ...]:
        """The entries of a list or a group; empty, and told, where there is none of this name."""
        entries = self.entries[section].get(name)
        if entries is None and self.complete:
            hint = KnownWords(self.entries[section]).hint(name)
            report.add(place, f"no {_ONE[section]} has this name", hint)
        return entries or ()

    def groups(self) -> dict[str, Group]:
        """For messages about their members."""
        return {
            name: Group(members, self.places["groups", name])
            for name, members in self.entries["groups"].items()
        }


def _texts(entries: YamlValue) -> tuple[str, ...]:
    return tuple(entry for entry in entries if isinstance(entry, str)) if isinstance(entries, list) else ()
