"""Where things stand in policy files: what is told, is told at the very word."""

from pathlib import Path

import pytest

from vaultsigner.policy.loader import load_with_places
from vaultsigner.policy.places import Places
from vaultsigner.strict_yaml import YamlPath

RULES = """\
version: 1
groups: {desk: [user:sam, user:sma]}
rules:
  - id: one
    effect: allow
    principals: [group:desk, user:kim]
    operations: [order.*]
    when:
      side: {in: [buy, sel]}
      symbol: {in: $majors}
    limits:
      - {count: 1, every: 1m}
  - {id: two, effect: deny, when: {side: {equals: sel}}}
"""
LISTS = "version: 1\nlists:\n  majors:\n    - BNB_X\n    - BNB_Y\nrules: [{id: other, effect: deny}]\n"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "lists.yml").write_text(LISTS)
    return load_with_places(tmp_path)[1]


@pytest.mark.parametrize(
    ("rule", "member", "place"),
    [
        ("one", (), "rules.yml:4:5"),
        ("one", ("effect",), "rules.yml:5:13"),
        ("one", ("limits", 0), "rules.yml:12:9"),
        ("one", ("limits", 7), "rules.yml:12:7"),
        ("one", ("expires",), "rules.yml:4:5"),
        ("two", ("when", "side"), "rules.yml:13:42"),
        ("other", (), "lists.yml:6:9"),
    ],
)
def test_a_member_or_what_is_around_it(
    places: Places, tmp_path: Path, rule: str, member: YamlPath, place: str
) -> None:
    assert str(places.of(rule, member)) == f"{tmp_path}/{place}"


@pytest.mark.parametrize(
    ("where", "text", "place"),
    [
        (("one", ("when", "side")), "sel", "rules.yml:9:24"),
        (("two", ("when", "side")), "sel", "rules.yml:13:51"),
        (("one", ("when", "symbol")), "BNB_Y", "lists.yml:5:7"),
        (("one", ()), "user:kim", "rules.yml:6:30"),
        (("one", ()), "user:sma", "rules.yml:2:27"),
        (("one", ("when", "symbol")), "nowhere", "rules.yml:10:15"),
        (("one", ("targets",)), "nowhere", "rules.yml:4:5"),
    ],
)
def test_a_text_in_a_member_or_in_what_the_member_names(
    places: Places, tmp_path: Path, where: tuple[str, YamlPath], text: str, place: str
) -> None:
    rule, member = where
    assert str(places.of_text(rule, text, member)) == f"{tmp_path}/{place}"


def test_a_rule_of_no_file_stands_nowhere(places: Places) -> None:
    assert places.of("three") is None
    assert places.of_text("three", "sel") is None
