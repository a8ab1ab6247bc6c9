"""`policy explain`: the same answer as from the running service, and what config.yml says before policy is asked."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.unit.signing.desks import PAYMENT, open_desks
from tests.unit.signing.test_explaining import ORDER_QUERY, RULES, WITH_EXCHANGES
from vaultsigner.cli import main
from vaultsigner.policy import load

ASKED = ("transfer.broadcast", "wallet:hot")
MOMENT, ADDRESS = "2026-11-20T10:00:00Z", "10.0.0.7"


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "rules.yml").write_text(RULES)
    (tmp_path / "config.yml").write_text(WITH_EXCHANGES)
    return tmp_path


def invoke(desk: Path, who: str, target: str, *more: str) -> Result:
    command = ["policy", "explain", "--config", f"{desk}/config.yml", "--policies", f"{desk}/policies"]
    command += ["--as", who, "--target", target, "--ip", ADDRESS, "--at", MOMENT, *more]
    return CliRunner().invoke(main, command)


def explained(desk: Path, who: str, operation: str, target: str, *more: str, item: object = PAYMENT) -> str:
    done = invoke(desk, who, target, "--operation", operation, "--item", json.dumps(item), *more)
    assert done.exit_code == 0, done.output
    return done.output


async def answered(desk: Path, who: str, body: dict[str, Any]) -> Any:
    """What the service says to an operator who asks the same."""
    asked = {"principal": who, "ip": ADDRESS, "at": MOMENT, **body}
    async with open_desks(desk, WITH_EXCHANGES) as desks:
        trail = desks.trail("user:olga", asked, policies=load(desk / "policies"))
        return await desks.explaining.explain(trail, desks.caller("user:olga"))


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
    told = json.loads(explained(desk, who, operation, target, "--json", item=item))
    assert told == await answered(desk, who, {"operation": operation, "target": target, "item": item})


@pytest.mark.parametrize(
    ("options", "request_"),
    [
        (
            ("--method", "POST", "--path", "/api/v3/order", "--query", ORDER_QUERY),
            {"method": "POST", "path": "/api/v3/order", "query": ORDER_QUERY},
        ),
        (
            (
                "--method",
                "POST",
                "--path",
                "/api/v3/order",
                "--params",
                '{"symbol": "BTCUSDT", "price": 1.50}',
            ),
            {"method": "POST", "path": "/api/v3/order", "params": {"symbol": "BTCUSDT", "price": "1.50"}},
        ),
        (
            ("--method", "POST", "--path", "/api/v3/order", "--body", ORDER_QUERY),
            {"method": "POST", "path": "/api/v3/order", "body": ORDER_QUERY},
        ),
        (
            ("--ws", "order.place", "--params", '{"symbol": "BTCUSDT"}'),
            {"ws": "order.place", "params": {"symbol": "BTCUSDT"}},
        ),
        (("--ws", "session.logon"), {"ws": "session.logon"}),
    ],
)
@pytest.mark.parametrize("who", ["user:sam", "client:bot-1"])
async def test_a_request_to_an_exchange_is_explained_as_the_service_does(
    desk: Path, who: str, options: tuple[str, ...], request_: dict[str, Any]
) -> None:
    done = invoke(desk, who, "exchange:main", *options, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told == await answered(desk, who, {"target": "exchange:main", "request": request_})
    assert told["permission"]["there"] is (who == "client:bot-1")


WHERE = ("--method", "POST", "--path", "/api/v3/order")


@pytest.mark.parametrize(
    ("target", "options", "said"),
    [
        ("exchange:main", (), "--operation"),
        ("exchange:main", ("--method", "POST"), "--path"),
        ("exchange:main", ("--query", ORDER_QUERY), "--method"),
        ("exchange:main", (*WHERE, "--ws", "order.place"), "leave out --method"),
        ("exchange:main", (*WHERE, "--operation", "exchange.order"), "--operation is read from the request"),
        ("exchange:main", (*WHERE, "--item", "{}"), "--item is read from the request"),
        ("exchange:main", (*WHERE, "--memo", "x"), "--memo is read from the request"),
        ("exchange:main", (*WHERE, "--query", ORDER_QUERY, "--params", '{"a": 1}'), "in one place"),
        ("exchange:main", (*WHERE, "--query", "symbol=A&timestamp=1"), "vaultsigner sets timestamp"),
        ("exchange:main", (*WHERE, "--query", "symbol=\udcff"), "not UTF-8"),
        ("exchange:main", (*WHERE, "--params", "[]"), "an object"),
        ("exchange:main", (*WHERE, "--params", '{"a": 1, "a": 2}'), "given twice"),
        ("exchange:main", ("--method", "POST", "--path", "api/v3/order"), "--path: "),
        ("wallet:hot", WHERE, "write exchange:NAME"),
        ("exchange:mian", WHERE, "did you mean main?"),
        ("wallet:hott", ("--operation", "transfer.sign"), "did you mean hot?"),
        ("open_api:mini", ("--operation", "open_api.token"), "there is none yet"),
        (
            "exchange:main",
            ("--operation", "exchange.order", "--item", '{"quoteOrderQty": "1"}'),
            "quote_quantity",
        ),
    ],
)
def test_questions_that_make_no_sense_say_what_to_write(
    desk: Path, target: str, options: tuple[str, ...], said: str
) -> None:
    done = invoke(desk, "client:bot-1", target, *options)
    assert done.exit_code == 2, done.output
    assert said in " ".join(done.output.split())


def test_what_the_configuration_says_is_told_with_the_decision(desk: Path) -> None:
    assert "permission transfer: wallet and caller have it" in explained(desk, "user:sam", *ASKED)
    shown = explained(desk, "user:sam", "order.sign", "wallet:hot")
    assert "User has no permission trade on wallet hot: refused before policy is asked" in shown


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("user:samm", "no user has this name; did you mean sam?"),
        ("client:sam", "no client has this name; known here: bot-1"),
    ],
)
def test_callers_whom_the_configuration_lacks_are_told_with_the_nearest(
    desk: Path, who: str, said: str
) -> None:
    done = invoke(desk, who, "wallet:hot", "--operation", "transfer.sign")
    assert (done.exit_code, said in done.output) == (2, True), done.output


def test_without_a_configuration_any_caller_and_target_can_be_asked_about(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desk / "config.yml").unlink()
    monkeypatch.chdir(desk)
    command = ["policy", "explain", "--as", "user:nobody", "--target", "exchange:nowhere", *WHERE]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    assert "come first, and are not asked here" in done.output


def test_fields_written_by_hand_have_a_note(desk: Path) -> None:
    shown = explained(desk, "user:sam", "exchange.order", "exchange:main", item={"symbol": "BTCUSDT"})
    assert "Note: These fields were written by hand" in shown
    assert "Note" not in explained(desk, "user:sam", *ASKED)


def test_rules_are_explained_where_the_configuration_is_broken(desk: Path) -> None:
    (desk / "config.yml").write_text("walets: []\n")
    assert json.loads(explained(desk, "user:sam", *ASKED, "--json"))["decision"]["rule"] == "large"
