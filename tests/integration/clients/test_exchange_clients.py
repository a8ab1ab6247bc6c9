"""ccxt and python-binance against vaultsigner: requests that their own code signs and sends are accepted as theirs."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.signed.callers import KEYS, NAMES, SCHEMES, planned_clients
from tests.world import Vector, World, planned_wallets, running_world, wallet_name

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-exchange-clients" / "bin" / "python"
DRIVER = ROOT / "tests" / "clients" / "exchange_driver.py"
LIBRARIES = ["ccxt", "python-binance"]
BY_SCHEME = {"hmac": "hmac_doc", "rsa": "rsa_test", "ed25519": "ed25519_test"}
ORDER = {"symbol": "LTCBTC", "side": "BUY", "type": "LIMIT", "quantity": "1", "price": "0.1"}
CHECK = "/api/auth/check"
METHODS = ["GET", "POST", "PUT", "DELETE"]

Call = dict[str, Any]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, vectors: list[Vector]) -> Iterator[World]:
    some = [vector for vector in vectors if vector["id"] == "transfer-001"]
    wallets = [wallet.name for wallet in planned_wallets(some)]
    with running_world(tmp_path_factory.mktemp("desk"), some, clients=planned_clients(*wallets)) as world:
        yield world


def made(world: World, library: str, scheme: str, calls: list[Call]) -> list[Any]:
    """The answers to calls that a library signs and sends."""
    key = KEYS[BY_SCHEME[scheme]]
    return driven(world, library, key["api_key"], key.get("secret") or key["private_key"], calls)


def driven(world: World, library: str, api_key: str, secret: str, calls: list[Call]) -> list[Any]:
    job = {"library": library, "url": world.url, "api_key": api_key, "secret": secret, "calls": calls}
    done = subprocess.run(
        [PYTHON, DRIVER], input=json.dumps(job), capture_output=True, text=True, check=False, env={}
    )
    assert done.returncode == 0, done.stderr
    answers: list[Any] = json.loads(done.stdout)
    return answers


def call(method: str, parameters: dict[str, str], path: str = CHECK, *, tamper: bool = False) -> Call:
    return {"method": method, "path": path, "parameters": parameters, "tamper": tamper}


@pytest.mark.parametrize("scheme", BY_SCHEME)
@pytest.mark.parametrize("library", LIBRARIES)
def test_what_the_library_signs_is_accepted_and_changed_it_is_not(
    desk: World, vectors: list[Vector], library: str, scheme: str
) -> None:
    wallet = wallet_name(next(vector for vector in vectors if vector["id"] == "transfer-001"))
    good = [call(method, ORDER | {"newClientOrderId": method}) for method in METHODS]
    changed = [call(method, ORDER | {"newClientOrderId": "x"}, tamper=True) for method in METHODS]
    wallets = [call("GET", {"n": "1"}, "/api/wallet"), call("GET", {"n": "2"}, f"/api/wallet/{wallet}")]
    answers = made(desk, library, scheme, [*good, *changed, *wallets])
    name = NAMES[BY_SCHEME[scheme]]
    expected = {"principal": {"type": "client", "name": name, "scheme": SCHEMES[name]}}
    assert answers[:4] == [{"status": 200, "body": expected}] * 4
    assert [(answer["status"], answer["body"]["code"]) for answer in answers[4:8]] == [
        (401, "authentication_failed")
    ] * 4
    assert [answer["status"] for answer in answers[8:]] == [200, 200]
    assert [found["name"] for found in answers[8]["body"]] == [wallet] == [answers[9]["body"]["name"]]


def test_ccxt_encodes_before_it_signs(desk: World) -> None:
    parameters = {"newClientOrderId": "a b+c/d=e&f", "symbol": "１２３４５６"}
    answers = made(desk, "ccxt", "hmac", [call(method, parameters) for method in METHODS])
    assert [answer["status"] for answer in answers] == [200] * 4


def test_python_binance_signs_before_it_encodes_and_the_record_says_so(desk: World) -> None:
    (answer,) = made(desk, "python-binance", "hmac", [call("POST", {"newClientOrderId": "a b+c"})])
    assert (answer["status"], answer["body"]["code"]) == (401, "authentication_failed")
    (record,) = desk.records(answer["body"]["request_id"])
    assert "decoded" in record["reason"]


def test_a_secret_that_is_not_the_clients_is_refused(desk: World) -> None:
    """The libraries' requests are accepted for their signature, not because they look like those of a client."""
    api_key = KEYS[BY_SCHEME["hmac"]]["api_key"]
    (answer,) = driven(desk, "ccxt", api_key, "another", [call("GET", {"a": "b"})])
    assert answer["status"] == 401
