"""Environment variables over the file: which they are, how they are read, and what they may never set."""

import json
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.unit.config.keys_at_hand import rsa_pem
from tests.unit.config.loading import BCRYPT, HASH, KEY, Loading
from vaultsigner.config.settings import ListenAddress, RateLimit
from vaultsigner.config.vault_settings import OverriddenAddress, TokenFileAuth
from vaultsigner.domain.names import ClientName, ExchangeName, UserName, WalletName
from vaultsigner.domain.permissions import Permission

BASE = f"""
environments:
  LOCAL: {{node_url: "http://127.0.0.1:1", chain_id: Local, address_prefix: tbnb}}
wallets:
  - {{name: w, private_key: "vault:secret/w#k", permissions: [trade], env_name: LOCAL}}
users:
  - {{username: sam, password_hash: "{HASH}", wallet_permissions: [{{wallet_name: w, permissions: [trade]}}]}}
exchanges: [{{name: main, base_url: "https://x.example", api_key: k, scheme: hmac, secret: "transit:transit/main"}}]
open_api:
  - {{name: app, app_id: "1", access_key_id: k, base_url: "https://x.example", secret_key: "vault:secret/app#s"}}
clients: [{{name: bot, api_key: vs_bot, scheme: hmac, secret: "vault:secret/clients/bot#secret"}}]
partner: {{url_prefix: /web3, public_key: {json.dumps(rsa_pem(2048))}}}
rate_limits: {{requests_per_client: {{count: 1, every: 1s}}}}
"""


def test_variables_override_settings_of_every_type(loading: Loading) -> None:
    settings = loading.settings(
        BASE,
        {
            "VAULTSIGNER_SERVER__LISTEN": "0.0.0.0:80",
            "VAULTSIGNER_SERVER__TRUSTED_PROXIES": "[10.0.0.1, 'fd00::/8']",
            "VAULTSIGNER_VAULT__AUTH__PATH": "other-token",
            "VAULTSIGNER_VAULT__NAMESPACE": "null",
            "VAULTSIGNER_ACCESS_TOKEN_EXPIRY_MINUTES": "30",
            "VAULTSIGNER_STATE__URL": "sqlite:///other.db",
            "VAULTSIGNER_ENVIRONMENTS__TESTNET__NODE_URL": "http://127.0.0.1:2",
            "VAULTSIGNER_Environments__local__Chain_Id": "Other",
            "VAULTSIGNER_WALLETS__0__ENV_NAME": "TESTNET",
            "VAULTSIGNER_WALLETS__0__IP_WHITELIST": "[10.0.0.0/8]",
            "VAULTSIGNER_USERS__0__WALLET_PERMISSIONS__0__PERMISSIONS": "[]",
            "VAULTSIGNER_CLIENTS__0__API_KEY": "vs_other",
            "VAULTSIGNER_EXCHANGES__0__BASE_URL": "https://y.example",
            "VAULTSIGNER_USERS__0__EXCHANGES": "[main]",
            "VAULTSIGNER_PARTNER__URL_PREFIX": "/other",
            "VAULTSIGNER_RATE_LIMITS__REQUESTS_PER_CLIENT__COUNT": "7",
            "VAULTSIGNER_RATE_LIMITS__REQUESTS_PER_CLIENT__EVERY": "2m",
            "VAULTSIGNER_CONFIG": "elsewhere.yml",
            "VAULTSIGNERX": "not ours",
            "APP_PRIVATE_KEY": KEY,
            "HOME": "/",
        },
    )
    assert settings.server.listen == ListenAddress("0.0.0.0", 80)  # noqa: S104 - read, not bound
    assert settings.server.trusted_proxies == (ip_network("10.0.0.1"), ip_network("fd00::/8"))
    assert settings.vault.auth == TokenFileAuth(Path("other-token"))
    assert settings.vault.namespace is None
    assert settings.access_token_expiry_minutes == 30
    assert settings.state_url == "sqlite:///other.db"
    assert settings.environments["TESTNET"].node_url == "http://127.0.0.1:2"
    assert settings.environments["LOCAL"].chain_id == "Other"
    assert settings.clients[ClientName("bot")].api_key == "vs_other"
    assert settings.exchanges[ExchangeName("main")].base_url == "https://y.example"
    assert settings.users[UserName("sam")].exchanges == ("main",)
    assert settings.partner is not None
    assert settings.partner.url_prefix == "/other"
    assert settings.rate_limits.requests_per_client == RateLimit(7, 120)
    wallet = settings.wallets[WalletName("w")]
    assert (wallet.environment.name, wallet.ip_whitelist) == ("TESTNET", (ip_network("10.0.0.0/8"),))
    assert settings.users[UserName("sam")].wallet_permissions == {WalletName("w"): frozenset[Permission]()}


def test_a_state_in_postgresql_comes_from_a_variable_too(loading: Loading) -> None:
    url = "postgresql://u@127.0.0.1/state"
    assert loading.settings(BASE, {"VAULTSIGNER_STATE__URL": url}).state_url == url


def test_libpq_s_own_variables_never_say_where_the_state_lies(loading: Loading) -> None:
    problem = loading.the_problem("state: {url: 'postgresql:///state'}", {"PGHOST": "db.example.com"})
    assert problem.file == "environment variable PGHOST"
    assert "instead of state.url" in problem.message
    assert loading.settings(BASE, {"PGHOST": "db.example.com"}).state_url.startswith("sqlite:")


def test_text_settings_take_the_variable_as_it_is(loading: Loading) -> None:
    settings = loading.settings(BASE, {"VAULTSIGNER_POLICIES": "010", "VAULTSIGNER_AUDIT__DIRECTORY": "yes"})
    assert (settings.policies, settings.audit.directory) == (Path("010"), Path("yes"))


def test_vault_addr_overrides_the_file_and_the_longer_name_overrides_both(loading: Loading) -> None:
    text = "vault: {address: 'https://a'}"
    assert loading.settings(text, {"VAULT_ADDR": "https://b"}).vault.address == "https://b"
    assert loading.settings(text, {"VAULT_ADDR": ""}).vault.address == "https://a"
    both = {"VAULT_ADDR": "https://b", "VAULTSIGNER_VAULT__ADDRESS": "https://c"}
    assert loading.settings(text, both).vault.address == "https://c"


def test_the_file_s_own_vault_address_is_kept_for_messages(loading: Loading) -> None:
    text = "vault: {address: 'https://a/'}"
    assert loading.settings(text).vault.overridden is None
    assert loading.settings("users: []", {"VAULT_ADDR": "https://b"}).vault.overridden is None
    for variable in ("VAULT_ADDR", "VAULTSIGNER_VAULT__ADDRESS"):
        found = loading.settings(text, {variable: "https://b"}).vault.overridden
        assert found == OverriddenAddress(variable, "https://a")


def test_vault_addr_does_not_hide_a_wrong_address_in_the_file(loading: Loading) -> None:
    text = "\nvault: {address: 'http://vault.example.com:8200'}"
    problem = loading.the_problem(text, {"VAULT_ADDR": "https://b"})
    assert (problem.file, problem.line, problem.where) == (str(loading.file), 2, "vault.address")
    assert "http to another machine" in problem.message


def test_both_addresses_are_told_where_both_are_wrong(loading: Loading) -> None:
    problems = loading.problems("vault: {address: 'ftp://a'}", {"VAULT_ADDR": "ftp://b"})
    assert {problem.file for problem in problems} == {str(loading.file), "environment variable VAULT_ADDR"}


def test_a_wrong_file_setting_is_mended_by_its_variable(loading: Loading) -> None:
    assert loading.settings("server: {listen: nonsense}", {"VAULTSIGNER_SERVER__LISTEN": "127.0.0.1:1"})


WRONG = [
    ("VAULT_ADDR", "http://vault.example.com", "vault.address", "http to another machine", "https://"),
    ("VAULTSIGNER_SERVER__LISTEN", "x", "server.listen", "no address to listen on", "host:port"),
    ("VAULTSIGNER_SERVER__LISTN", "x", "", "no such setting", "did you mean listen?"),
    ("VAULTSIGNER_SERVERS", "x", "", "no such setting", "did you mean server?"),
    ("VAULTSIGNER_SERVER", "x", "", "a whole section", "VAULTSIGNER_SERVER__"),
    ("VAULTSIGNER_WALLETS", "[]", "", "a whole section", "VAULTSIGNER_WALLETS__"),
    ("VAULTSIGNER_WALLETS__1__ENV_NAME", "PROD", "", "no such setting", "known here: 0"),
    ("VAULTSIGNER_WALLETS__X__ENV_NAME", "PROD", "", "no such setting", "known here: 0"),
    (
        "VAULTSIGNER_WALLETS__0__ENV_NAME",
        "prod",
        "wallets[0].env_name",
        "no environment",
        "did you mean PROD?",
    ),
    ("VAULTSIGNER_WALLETS__0__ENV_NAME__X", "prod", "", "no such setting", "none yet"),
    ("VAULTSIGNER_ENVIRONMENTS__STAGE__NODE_URL", "http://h", "", "no such setting", "LOCAL"),
    ("VAULTSIGNER_SERVER__TRUSTED_PROXIES", "10.0.0.1", "server.trusted_proxies", "must be a list", "[a, b]"),
    ("VAULTSIGNER_SERVER__TRUSTED_PROXIES", "[010]", "", "another number", "quotes"),
    ("VAULTSIGNER_SERVER__TRUSTED_PROXIES", "[", "", "not YAML", "brackets"),
    (
        "VAULTSIGNER_SERVER__TRUSTED_PROXIES",
        "[10.0.0.1/8]",
        "server.trusted_proxies[0]",
        "bits set",
        "10.0.0.0/8",
    ),
    ("VAULTSIGNER_ACCESS_TOKEN_EXPIRY_MINUTES", "1_000", "", "another number", "quotes"),
    ("VAULTSIGNER_ACCESS_TOKEN_EXPIRY_MINUTES", "0", "access_token_expiry_minutes", "at least 1", "number"),
    ("VAULTSIGNER_ACCESS_TOKEN_EXPIRY_MINUTES", "x", "access_token_expiry_minutes", "whole number", "digits"),
    ("VAULTSIGNER_CLIENTS", "x", "", "a whole section", "VAULTSIGNER_CLIENTS__"),
    ("VAULTSIGNER_CLIENTS__0__SECRET", "vault:a/b#c", "", "never taken from the environment", "reference"),
    ("VAULTSIGNER_CLIENTS__0__API_KEY", "a b", "clients[0].api_key", "no API key", "clients create"),
    ("VAULTSIGNER_PARTNER", "{}", "", "a whole section", "VAULTSIGNER_PARTNER__"),
    ("VAULTSIGNER_PARTNER__URL_PREFIX", "/api", "partner.url_prefix", "vaultsigner's own", "/web3"),
    ("VAULTSIGNER_PARTNER__TASKS__PROD__OPERATION", "vote", "", "no such setting", "none yet"),
    (
        "VAULTSIGNER_RATE_LIMITS__REQUESTS_PER_CLIENT__EVERY",
        "1d",
        "rate_limits.requests_per_client.every",
        "no time",
        "at most 24h",
    ),
    ("VAULTSIGNER_STATE__URL", "postgresql://db.example.com/x", "state.url", "sslmode", "verify-full"),
    ("VAULTSIGNER_EXCHANGES", "x", "", "a whole section", "VAULTSIGNER_EXCHANGES__"),
    ("VAULTSIGNER_EXCHANGES__0__SECRET", "transit:a/b", "", "never taken from the environment", "reference"),
    ("VAULTSIGNER_EXCHANGES__0__BASE_URL", "http://x", "exchanges[0].base_url", "another machine", "https"),
    (
        "VAULTSIGNER_OPEN_API__0__SECRET_KEY",
        "vault:a/b#c",
        "",
        "never taken from the environment",
        "reference",
    ),
    ("VAULTSIGNER_OPEN_API__0__PRIVATE_KEY", KEY, "", "never taken from the environment", "reference"),
    ("VAULTSIGNER_", "x", "", "no such setting", "known here"),
    (
        "VAULTSIGNER_WALLETS__0__PRIVATE_KEY",
        KEY,
        "",
        "never taken from the environment",
        "reference to Vault",
    ),
    ("VAULTSIGNER_WALLETS__0__MNEMONIC", "vault:a/b#c", "", "never taken from the environment", "reference"),
    ("VAULTSIGNER_USERS__0__PASSWORD_HASH", BCRYPT, "", "never taken from the environment", "hash"),
    ("VAULTSIGNER_ACCESS_TOKEN_KEY", "transit:a/b", "", "never taken from the environment", "reference"),
    ("VAULTSIGNER_AUDIT__CHECKPOINT_KEY", "transit:a/b", "", "never taken from the environment", "reference"),
]


@pytest.mark.parametrize(("variable", "value", "where", "message", "hint"), WRONG)
def test_each_mistake_names_the_variable(
    loading: Loading, *, variable: str, value: str, where: str, message: str, hint: str
) -> None:
    problem = loading.the_problem(BASE, {variable: value})
    assert problem.file == f"environment variable {variable}"
    assert (problem.line, problem.column, problem.where) == (None, None, where)
    assert message in problem.message
    assert hint in problem.hint
    assert KEY not in str(problem)


def test_variables_and_file_are_told_together(loading: Loading) -> None:
    problems = loading.problems("serverr: {}", {"VAULTSIGNER_SERVER__LISTEN": "x", "VAULTSIGNER_X": ""})
    assert [problem.file.rpartition(" ")[2].rpartition("/")[2] for problem in problems] == [
        "config.yml",
        "VAULTSIGNER_SERVER__LISTEN",
        "VAULTSIGNER_X",
    ]


def test_two_names_that_differ_in_case_must_be_written_exactly(loading: Loading) -> None:
    text = "environments: {TESTNET: {}, Testnet: {}}"
    problems = loading.problems(text, {"VAULTSIGNER_ENVIRONMENTS__testnet__CHAIN_ID": "c"})
    assert any("no such setting" in problem.message for problem in problems)
