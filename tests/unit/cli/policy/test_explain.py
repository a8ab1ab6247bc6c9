"""`policy explain`: the same answer as from the running service, and what config.yml says before policy is asked."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.unit.signing.desks import CONFIG, PAYMENT, open_desks
from tests.unit.signing.test_explaining import RULES
from vaultsigner.cli import main
from vaultsigner.policy import load

ASKED = ("transfer.broadcast", "wallet:hot")
MOMENT, ADDRESS = "2026-11-20T10:00:00Z", "10.0.0.7"


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "rules.yml").write_text(RULES)
    (tmp_path / "config.yml").write_text(CONFIG)
    return tmp_path


def explained(desk: Path, who: str, operation: str, target: str, *more: str, item: object = PAYMENT) -> str:
    command = ["policy", "explain", "--config", f"{desk}/config.yml", "--policies", f"{desk}/policies"]
    command += ["--as", who, "--operation", operation, "--target", target, "--item", json.dumps(item)]
    done = CliRunner().invoke(main, [*command, "--ip", ADDRESS, "--at", MOMENT, *more])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize(
    ("who", "what", "item"),
    [
        ("user:sam", ASKED, PAYMENT),
        ("user:sam", ("transfer.sign", "wallet:hot"), {**PAYMENT, "amount": "9.5"}),
        ("client:bot-1", ("transfer.sign", "wallet:hot"), PAYMENT),
        ("client:bot-1", ("order.sign", "wallet:hot"), {"symbol": "BNB_X"}),
        ("user:sam", ("exchange.order", "exchange:main"), {"symbol": "BNBUSDT"}),
    ],
)
async def test_programs_are_told_what_the_service_answers_an_operator(
    desk: Path, who: str, what: tuple[str, str], item: dict[str, Any]
) -> None:
    operation, target = what
    body = {"principal": who, "operation": operation, "target": target, "item": item}
    async with open_desks(desk) as desks:
        trail = desks.trail(
            "user:olga", {**body, "ip": ADDRESS, "at": MOMENT}, policies=load(desk / "policies")
        )
        answered = await desks.explaining.explain(trail, desks.caller("user:olga"))
    assert json.loads(explained(desk, who, operation, target, "--json", item=item)) == answered


def test_what_the_configuration_says_is_told_with_the_decision(desk: Path) -> None:
    assert "permission transfer: wallet and caller have it" in explained(desk, "user:sam", *ASKED)
    shown = explained(desk, "user:sam", "order.sign", "wallet:hot")
    assert "User has no permission trade on wallet hot: refused before policy is asked" in shown


@pytest.mark.parametrize("who", ["user:nobody", "client:sam"])
def test_of_a_caller_that_the_configuration_lacks_nothing_is_said(desk: Path, who: str) -> None:
    assert "come first, and are not asked here" in explained(desk, who, *ASKED)
    assert json.loads(explained(desk, who, *ASKED, "--json"))["permission"] is None


def test_rules_are_explained_where_the_configuration_is_broken(desk: Path) -> None:
    (desk / "config.yml").write_text("walets: []\n")
    assert json.loads(explained(desk, "user:sam", *ASKED, "--json"))["decision"]["rule"] == "large"
