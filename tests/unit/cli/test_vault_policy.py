"""The least policy, as text."""

import re

import pytest

from tests.unit.cli.sample import sample_app, sample_client, sample_exchange, sample_settings, sample_wallet
from vaultsigner.cli.held_secrets import kv_references
from vaultsigner.cli.vault_policy import PolicyTextError, least_policy, transit_keys
from vaultsigner.config.settings import TransitReference


def test_the_policy_names_each_path_once_and_nothing_else() -> None:
    settings = sample_settings(
        sample_wallet("one", "wallets/one"),
        sample_wallet("two", "wallets/two"),
        sample_wallet("again", "wallets/one"),
    )
    text = least_policy(settings)
    assert [line for line in text.splitlines() if line.startswith(("path", "  cap"))] == [
        'path "secret/data/wallets/one" {',
        '  capabilities = ["read"]',
        'path "secret/subkeys/wallets/one" {',
        '  capabilities = ["read"]',
        'path "secret/data/wallets/two" {',
        '  capabilities = ["read"]',
        'path "secret/subkeys/wallets/two" {',
        '  capabilities = ["read"]',
        'path "transit/sign/access-tokens" {',
        '  capabilities = ["update"]',
        'path "transit/keys/access-tokens" {',
        '  capabilities = ["read"]',
        'path "transit/sign/audit-checkpoints" {',
        '  capabilities = ["update"]',
        'path "transit/keys/audit-checkpoints" {',
        '  capabilities = ["read"]',
        'path "auth/token/renew-self" {',
        '  capabilities = ["update"]',
        'path "auth/token/lookup-self" {',
        '  capabilities = ["read"]',
    ]
    assert "# the key of one, again" in text


def test_a_client_s_secret_is_read_and_no_other_of_its_paths() -> None:
    settings = sample_settings(
        sample_wallet("one", "desk/one"),
        clients=[
            sample_client("bot", "clients/bot"),
            sample_client("near", "desk/one"),
            sample_client("own-key", None),
        ],
    )
    text = least_policy(settings)
    assert [line for line in text.splitlines() if line.startswith('path "secret')] == [
        'path "secret/data/desk/one" {',
        'path "secret/subkeys/desk/one" {',
        'path "secret/data/clients/bot" {',
    ]
    assert "# the key of one; the secret of client near\n" in text
    assert "# the secret of client bot\n" in text
    assert [reference.path for reference in kv_references(settings)] == ["desk/one", "clients/bot"]


def test_exchanges_sign_in_transit_and_apps_secrets_are_read() -> None:
    settings = sample_settings(
        exchanges=[
            sample_exchange("main", "transit:keys/main"),
            sample_exchange("futures", "transit:keys/main"),
            sample_exchange("rsa", "transit:keys/rsa", scheme="rsa"),
            sample_exchange("ed", "transit:keys/ed", scheme="ed25519"),
            sample_exchange("kv", "vault:secret/exchanges/kv#secret"),
        ],
        open_api=[sample_app("app", "open-api/app", opens=True)],
    )
    text = least_policy(settings)
    assert re.findall(r'# (.*)\npath "(.*)" {\n  capabilities = \["(.*)"\]\n}', text)[:-4] == [
        ("the secret of exchange kv", "secret/data/exchanges/kv", "read"),
        ("whether it is there, without its value", "secret/subkeys/exchanges/kv", "read"),
        (
            "the secret key of Open API app app; the private key of Open API app app",
            "secret/data/open-api/app",
            "read",
        ),
        ("whether it is there, without its value", "secret/subkeys/open-api/app", "read"),
        ("sign access tokens", "transit/sign/access-tokens", "update"),
        ("the public half of that key", "transit/keys/access-tokens", "read"),
        ("sign checkpoints of the record", "transit/sign/audit-checkpoints", "update"),
        ("the public half of that key", "transit/keys/audit-checkpoints", "read"),
        ("sign requests to exchange main, futures", "keys/hmac/main/sha2-256", "update"),
        ("that key's type and public half", "keys/keys/main", "read"),
        ("sign requests to exchange rsa", "keys/sign/rsa/sha2-256", "update"),
        ("that key's type and public half", "keys/keys/rsa", "read"),
    ]
    own = (settings.access_token_key, settings.audit.checkpoint_key)
    assert transit_keys(settings) == own, "these alone are made by `vault setup`"


def test_references_and_keys_are_those_of_the_configuration() -> None:
    settings = sample_settings(
        sample_wallet("one", "desk/one", mount="kv"), access_token_key=TransitReference("signing", "tokens")
    )
    assert [(reference.mount, reference.path) for reference in kv_references(settings)] == [
        ("kv", "desk/one")
    ]
    assert transit_keys(settings)[0] == TransitReference("signing", "tokens")


@pytest.mark.parametrize(
    "path", ["wallets/*", "wallets/+/x", 'wallets/x" { } path "sys', "a\\b", "a\nb", "${x}"]
)
def test_wildcards_and_quotes_never_reach_the_policy(path: str) -> None:
    with pytest.raises(PolicyTextError):
        least_policy(sample_settings(sample_wallet("one", path)))
