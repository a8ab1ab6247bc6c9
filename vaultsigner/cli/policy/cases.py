"""Cases of `vaultsigner policy test`: requests and what should be decided, in strict YAML with places in every complaint."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator

from vaultsigner.cli.policy import request
from vaultsigner.config.fields import StrictModel, text_read_by
from vaultsigner.config.files import read_limited
from vaultsigner.config.problems import ConfigProblems, KnownWords, Problem, UnusableValueError
from vaultsigner.config.report import Report
from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.decisions import Effect
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import Operation
from vaultsigner.domain.principals import Principal
from vaultsigner.policy.words import read_effect
from vaultsigner.strict_yaml import YamlValue, parse

MAX_BYTES = 16 * 1024 * 1024
_DATE_KEYS = frozenset({"at"})


def _version(value: Any) -> int:
    if value != 1 or isinstance(value, bool):
        raise UnusableValueError("this version of case files is not known", "write version: 1")
    return 1


def _name(text: str) -> str:
    if not text.strip() or len(text) > 200 or not text.isprintable():
        raise UnusableValueError(
            "this is no usable name", "write what the case shows, in at most 200 characters"
        )
    return text


def _written_out(value: Any) -> Any:
    """`expect: deny` is short for `expect: {effect: deny}`."""
    return {"effect": value} if isinstance(value, str) else value


Address = Annotated[IPv4Address | IPv6Address | None, text_read_by(request.read_ip)]
Moment = Annotated[datetime | None, text_read_by(request.read_moment)]
FieldName = Annotated[str, text_read_by(request.read_field_name)]
FieldValue = Annotated[str | int | bool, PlainValidator(request.read_field_value)]


class ExpectModel(StrictModel):
    """What should be decided. Members that are not there are not compared."""

    effect: Annotated[Effect, text_read_by(read_effect)]
    rule: str | None = None
    approvals: Annotated[int, Field(ge=0, le=100)] | None = None


class DefaultsModel(StrictModel):
    """What cases have that do not say otherwise."""

    ip: Address = None
    at: Moment = None


class CaseModel(StrictModel):
    """One of `cases`."""

    name: Annotated[str, text_read_by(_name)]
    principal: Annotated[Principal, text_read_by(request.read_principal)]
    operation: Annotated[Operation, text_read_by(request.read_operation)]
    target: Annotated[str, text_read_by(request.read_target)]
    items: Annotated[list[dict[FieldName, FieldValue]], Field(min_length=1)]
    memo: str = ""
    ip: Address = None
    at: Moment = None
    expect: Annotated[ExpectModel, BeforeValidator(_written_out)]


class CasesModel(StrictModel):
    """All of one file."""

    version: Annotated[int, PlainValidator(_version)]
    defaults: DefaultsModel = DefaultsModel()
    cases: Annotated[list[CaseModel], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Case:
    """One request with what should be decided.

    Args:
        place: file and line, for messages.
        circumstances: None where the case has none: rules that ask for the address or the time are not met then.
        expected: by member: `effect`, and `rule` and `approvals` where the case names them. An approvals count of 0 is none.
    """

    name: str
    place: str
    principal: Principal
    intent: Intent
    circumstances: Circumstances | None
    expected: dict[str, str | int | None]


def load_cases(directory: Path, rule_ids: frozenset[str]) -> tuple[tuple[Case, ...], int]:
    """Every case of the `*.yml` files of a directory, and how many files that are.

    Args:
        rule_ids: of the rules that the cases are for.

    Raises:
        ConfigProblems: anything is wrong in a file, or there is none.
    """
    cases: list[Case] = []
    problems: list[Problem] = []
    files = _files(directory)
    rules = KnownWords(rule_ids)
    for path in files:
        document = parse(read_limited(path, MAX_BYTES), max_bytes=MAX_BYTES, date_keys=_DATE_KEYS)
        report = Report(str(path), document)
        if document.complete:
            model = _model(document.value, report)
            if model is not None and not report.problems:
                _check(model, rule_ids, rules, report)
                lines = [document.values["cases", index].line for index in range(len(model.cases))]
                cases.extend(_cases(model, path, lines))
        problems.extend(report.problems)
    if problems:
        raise ConfigProblems(problems)
    return tuple(cases), len(files)


def _files(directory: Path) -> list[Path]:
    """In the order of their names' bytes. A case that nobody runs looks like one that passes."""
    try:
        entries = sorted(directory.iterdir(), key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        hint = "write cases into *.yml files there; `vaultsigner policy test --help` shows one"
        raise _failure(str(directory), f"cannot be read: {error.strerror}", hint) from error
    for entry in entries:
        if (
            not entry.name.startswith(".")
            and entry.suffix.lower() in (".yml", ".yaml")
            and entry.suffix != ".yml"
        ):
            raise _failure(str(entry), "only files ending in .yml are read", "rename it, or move it away")
    files = [entry for entry in entries if entry.suffix == ".yml" and not entry.name.startswith(".")]
    if not files:
        hint = "`vaultsigner policy test --help` shows one"
        raise _failure(str(directory), "there is no file of cases (*.yml)", hint)
    return files


def _failure(file: str, message: str, hint: str) -> ConfigProblems:
    return ConfigProblems([Problem(file, None, None, "", message, hint)])


def _model(tree: YamlValue, report: Report) -> CasesModel | None:
    if not isinstance(tree, dict):
        report.add((), "this is no file of cases", "write version: 1 and cases")
        return None
    return report.validated(CasesModel, tree)


def _check(model: CasesModel, rule_ids: frozenset[str], rules: KnownWords, report: Report) -> None:
    """What a single value cannot tell."""
    names: set[str] = set()
    for index, case in enumerate(model.cases):
        place = ("cases", index)
        if case.name in names:
            report.add((*place, "name"), "another case of this file has this name", "write another")
        names.add(case.name)
        if case.expect.rule is not None and case.expect.rule not in rule_ids:
            report.add((*place, "expect", "rule"), "no rule has this id", rules.hint(case.expect.rule))
        ip, at = case.ip or model.defaults.ip, case.at or model.defaults.at
        if (ip is None) is not (at is None):
            missing = "ip" if ip is None else "at"
            report.add(
                place, f"{missing} is missing", "write both ip and at, here or under defaults, or neither"
            )


def _cases(model: CasesModel, path: Path, lines: list[int]) -> Iterator[Case]:
    for case, line in zip(model.cases, lines, strict=True):
        ip, at = case.ip or model.defaults.ip, case.at or model.defaults.at
        circumstances = Circumstances(ip, at) if ip is not None and at is not None else None
        intent = Intent(case.operation, case.target, tuple(dict(item) for item in case.items), case.memo)
        expected = {member: getattr(case.expect, member) for member in ("effect", "rule", "approvals")}
        named = {
            member: value for member, value in expected.items() if member in case.expect.model_fields_set
        }
        yield Case(case.name, f"{path}:{line}", case.principal, intent, circumstances, named)
