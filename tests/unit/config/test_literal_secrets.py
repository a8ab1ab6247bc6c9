"""Secrets in a configuration are refused with the way into Vault, and never repeated, wherever they were put."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.config.keys_at_hand import ed25519_pem, rsa_pem
from tests.unit.config.loading import BCRYPT, HASH, KEY, MNEMONIC, PEM, VAULT_TOKEN, Loading
from vaultsigner.config import ConfigProblems
from vaultsigner.config.password_hashes import is_guessable

PASSWORD = "Tr0ub4dor&3-canary"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (f"private_key: «{KEY}", "a private key"),
        (f"private_key: «'{KEY}'", "a private key"),
        (f"private_key: «0x{KEY}", "a private key"),
        (f"private_key: «{'1' * 64}", "a private key"),
        (f"mnemonic: «{MNEMONIC}", "a mnemonic"),
        (f'mnemonic: «"{MNEMONIC.upper()}"', "a mnemonic"),
        (f"private_key: «{json.dumps(PEM)}", "a private key"),
        (f"private_key: «{VAULT_TOKEN}", "a Vault token"),
        (f'private_key: «"{PASSWORD}"', "no reference"),
        ("private_key: «0123", "no reference"),
        ("private_key: «12", "reference to Vault belongs here"),
        ("private_key: «transit:transit/k", "no secp256k1"),
        ("private_key: «vault:secret/w", "vault:<mount>/<path>#<field>"),
        ("private_key: «'vault:secret/../w#k'", "vault:<mount>/<path>#<field>"),
        ("private_key: «'vault:secret//w#k'", "vault:<mount>/<path>#<field>"),
        ("private_key: «'vault:secret/w#'", "vault:<mount>/<path>#<field>"),
    ],
)
def test_a_literal_key_is_refused_with_how_to_import_it(loading: Loading, line: str, kind: str) -> None:
    problem = loading.marked_problem(f"wallets:\n  - name: desk-1\n    {line}\n    permissions: []\n")
    field = line.partition(":")[0]
    assert problem.where == f"wallets[0].{field}"
    assert kind in problem.message
    assert f"{field}: vault:secret/wallets/desk-1#{field}" in problem.hint
    if "vault:" not in line and "transit:" not in line:
        assert "vaultsigner keys import desk-1" in problem.hint
    if "counts as known" in problem.message:
        assert "`vaultsigner keys create desk-1` and move the funds" in problem.hint


@pytest.mark.parametrize(
    ("marked", "kind"),
    [
        (f"# «{KEY}\nserver: {{}}", "a private key"),
        (f"server: {{}} # old: «0x{KEY.upper()}", "a private key"),
        (f"# token «{VAULT_TOKEN}\nserver: {{}}", "a Vault token"),
        ("# «s.0123456789abcdefABCDEFgh\nserver: {}", "a Vault token"),
        ("# «-----BEGIN PRIVATE KEY-----\nserver: {}", "a private key"),
        (f"policies: «'{MNEMONIC}'", "a mnemonic"),
    ],
)
def test_a_secret_is_found_wherever_it_lies(loading: Loading, marked: str, kind: str) -> None:
    problem = loading.marked_problem(marked)
    assert kind in problem.message
    assert "known to others" in problem.hint


def test_a_secret_is_found_in_a_file_that_is_no_yaml(loading: Loading) -> None:
    problems = loading.problems(f"a: [\nprivate_key: {KEY}\n")
    assert any("a private key" in problem.message and problem.line == 2 for problem in problems)


def test_hashes_and_checksums_that_are_no_keys_are_left_alone(loading: Loading) -> None:
    loading.settings(f"# sha256 {KEY}{KEY}\n# {KEY[:40]}\nserver: {{}}\n")


@pytest.mark.parametrize(
    "password_hash",
    [
        HASH,
        HASH.replace("m=65536,t=3", "m=19456,t=2"),
        HASH.replace("m=65536,t=3", "m=7168,t=5"),
        HASH.replace("p=4", "p=1"),
        BCRYPT,
        BCRYPT.replace("$2b$12", "$2a$10"),
        BCRYPT.replace("$2b", "$2y"),
    ],
)
def test_sound_password_hashes_are_accepted(loading: Loading, password_hash: str) -> None:
    loading.settings(f'users: [{{username: sam, password_hash: "{password_hash}"}}]')
    assert not is_guessable(password_hash)


@pytest.mark.parametrize(
    "password_hash",
    [
        HASH.replace("m=65536,t=3", "m=7168,t=4"),
        HASH.replace("m=65536,t=3", "m=4096,t=20"),
        HASH.replace("m=65536,t=3", "m=8,t=1"),
        BCRYPT.replace("$12$", "$09$"),
    ],
)
def test_weak_password_hashes_are_accepted_but_known_as_such(loading: Loading, password_hash: str) -> None:
    loading.settings(f'users: [{{username: sam, password_hash: "{password_hash}"}}]')
    assert is_guessable(password_hash)


@pytest.mark.parametrize(
    ("password_hash", "message"),
    [
        (PASSWORD, "never write the password itself"),
        ("", "never write the password itself"),
        (HASH.replace("argon2id", "argon2i"), "only argon2id"),
        (HASH.replace("m=65536", "m=2097152"), "stall the service"),
        (HASH.replace("t=3", "t=21"), "stall the service"),
        (HASH.replace("p=4", "p=17"), "stall the service"),
        (HASH[:-1], "damaged"),
        (HASH.replace("v=19", "v=16"), "no Argon2id or bcrypt"),
        (HASH + "$", "no Argon2id or bcrypt"),
        (HASH + "\\n", "no Argon2id or bcrypt"),
        (BCRYPT.replace("$12$", "$03$"), "4 to 16"),
        (BCRYPT.replace("$12$", "$17$"), "4 to 16"),
        (BCRYPT[:-1], "no Argon2id or bcrypt"),
        (BCRYPT.replace("$2b", "$2x"), "no Argon2id or bcrypt"),
    ],
)
def test_other_password_hashes_are_refused(loading: Loading, password_hash: str, message: str) -> None:
    problem = loading.marked_problem(f'users: [{{username: sam, password_hash: «"{password_hash}"}}]')
    assert message in problem.message
    assert "vaultsigner users hash-password" in problem.hint


@pytest.mark.parametrize("word", ["12345678", "0123456", "12:30:45", "true", "null", "1.5", "[a]"])
def test_a_password_that_yaml_retypes_is_not_told_to_go_into_quotes(loading: Loading, word: str) -> None:
    problem = loading.marked_problem(f"users: [{{username: sam, password_hash: «{word}}}]")
    assert "never write the password itself" in problem.message


EVERYTHING: dict[str, Any] = {
    "server": {
        "listen": "127.0.0.1:8000",
        "ops_listen": "127.0.0.1:9100",
        "trusted_proxies": ["127.0.0.1/32"],
    },
    "vault": {
        "address": "http://127.0.0.1:8200",
        "namespace": "desk",
        "ca_cert": "ca.pem",
        "auth": {"method": "token_file", "path": "token"},
    },
    "access_token_expiry_minutes": 60,
    "access_token_key": "transit:transit/access-tokens",
    "state": {"url": "sqlite:///state/vaultsigner.db"},
    "audit": {
        "directory": "audit",
        "checkpoint_key": "transit:transit/audit-checkpoints",
        "checkpoint_every": 10,
    },
    "policies": "policies",
    "environments": {
        "LOCAL": {"node_url": "http://127.0.0.1:1", "chain_id": "Local", "address_prefix": "tbnb"}
    },
    "wallets": [
        {
            "name": "wallet_1",
            "private_key": "vault:secret/w#k",
            "address": "tbnb1hn8ym9xht925jkncjpf7lhjnax6z8nv2mu9wy3",
            "env_name": "LOCAL",
            "ip_whitelist": ["10.0.0.0/8"],
            "permissions": ["trade"],
        },
        {"name": "wallet_2", "mnemonic": "vault:secret/w#m", "permissions": []},
    ],
    "users": [
        {
            "username": "sam",
            "password_hash": HASH,
            "wallet_permissions": [{"wallet_name": "wallet_1", "permissions": ["trade"]}],
            "exchanges": ["binance-main"],
            "open_api": ["mini-app"],
        }
    ],
    "clients": [
        {
            "name": "bot-1",
            "api_key": "vs_bot1",
            "scheme": "hmac",
            "secret": "vault:secret/clients/bot-1#secret",
            "wallet_permissions": [{"wallet_name": "wallet_1", "permissions": ["trade"]}],
            "exchanges": ["binance-main"],
        },
        {"name": "bot-2", "api_key": "vs_bot2", "scheme": "ed25519", "public_key": ed25519_pem()},
    ],
    "exchanges": [
        {
            "name": "binance-main",
            "base_url": "https://api.binance.com",
            "api_key": "vmPUZE6m",
            "scheme": "rsa",
            "secret": "transit:transit/binance-main",
            "public_key": rsa_pem(2048),
        },
        {
            "name": "binance-futures",
            "base_url": "https://fapi.binance.com",
            "api_key": "vmPUZE6m",
            "scheme": "hmac",
            "secret": "vault:secret/exchanges/binance-futures#secret",
        },
    ],
    "open_api": [
        {
            "name": "mini-app",
            "app_id": "1234",
            "access_key_id": "AK_1",
            "base_url": "https://api.binance.com",
            "secret_key": "vault:secret/open-api/mini-app#secret_key",
            "private_key": "vault:secret/open-api/mini-app#private_key",
        }
    ],
    "partner": {
        "url_prefix": "/web3",
        "public_key": rsa_pem(2048),
        "tasks": {"deposit": {"operation": "transfer", "wallet_is": "recipient"}},
    },
    "rate_limits": {"log_ins_per_user": {"count": 5, "every": "1m"}},
}
CANARIES = {
    "key": KEY,
    "prefixed key": f"0x{KEY}",
    "decimal key": "1234567890" * 6 + "1234",
    "mnemonic": MNEMONIC,
    "Vault token": VAULT_TOKEN,
    "OpenBao token": "s.0123456789abcdefABCDEFgh",
    "PEM": PEM,
    "password": PASSWORD,
}


_ANY_TEXT = {"api_key", "app_id", "access_key_id"}
"""Fields that may be any text which looks like no secret: others gave it out."""


def _places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, member in members:
        yield (*path, step)
        yield from _places(member, (*path, step))


def _with(value: Any, path: tuple[str | int, ...], secret: Any, *, as_key: bool) -> Any:
    """A copy of `value` with the secret at `path`: as its value, or as its key."""
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        return [
            _with(v, rest, secret, as_key=as_key) if i == step and rest else secret if i == step else v
            for i, v in enumerate(value)
        ]
    copied = {}
    for key, member in value.items():
        if key != step:
            copied[key] = member
        elif rest:
            copied[key] = _with(member, rest, secret, as_key=as_key)
        else:
            copied[secret if as_key else key] = member if as_key else secret
    return copied


def _complaint(loading: Loading, text: str) -> str | None:
    """Everything that a failed load says, also where a log prints the exception's context."""
    try:
        loading.settings(text)
    except ConfigProblems as error:
        return f"{error} {error!r} {error.problems!r} {error.__context__!r}"
    return None


@pytest.mark.parametrize("canary", CANARIES)
def test_no_message_repeats_a_secret_that_was_put_in_any_field(loading: Loading, canary: str) -> None:
    secret = CANARIES[canary]
    loading.settings(json.dumps(EVERYTHING))
    for path in _places(EVERYTHING):
        for planted in (secret, [secret], {"name": secret}):
            complaint = _complaint(
                loading, json.dumps(_with(EVERYTHING, path, planted, as_key=False), indent=1)
            )
            if complaint is None:
                assert canary == "password", f"{canary} accepted at {path}"
            else:
                assert secret.strip() not in complaint, path
                assert secret[:20] not in complaint, path


@pytest.mark.parametrize("canary", [name for name in CANARIES if name != "PEM"])
def test_no_message_repeats_a_secret_that_stands_without_quotes(loading: Loading, canary: str) -> None:
    sections = ("wallets", "clients", "exchanges", "open_api")
    places = [(section, index) for section in sections for index in range(len(EVERYTHING[section]))]
    for section, index in places:
        for field in EVERYTHING[section][index]:
            others: dict[str, Any] = {"users": [], "clients": []} if section != "clients" else {"users": []}
            entry = {**EVERYTHING[section][index], field: "CANARY"}
            text = json.dumps({**EVERYTHING, **others, section: [entry]}, indent=1)
            complaint = _complaint(loading, text.replace('"CANARY"', CANARIES[canary]))
            assert complaint is not None or (canary == "password" and field in _ANY_TEXT), field
            assert CANARIES[canary][:20] not in (complaint or ""), field


@pytest.mark.parametrize("canary", [name for name in CANARIES if name != "password"])
def test_no_message_repeats_a_secret_that_stands_where_a_key_belongs(loading: Loading, canary: str) -> None:
    for path in _places(EVERYTHING):
        if isinstance(path[-1], str):
            complaint = _complaint(
                loading, json.dumps(_with(EVERYTHING, path, CANARIES[canary], as_key=True))
            )
            assert complaint is not None, path
            assert CANARIES[canary][:20] not in complaint, path
