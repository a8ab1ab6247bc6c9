"""One policy file on its way from bytes to rules."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from vaultsigner.config.report import Report
from vaultsigner.policy.document import DATE_KEYS, PolicyModel, RuleModel
from vaultsigner.policy.meaning import RuleReader
from vaultsigner.policy.names import DefinedNames
from vaultsigner.policy.places import place_in
from vaultsigner.policy.rules import Rule
from vaultsigner.strict_yaml import YamlValue, parse

MAX_BYTES = 4 * 1024 * 1024


class PolicyFile:
    """What one file says; `report` has what is wrong with it.

    Args:
        path: of the file, for messages.
        data: its bytes, at most one more than MAX_BYTES.
    """

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        self.data = data
        self.document = parse(data, max_bytes=MAX_BYTES, date_keys=DATE_KEYS)
        self.report = Report(str(path), self.document)

    def rules(self, names: DefinedNames, ids: dict[str, str]) -> Iterator[Rule]:
        """Its rules. What is wrong with them is in the report afterwards, and then none of them counts.

        Args:
            names: lists and groups of all files.
            ids: of all rules so far, with their places; this file's are added.
        """
        if not self.document.complete:
            return
        tree = self.document.value
        if not isinstance(tree, dict):
            self.report.add(
                (), "this is no policy", "write version: 1 and rules; policies/default.yml is an example"
            )
            return
        model = self.report.validated(PolicyModel, tree)
        self._check_ids(tree.get("rules"), ids)
        reader = RuleReader(names, self.report)
        models = enumerate(model.rules) if model is not None else _usable(tree.get("rules"))
        for index, rule in models:
            path = ("rules", index)
            yield reader.rule(rule, path, place_in(str(self.path), self.document, path))

    def _check_ids(self, entries: YamlValue, ids: dict[str, str]) -> None:
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            rule_id = entry.get("id") if isinstance(entry, dict) else None
            if not isinstance(rule_id, str):
                continue
            place = f"{self.path.name}, rules[{index}]"
            if ids.setdefault(rule_id, place) != place:
                self.report.add(
                    ("rules", index, "id"), f"{ids[rule_id]} has this id already", "write another id"
                )


def _usable(entries: YamlValue) -> Iterator[tuple[int, RuleModel]]:
    """The entries that are rules, beside others that are none: what is wrong further on is told at once, too."""
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        try:
            yield index, RuleModel.model_validate(entry)
        except ValidationError:
            continue
