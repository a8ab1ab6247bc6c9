"""Every expression of the dashboard and of the alert rules names what a running service really exports."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.adversarial.canary_desk import Desk
from tests.integration.eyes.expressions import FOREIGN_LABELS, Named, named
from tests.integration.eyes.traffic import scrape

FILES = Path(__file__).parents[3] / "deploy" / "monitoring"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")


def dashboard() -> Any:
    return json.loads((FILES / "grafana-dashboard.json").read_text())


def rules() -> list[Mapping[str, Any]]:
    document = yaml.safe_load((FILES / "alerts.yml").read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def expressions() -> Iterator[tuple[str, str]]:
    """Each with the place where it stands."""
    for rule in rules():
        yield f"alert {rule['alert']}", rule["expr"]
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            yield f"panel {panel['title']}", target["expr"]


EXPRESSIONS = list(expressions())


def unknown(found: Named, exported: Mapping[str, frozenset[str]]) -> set[str]:
    """What an expression names and nobody exports."""
    problems = {name for name in found.metrics if name not in exported}
    for name, labels in found.metrics.items():
        problems |= {f"{name}{{{label}}}" for label in labels - exported.get(name, labels) - FOREIGN_LABELS}
    everywhere = frozenset(label for name in found.metrics for label in exported.get(name, frozenset()))
    return problems | {f"by ({label})" for label in found.groups - everywhere - FOREIGN_LABELS}


def test_every_expression_names_metrics_and_labels_that_are_exported(busy: Desk) -> None:
    exported = scrape(busy.world.service).labels()
    assert len(EXPRESSIONS) > 50
    problems = {place: unknown(named(text), exported) for place, text in EXPRESSIONS}
    assert not {place: found for place, found in problems.items() if found}
    assert all(named(text).metrics for _, text in EXPRESSIONS)


def test_every_metric_of_ours_is_described_and_the_documents_name_all(busy: Desk) -> None:
    found = scrape(busy.world.service)
    page = (FILES.parents[1] / "docs" / "monitoring.md").read_text()
    ours = {
        f"{name}_total" if kind == "counter" else name
        for name, kind in found.kinds.items()
        if name.startswith("vaultsigner_")
    }
    assert not {name for name in ours if f"`{name}" not in page}
    assert not {rule["alert"] for rule in rules() if f"`{rule['alert']}`" not in page}


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("vaultsigner_nothing > 1", {"vaultsigner_nothing"}),
        ('vaultsigner_ready{wallet="x"} == 0', {"vaultsigner_ready{wallet}"}),
        ("sum by (nobody) (rate(vaultsigner_ready[5m]))", {"by (nobody)"}),
        ("count(count by (instance) (vaultsigner_ready)) > 1", set()),
        ("topk(3, max by (instance) (a / on (instance) group_left b))", {"a", "b"}),
        ("absent(vaultsigner_ready) or vector(0)", set()),
    ],
)
def test_what_is_not_exported_is_found(text: str, problems: set[str]) -> None:
    assert unknown(named(text), {"vaultsigner_ready": frozenset()}) == problems


def test_the_dashboard_is_whole() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells)), "panels lie on each other"
    assert all(panel["description"] for panel in panels if panel["type"] != "row")


def test_alerts_say_how_bad_it_is_and_what_to_do() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "description"}
    assert len({rule["alert"] for rule in rules()}) == len(rules())


def test_every_alert_that_pages_is_shown_to_fire() -> None:
    tests = yaml.safe_load((FILES / "alerts_test.yml").read_text())["tests"]
    fired = {
        shown["alertname"]
        for test in tests
        for shown in test.get("alert_rule_test", ())
        if shown.get("exp_alerts")
    }
    assert {rule["alert"] for rule in rules() if rule["labels"]["severity"] == "page"} <= fired


@needs_promtool
@pytest.mark.parametrize(
    "command",
    [
        ("check", "rules", "alerts.yml"),
        ("test", "rules", "alerts_test.yml"),
        ("check", "config", "prometheus.yml"),
    ],
    ids=" ".join,
)
def test_promtool_agrees(command: tuple[str, ...]) -> None:
    done = subprocess.run([str(PROMTOOL), *command], cwd=FILES, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_promtool_can_read_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    texts = [text for place, text in EXPRESSIONS if place.startswith("panel ")]
    groups = [
        {
            "name": "dashboard",
            "rules": [
                {"record": f"r{number}", "expr": text.replace("$__rate_interval", "5m")}
                for number, text in enumerate(texts)
            ],
        }
    ]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": groups}))
    done = subprocess.run(
        [str(PROMTOOL), "check", "rules", "--lint=none", "rules.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
