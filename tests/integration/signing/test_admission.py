"""Who gets how far: the order of the checks, the old service's words, and what is enforced where it once was not."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.world import Answer, Vector, World, cheap_hash, running_world
from vaultsigner.cli.key_material import new_private_key
from vaultsigner.dev.installation import PlannedUser, PlannedWallet

POLICY = """\
version: 1
rules:
  - id: within-permissions
    effect: allow
  - id: nobody-votes
    effect: deny
    operations: [vote.*]
"""
VOTE = {"proposal_id": 1, "option": "Yes"}
FREEZE = {"symbol": "BNB", "amount": "1"}
ORDER = {
    "symbol": "ANN-457_BNB",
    "side": 1,
    "order_type": 2,
    "time_in_force": 1,
    "price": 1,
    "quantity": 1,
}


@pytest.fixture(scope="module")
def fenced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Wallets and users whose permissions overlap in every way that matters."""
    wallets = (
        PlannedWallet("open", new_private_key()),
        PlannedWallet("trade-only", new_private_key(), permissions=("trade", "resync")),
        PlannedWallet("elsewhere", new_private_key(), ip_whitelist=("10.0.0.0/8", "192.0.2.7")),
        PlannedWallet("here", new_private_key(), ip_whitelist=("10.0.0.0/8", "127.0.0.0/8")),
        PlannedWallet("hidden", new_private_key()),
    )
    limited = PlannedUser(
        "limited",
        "limited password",
        {"open": ("trade", "vote"), "trade-only": ("transfer", "trade")},
        cheap_hash("limited password"),
    )
    with running_world(
        tmp_path_factory.mktemp("fenced"), [], users=(limited,), wallets=wallets, policy=POLICY
    ) as world:
        for number, wallet in enumerate(wallets):
            world.node.chain.add_account(wallet.address("tbnb"), number + 1, 5)
        yield world


def ask(world: World, path: str, body: object) -> Answer:
    return world.ask("POST", path, body, token=world.token("limited", "limited password"))


def error(answer: Answer) -> tuple[int, str, Any]:
    assert answer.body.keys() == {"code", "message", "detail", "request_id"}
    assert answer.body["request_id"] == answer.request_id
    return answer.status, answer.body["code"], answer.body["detail"]


@pytest.mark.parametrize(
    "body", [{}, {"wallet_name": "open", "msg": ORDER}, {"wallet_name": "no-such"}, [], "x"]
)
def test_a_stranger_learns_nothing_of_wallets(fenced: World, body: object) -> None:
    answer = fenced.ask("POST", "/api/order/sign", body, token=None)
    assert error(answer) == (401, "not_authenticated", "Not authenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_bad_token_comes_before_a_bad_body(fenced: World) -> None:
    answer = fenced.ask("POST", "/api/order/sign", {}, token="a.b.c")
    assert error(answer) == (403, "invalid_token", "Could not validate credentials")


@pytest.mark.parametrize(
    "body", [{}, {"wallet_name": ""}, {"wallet_name": None}, {"wallet_name": ["open"]}, []]
)
def test_no_wallet_name(fenced: World, body: object) -> None:
    answer = ask(fenced, "/api/order/sign", body)
    assert error(answer) == (400, "missing_wallet_name", "Expecting wallet_name parameter")


@pytest.mark.parametrize("name", ["no-such", "hidden"])
def test_unknown_and_not_yours_look_alike(fenced: World, name: str) -> None:
    for answer in (
        ask(fenced, "/api/order/sign", {"wallet_name": name, "msg": ORDER}),
        ask(fenced, "/api/wallet/resync", {"wallet_name": name}),
        fenced.ask("GET", f"/api/wallet/{name}", None, token=fenced.token("limited", "limited password")),
    ):
        assert error(answer) == (404, "wallet_not_found", f"Not authorised to access wallet {name}")
        assert fenced.records(answer.request_id)[0]["wallet"] == (None if name == "no-such" else name)


@pytest.mark.parametrize("path", ["/api/order/sign", "/api/order/broadcast", "/api/wallet/resync"])
def test_the_whitelist_is_enforced(fenced: World, path: str) -> None:
    body = {"wallet_name": "elsewhere", "msg": ORDER}
    assert error(fenced.post(path, body)) == (403, "address_not_allowed", "Access denied 127.0.0.1")
    assert fenced.post(path, {"wallet_name": "here", "msg": ORDER}).status == 200


def test_the_whitelist_does_not_hide_a_wallet_from_the_list(fenced: World) -> None:
    assert "elsewhere" in [wallet["name"] for wallet in fenced.get("/api/wallet").body]


def test_the_wallets_permission_is_checked_first(fenced: World) -> None:
    answer = ask(fenced, "/api/freeze/sign", {"wallet_name": "trade-only", "msg": FREEZE})
    assert error(answer) == (403, "no_permission", "No permission freeze")


def test_then_the_users(fenced: World) -> None:
    answer = ask(fenced, "/api/freeze/sign", {"wallet_name": "open", "msg": FREEZE})
    assert error(answer) == (403, "no_permission", "User has no permission freeze on wallet open")


def test_resync_needs_its_own_permission(fenced: World) -> None:
    answer = ask(fenced, "/api/wallet/resync", {"wallet_name": "open"})
    assert error(answer) == (403, "no_permission", "User has no permission resync on wallet open")


def test_the_shape_is_checked_before_permissions(fenced: World) -> None:
    answer = ask(fenced, "/api/freeze/sign", {"wallet_name": "open", "msg": {"symbol": "BNB"}})
    assert (answer.status, answer.body["detail"][0]["loc"]) == (422, ["body", "freeze", "msg", "amount"])


def test_policy_denies_inside_the_permissions(fenced: World) -> None:
    answer = ask(fenced, "/api/vote/sign", {"wallet_name": "open", "msg": VOTE})
    assert answer.status == 403
    assert answer.body["code"] == "policy_denied"
    assert "nobody-votes" in answer.body["message"]
    intent, outcome = fenced.records(answer.request_id)
    assert (intent["kind"], intent["decision"]["effect"], intent["decision"]["rule"]) == (
        "intent",
        "deny",
        "nobody-votes",
    )
    assert (outcome["kind"], outcome["status"]) == ("outcome", 403)


def test_a_wallet_shows_the_permissions_in_common(fenced: World) -> None:
    answer = fenced.ask("GET", "/api/wallet", None, token=fenced.token("limited", "limited password"))
    assert [(wallet["name"], wallet["permissions"], wallet["env"]) for wallet in answer.body] == [
        ("open", ["trade", "vote"], "TESTNET"),
        ("trade-only", ["trade"], "TESTNET"),
    ]


def test_unknown_members_are_ignored_and_named_in_the_record(fenced: World) -> None:
    body = {"wallet_name": "open", "msg": {**ORDER, "colour": "red"}, "hurry": True}
    answer = ask(fenced, "/api/order/sign", body)
    assert answer.status == 200
    assert sorted(fenced.records(answer.request_id)[0]["unknown_members"]) == ["hurry", "msg.colour"]


def test_a_user_who_lost_the_password_loses_the_token(
    tmp_path_factory: pytest.TempPathFactory, vectors: list[Vector]
) -> None:
    with running_world(tmp_path_factory.mktemp("changed"), vectors[:1]) as world:
        token = world.token()
        world.service.stop()
        config = world.installation.config_file
        text = config.read_text()
        old_hash = next(line.split(": ", 1)[1] for line in text.splitlines() if "password_hash" in line)
        config.write_text(text.replace(old_hash, cheap_hash("another password")))
        world.service.start()
        answer = world.ask("GET", "/api/wallet", None, token=token)
        assert error(answer) == (403, "invalid_token", "Could not validate credentials")
        assert "password" in world.records(answer.request_id)[0]["reason"]
