"""The table of decisions, `decision_cases.yml`."""

from datetime import datetime
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml

from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import Operation
from vaultsigner.domain.principals import Principal, PrincipalKind
from vaultsigner.policy import PolicySet, load

DATA: Any = yaml.safe_load(Path(__file__).with_name("decision_cases.yml").read_text("utf-8"))
TABLE = [
    pytest.param(block, case, id=f"{block}-{number}")
    for block, each in DATA["blocks"].items()
    for number, case in enumerate(each["cases"])
]


@cache
def policies_of(block: str) -> PolicySet:
    with TemporaryDirectory() as directory:
        (Path(directory) / f"{block}.yml").write_text(DATA["blocks"][block]["policy"])
        return load(Path(directory))


def circumstances_named(name: str) -> Circumstances | None:
    known = DATA["circumstances"][name]
    return Circumstances(ip_address(known[0]), datetime.fromisoformat(known[1])) if known else None


def principal_named(who: str) -> Principal:
    """Of any kind at all: a rule must not match a kind that there is not."""
    kind, _, name = who.partition(":")
    kinds: dict[str, PrincipalKind] = {"user": "user", "client": "client"}
    found = Principal(kinds.get(kind, "user"), name)
    if kind not in kinds:
        object.__setattr__(found, "kind", kind)
    return found


def test_the_table_is_long_enough() -> None:
    assert len(TABLE) >= 150


@pytest.mark.parametrize(("block", "case"), TABLE)
def test_each_case_is_decided_and_explained(block: str, case: list[Any]) -> None:
    who, operation, target, items, circumstances, effect, rule, why = case
    policies = policies_of(block)
    intent = Intent(Operation(operation), target, tuple(items if isinstance(items, list) else [items]))
    request = (principal_named(who), intent, circumstances_named(circumstances))
    decided = policies.evaluate(*request)
    assert (decided.effect, decided.rule, decided.policy) == (effect, rule, policies.digest)
    said = f"rule {rule} {'allows' if effect == 'allow' else 'denies'}" if rule else "no rule matches"
    assert decided.reason == said
    explanation = policies.explain(*request)
    assert explanation.decision == decided
    told = {each.rule: each for each in explanation.rules}
    assert list(told) == [each.id for each in policies.rules]
    if rule is not None:
        assert told[rule].matched
    if why:
        about, _, words = why.partition(": ")
        assert words in told[about].why
