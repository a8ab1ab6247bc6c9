"""Names in rules that the configuration does not have."""

from dataclasses import replace
from pathlib import Path

from tests.unit.cli.sample import sample_settings, sample_wallet
from vaultsigner.config.settings import Client, KvReference, Settings, User
from vaultsigner.domain.names import ApiKey, ClientName, UserName
from vaultsigner.policy import UnknownName, load, unknown_names

SAM, BOT = UserName("sam"), ClientName("bot-1")


def settings() -> Settings:
    bare = sample_settings(sample_wallet("wallet_1", "one"))
    bot = Client(BOT, ApiKey("vs_bot"), "hmac", {}, KvReference("secret", "clients/bot-1", "secret"))
    return replace(bare, users={SAM: User(SAM, "", {})}, clients={BOT: bot})


def found_in(directory: Path, rules: str) -> tuple[UnknownName, ...]:
    (directory / "desk.yml").write_text(f"version: 1\nrules:\n{rules}")
    return unknown_names(load(directory), settings())


def test_known_names_and_stars_are_no_finding(tmp_path: Path) -> None:
    assert not found_in(
        tmp_path,
        '  - {id: a, effect: deny, principals: [user:sam, "user:*"], targets: [wallet:wallet_1, "wallet:*"]}\n'
        '  - {id: c, effect: deny, principals: [client:bot-1, "client:*"]}\n'
        '  - {id: b, effect: allow, principals: ["*"], targets: ["*"]}\n',
    )


def test_a_wallet_with_a_typo_is_told_with_place_rule_and_what_was_meant(tmp_path: Path) -> None:
    (found,) = found_in(
        tmp_path,
        "  - {id: all, effect: allow}\n  - {id: no-transfers, effect: deny, targets: [wallet:walet_1]}\n",
    )
    assert found.text == (
        f"policies: {tmp_path}/desk.yml:4:5: rule no-transfers: no wallet is called walet_1; did you mean wallet_1?"
    )
    assert (found.rule, found.name, found.opens) == ("no-transfers", "wallet:walet_1", True)


def test_an_allowing_rule_leaves_nothing_open(tmp_path: Path) -> None:
    (found,) = found_in(tmp_path, "  - {id: a, effect: allow, principals: [user:sma]}\n")
    assert "no user is called sma; known here: sam" in found.text
    assert not found.opens


def test_a_denied_client_with_a_typo_is_told_and_leaves_something_open(tmp_path: Path) -> None:
    (found,) = found_in(tmp_path, "  - {id: a, effect: deny, principals: [client:bot-11]}\n")
    assert "no client is called bot-11; did you mean bot-1?" in found.text
    assert found.opens


def test_a_user_is_no_client_and_no_client_is_a_user(tmp_path: Path) -> None:
    found = found_in(tmp_path, "  - {id: a, effect: allow, principals: [client:sam, user:bot-1]}\n")
    assert len(found) == 2


def test_each_name_of_a_rule_is_told(tmp_path: Path) -> None:
    found = found_in(
        tmp_path, "  - {id: a, effect: deny, principals: [user:x, user:sam], targets: [wallet:y, wallet:z]}\n"
    )
    assert [each.text.partition("no ")[2].partition(";")[0] for each in found] == [
        "user is called x",
        "wallet is called y",
        "wallet is called z",
    ]


def test_a_member_of_a_group_is_told_once_where_the_group_stands(tmp_path: Path) -> None:
    head = "version: 1\ngroups:\n  desk: [user:sam, user:sma, client:bot-11]\nrules:\n"
    rules = "  - {id: a, effect: allow, principals: [group:desk]}\n  - {id: b, effect: EFFECT, principals: [group:desk]}\n"
    for effect, opens in (("allow", False), ("deny", True)):
        (tmp_path / "desk.yml").write_text(head + rules.replace("EFFECT", effect))
        found = unknown_names(load(tmp_path), settings())
        group = f"policies: {tmp_path}/desk.yml:3:3: group desk"
        assert [(each.rule, each.text, each.opens) for each in found] == [
            ("a", f"{group}: no client is called bot-11; did you mean bot-1?", opens),
            ("a", f"{group}: no user is called sma; known here: sam", opens),
        ]


def test_an_approver_that_nobody_is_is_told(tmp_path: Path) -> None:
    (found,) = found_in(
        tmp_path, "  - {id: a, effect: allow, approvals: {count: 1, of: [user:sam, user:zoe], within: 1h}}\n"
    )
    assert "no user is called zoe" in found.text
    assert not found.opens


def test_exchanges_and_open_api_apps_that_the_configuration_lacks_are_told(tmp_path: Path) -> None:
    found = found_in(tmp_path, "  - {id: a, effect: deny, targets: [exchange:x, open_api:y]}\n")
    assert [each.told for each in found] == [
        "no exchange is called x; there is none yet",
        "no Open API app is called y; there is none yet",
    ]
