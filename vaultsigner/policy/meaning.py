"""From the YAML form of a rule to the rule: lists and groups are looked up, and what cannot be told before that is told."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from vaultsigner.config.addresses import read_network
from vaultsigner.config.problems import UnusableValueError
from vaultsigner.config.report import Report
from vaultsigner.domain.decisions import Approvals
from vaultsigner.policy import words
from vaultsigner.policy.condition_models import MODELS, DecimalModel, NetworksModel, TextModel, TimeModel
from vaultsigner.policy.conditions import Bound, BoundKind, Condition, DecimalIn, FromNetworks, TextIn
from vaultsigner.policy.document import ApprovalsModel, LimitModel, RuleModel
from vaultsigner.policy.limits import LimitRule
from vaultsigner.policy.names import DefinedNames
from vaultsigner.policy.operations import covered
from vaultsigner.policy.places import Place
from vaultsigner.policy.rules import NamePatterns, Rule
from vaultsigner.policy.times import DuringTime
from vaultsigner.strict_yaml import YamlPath

T = TypeVar("T")
_BOUNDS: tuple[BoundKind, ...] = ("max", "min", "above", "below")


@dataclass(frozen=True, slots=True)
class RuleReader:
    """Reads the rules of one file.

    Args:
        names: the lists and groups of all files.
        report: of this file; takes what is wrong.
    """

    names: DefinedNames
    report: Report

    def rule(self, model: RuleModel, path: YamlPath, place: Place) -> Rule:
        """The rule that an entry means. Not to be used if the report has problems then.

        Args:
            model: the entry.
            path: where it stands in the file.
            place: the same for people.
        """
        return Rule(
            model.id,
            model.effect,
            self._patterns(model.principals, (*path, "principals")),
            self._patterns(model.targets, (*path, "targets")),
            covered(model.operations, model.effect),
            place,
            tuple(self._conditions(model.when, (*path, "when"))),
            tuple(_limit(limit) for limit in model.limits),
            self._approvals(model.approvals, (*path, "approvals")),
            model.expires,
        )

    def _patterns(self, patterns: list[str], path: YamlPath) -> NamePatterns:
        groups = {word[6:]: index for index, word in enumerate(patterns) if word.startswith("group:")}
        members = [
            member
            for group, index in groups.items()
            for member in self.names.found("groups", group, (*path, index), self.report)
        ]
        return NamePatterns(
            everything="*" in patterns,
            kinds=frozenset(word[:-2] for word in patterns if word.endswith(":*")),
            names=frozenset(
                word for word in patterns if not word.endswith("*") and not word.startswith("group:")
            ),
            groups=frozenset(groups),
            members=frozenset(members),
        )

    def _conditions(self, when: Any, path: YamlPath) -> Iterator[Condition]:
        for name in MODELS:
            model = getattr(when, name, None)
            place = (*path, name)
            if isinstance(model, TextModel):
                yield from self._of_text(name, model, place)
            elif isinstance(model, DecimalModel):
                yield from self._of_decimal(name, model, place)
            elif isinstance(model, NetworksModel):
                for values, negated, where in _memberships(model, place):
                    yield FromNetworks(tuple(self._read(values, read_network, where)), negated)
            elif isinstance(model, TimeModel):
                yield DuringTime(model.days, model.begins, model.ends, model.zone)

    def _of_text(self, name: str, model: TextModel, path: YamlPath) -> Iterator[Condition]:
        if model.equals is not None:
            yield TextIn(name, frozenset({model.equals}))
        for values, negated, where in _memberships(model, path):
            yield TextIn(name, frozenset(self._read(values, words.read_list_entry, where)), negated)

    def _of_decimal(self, name: str, model: DecimalModel, path: YamlPath) -> Iterator[Condition]:
        if model.equals is not None:
            yield DecimalIn(name, frozenset({model.equals}))
        for values, negated, where in _memberships(model, path):
            yield DecimalIn(name, frozenset(self._read(values, words.read_bound, where)), negated)
        for kind in _BOUNDS:
            bound: Decimal | None = getattr(model, kind)
            if bound is not None:
                yield Bound(name, kind, bound)

    def _read(self, values: str | list[Any], read: Callable[[str], T], path: YamlPath) -> Iterator[T]:
        """Each entry read as the field needs it. An entry of a named list is complained of where the list is used."""
        if isinstance(values, str):
            for entry in self.names.found("lists", values[1:], path, self.report):
                try:
                    yield read(entry)
                except UnusableValueError as error:
                    self.report.add(
                        path, f"an entry of {values} cannot stand here: {error.message}", error.hint
                    )
            return
        for index, entry in enumerate(values):
            try:
                yield read(_as_text(entry))
            except UnusableValueError as error:
                self.report.add((*path, index), error.message, error.hint)

    def _approvals(self, model: ApprovalsModel | None, path: YamlPath) -> Approvals | None:
        if model is None:
            return None
        people: set[str] = set()
        for index, word in enumerate(model.of):
            members: tuple[str, ...] = (word,)
            if word.startswith("group:"):
                members = self.names.found("groups", word[6:], (*path, "of", index), self.report)
            people.update(member for member in members if member.startswith("user:"))
        known = all(
            word[6:] in self.names.entries["groups"] for word in model.of if word.startswith("group:")
        )
        if len(people) < model.count and known:
            message = f"{model.count} approvals are asked for, and {len(people) or 'no'} users may give them"
            self.report.add(
                (*path, "count"), message, "name more users or groups of users, or write a smaller count"
            )
        return Approvals(model.count, tuple(sorted(people)), model.within)


def _memberships(
    model: TextModel | DecimalModel | NetworksModel, path: YamlPath
) -> Iterator[tuple[str | list[Any], bool, YamlPath]]:
    if model.among is not None:
        yield model.among, False, (*path, "in")
    if model.not_in is not None:
        yield model.not_in, True, (*path, "not_in")


def _as_text(entry: Any) -> str:
    if not isinstance(entry, str):
        raise UnusableValueError(
            "this must be text", "write text; numbers and words such as true need quotes"
        )
    return entry


def _limit(model: LimitModel) -> LimitRule:
    if model.sum is not None and model.max is not None:
        return LimitRule("sum", model.sum, model.max, model.every, model.per)
    return LimitRule("count", None, Decimal(model.count), model.every, model.per)
