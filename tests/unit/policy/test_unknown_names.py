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
    assert found == UnknownName(
        "no-transfers",
        f"policies: {tmp_path}/desk.yml:4: rule no-transfers: no wallet is called walet_1; did you mean wallet_1?",
        opens=True,
    )


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
