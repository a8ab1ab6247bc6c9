"""Exchange accounts, the Open API's apps, and who may use them."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from tests.unit.config.keys_at_hand import ec_pem, ed25519_pem, rsa_pem, rsa_private_pem
from tests.unit.config.loading import HASH, KEY, Loading
from vaultsigner.config.public_keys import read_public_key
from vaultsigner.config.settings import Exchange, KvReference, OpenApiApp, RateLimit, TransitReference
from vaultsigner.domain.names import ClientName, ExchangeName, UserName

MAIN = "name: main, base_url: 'https://api.binance.com', api_key: vmPUZE6m, scheme: hmac, secret: 'transit:transit/main'"
"""An HMAC account."""
KEYED = MAIN.replace("hmac", "rsa")
APP = (
    "name: app, app_id: '1234', access_key_id: AK_1, base_url: 'https://api.binance.com', "
    "secret_key: 'vault:secret/open-api/app#secret_key'"
)
CLIENT = "name: bot, api_key: vs_1, scheme: hmac, secret: 'vault:secret/clients/bot#secret'"


def exchange(text: str, rest: str = "") -> str:
    return f"exchanges: [{{{text}}}]\n{rest}"


def app(text: str, rest: str = "") -> str:
    return f"open_api: [{{{text}}}]\n{rest}"


def test_exchanges_of_every_scheme_are_read(loading: Loading, tmp_path: Path) -> None:
    file = tmp_path / "main.pem"
    file.write_text(ed25519_pem())
    settings = loading.settings(f"""
exchanges:
  - {{{MAIN}}}
  - name: futures
    base_url: https://fapi.binance.com/
    api_key: vmPUZE6m
    scheme: rsa
    secret: vault:secret/exchanges/futures#secret
    public_key: |
      {rsa_pem(2048).replace(chr(10), chr(10) + "      ").rstrip()}
  - {{name: local, base_url: "http://127.0.0.1:8080", api_key: k, scheme: ed25519, secret: "transit:t/k", public_key: {file}}}
""")
    main, futures, local = settings.exchanges.values()
    assert main == Exchange(
        ExchangeName("main"),
        "https://api.binance.com",
        "vmPUZE6m",
        "hmac",
        TransitReference("transit", "main"),
    )
    assert futures.base_url == "https://fapi.binance.com"
    assert futures.secret == KvReference("secret", "exchanges/futures", "secret")
    assert (futures.public_key, futures.key_file) == (read_public_key(rsa_pem(2048)).der, None)
    assert local.base_url == "http://127.0.0.1:8080"
    assert (local.public_key, local.key_file) == (read_public_key(ed25519_pem()).der, file)


def test_apps_of_the_open_api_are_read(loading: Loading) -> None:
    settings = loading.settings(f"""
open_api:
  - {{{APP}}}
  - {{{APP.replace("name: app", "name: b")}, private_key: "vault:kv/b#key"}}
""")
    one, two = settings.open_api.values()
    assert one == OpenApiApp(
        "app",
        "1234",
        "AK_1",
        "https://api.binance.com",
        KvReference("secret", "open-api/app", "secret_key"),
        None,
    )
    assert two.private_key == KvReference("kv", "b", "key")


def test_users_and_clients_name_what_they_may_use(loading: Loading) -> None:
    settings = loading.settings(f"""
exchanges: [{{{MAIN}}}, {{{MAIN.replace("name: main", "name: second")}}}]
open_api: [{{{APP}}}]
users: [{{username: sam, password_hash: "{HASH}", exchanges: [second, main], open_api: [app]}}]
clients: [{{{CLIENT}, exchanges: [main], open_api: [app]}}, {{{CLIENT.replace("bot", "b2").replace("vs_1", "vs_2")}}}]
""")
    sam = settings.users[UserName("sam")]
    assert (sam.exchanges, sam.open_api) == (("second", "main"), ("app",))
    bot, other = settings.clients[ClientName("bot")], settings.clients[ClientName("b2")]
    assert (bot.exchanges, bot.open_api) == (("main",), ("app",))
    assert (other.exchanges, other.open_api) == ((), ())


@pytest.mark.parametrize("nothing", ["", "exchanges: []\nopen_api: []", "exchanges: null\nopen_api: null"])
def test_none_are_needed(loading: Loading, nothing: str) -> None:
    settings = loading.settings(f"server: {{}}\n{nothing}")
    assert (settings.exchanges, settings.open_api) == ({}, {})


def test_several_entries_may_share_a_secret_and_an_api_key(loading: Loading) -> None:
    """One account is reached at several addresses: spot, futures."""
    other = MAIN.replace("name: main", "name: futures").replace("api.binance", "fapi.binance")
    assert len(loading.settings(f"exchanges: [{{{MAIN}}}, {{{other}}}]").exchanges) == 2


def test_the_digest_covers_the_key_files_of_exchanges(loading: Loading, tmp_path: Path) -> None:
    file = tmp_path / "main.pem"
    text = exchange(f"{KEYED}, public_key: {file}")
    digests = set()
    for bits in (2048, 3072):
        file.write_text(rsa_pem(bits))
        digests.add(loading.settings(text).digest)
    assert len(digests) == 2
    assert f"sha256:{hashlib.sha256(text.encode()).hexdigest()}" not in digests


def test_public_calls_have_a_limit(loading: Loading) -> None:
    assert loading.settings("server: {}").rate_limits.public_calls_per_address == RateLimit(300, 60)
    limited = loading.settings("rate_limits: {public_calls_per_address: {count: 7, every: 1s}}")
    assert limited.rate_limits.public_calls_per_address == RateLimit(7, 1)


def test_what_the_delivered_example_shows_in_comments_is_valid_too(
    loading: Loading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (Path(__file__).parents[3] / "config" / "config.yml").read_text()
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "binance-main.pem").write_text(rsa_pem(2048))
    monkeypatch.chdir(tmp_path)
    shown = text.replace(
        "scheme: hmac                                              # hmac, rsa or", "scheme: rsa #"
    )
    assert shown != text
    for section in ("clients", "exchanges", "open_api"):
        lines = re.search(rf"((?:#  .*\n)+){section}: \[\]\n", shown)
        assert lines is not None
        entries = re.sub(r"(?m)^#", "", lines[1])
        shown = shown.replace(lines[0], f"{section}:\n{entries}")
    settings = loading.settings(shown.replace("scheme: hmac, rsa", "scheme: hmac"))
    (client,) = settings.clients.values()
    assert (client.exchanges, client.open_api) == (tuple(settings.exchanges), tuple(settings.open_api))
    assert settings.exchanges[ExchangeName("binance-main")].public_key
    assert settings.open_api["mini-app"].private_key


WRONG = [
    (exchange(f"{MAIN}, «key: x"), "exchanges[0].key", "not known", "known here: name, base_url, api_key"),
    (exchange(f"{MAIN}, «secret_key: x"), "exchanges[0].secret_key", "not known", "did you mean secret?"),
    (exchange(f"{MAIN}, «apikey: x"), "exchanges[0].apikey", "not known", "did you mean api_key?"),
    (
        exchange(MAIN.replace(", scheme: hmac", "")).replace("[{", "[«{"),
        "exchanges[0].scheme",
        "is missing",
        "add",
    ),
    (exchange(MAIN.replace("scheme: hmac", "scheme: «hmca")), "exchanges[0].scheme", "no such", "mean hmac?"),
    (
        exchange(MAIN.replace("scheme: hmac", "scheme: «open_api")),
        "exchanges[0].scheme",
        "no such",
        "hmac, rsa, ed25519",
    ),
    (exchange(MAIN.replace("name: main", "name: «'a b'")), "exchanges[0].name", "no usable name", "letters"),
    (exchange(MAIN.replace("name: main", "name: «..")), "exchanges[0].name", "no usable name", "letters"),
    (exchange(MAIN.replace("vmPUZE6m", "«12")), "exchanges[0].api_key", "must be text", "api_key"),
    (exchange(MAIN.replace("vmPUZE6m", "«'a b'")), "exchanges[0].api_key", "no identifier", "without blanks"),
    (exchange(MAIN.replace("vmPUZE6m", f"«{'k' * 129}")), "exchanges[0].api_key", "no identifier", "128"),
    (
        exchange(MAIN.replace("vmPUZE6m", f"«{KEY}")),
        "exchanges[0].api_key",
        "looks like a private key",
        "api_key",
    ),
    *(
        (
            exchange(MAIN.replace("'https://api.binance.com'", f"«{json.dumps(url)}")),
            "exchanges[0].base_url",
            message,
            hint,
        )
        for url, message, hint in (
            ("http://api.binance.com", "another machine", "https://"),
            ("http://127.0.0.1.example.com", "another machine", "https://"),
            ("https://api.binance.com/api", "has no path", "port only"),
            ("https://api.binance.com//", "has no path", "port only"),
            ("https://api.binance.com?x=1", "no query", "https://api.binance.com"),
            ("https://api.binance.com#x", "no fragment", "https://api.binance.com"),
            ("https://key@api.binance.com", "user name", "https://api.binance.com"),
            ("https://", "no http or https URL", "https://api.binance.com"),
            ("https://a b", "no http or https URL", "https://api.binance.com"),
            ("https://a\\b", "no http or https URL", "https://api.binance.com"),
            ("wss://api.binance.com", "no http or https URL", "https://api.binance.com"),
            ("api.binance.com", "no http or https URL", "https://api.binance.com"),
        )
    ),
    (
        exchange(MAIN.replace("'transit:transit/main'", "«hunter2")),
        "exchanges[0].secret",
        "no reference",
        "exchanges import main",
    ),
    (
        exchange(MAIN.replace("'transit:transit/main'", f"«{KEY}")),
        "exchanges[0].secret",
        "no reference",
        "exchanges import main",
    ),
    (
        exchange(MAIN.replace("'transit:transit/main'", "«12")),
        "exchanges[0].secret",
        "a reference",
        "exchanges import main",
    ),
    (
        exchange(MAIN.replace("transit/main'", "a/b/c'").replace("secret: ", "secret: «")),
        "exchanges[0].secret",
        "transit:<mount>/<key>",
        "transit:transit/main",
    ),
    (
        exchange(MAIN.replace("'transit:transit/main'", "«vault:secret/main")),
        "exchanges[0].secret",
        "vault:<mount>",
        "vault:secret/exchanges/main#secret",
    ),
    (
        exchange(f"{MAIN}, public_key: «x.pem"),
        "exchanges[0].public_key",
        "scheme hmac has no public key",
        "remove",
    ),
    (
        exchange(f"{KEYED}, public_key: «{json.dumps(ed25519_pem())}"),
        "exchanges[0].public_key",
        "not rsa",
        "openssl",
    ),
    (
        exchange(f"{KEYED}, public_key: «{json.dumps(ec_pem())}"),
        "exchanges[0].public_key",
        "not known here",
        "RSA",
    ),
    (
        exchange(f"{KEYED}, public_key: «{json.dumps(rsa_private_pem())}"),
        "exchanges[0].public_key",
        "a private key",
        "remove it",
    ),
    (exchange(f"{KEYED}, public_key: «/nowhere.pem"), "exchanges[0].public_key", "cannot be read", "path"),
    (
        f"exchanges: [{{{MAIN}}}, {{{MAIN.replace('name: ', 'name: «')}}}]",
        "exchanges[1].name",
        "entry [0]",
        "once",
    ),
    (
        exchange(MAIN.replace("'transit:transit/main'", "«transit:transit/access-tokens")),
        "exchanges[0].secret",
        "this is access_token_key",
        "of its own",
    ),
    (
        exchange(MAIN.replace("'transit:transit/main'", "«transit:a/b"), "access_token_key: transit:a/b"),
        "exchanges[0].secret",
        "this is access_token_key",
        "of its own",
    ),
    (
        exchange(
            MAIN.replace("'transit:transit/main'", "«transit:a/b"), "audit: {checkpoint_key: 'transit:a/b'}"
        ),
        "exchanges[0].secret",
        "this is audit.checkpoint_key",
        "of its own",
    ),
    (app(APP.replace("'1234'", "«1234")), "open_api[0].app_id", "must be text", "quotes"),
    (app(APP.replace("AK_1", "«é")), "open_api[0].access_key_id", "no identifier", "access_key_id"),
    (app(APP.replace("'https:", "«'http:")), "open_api[0].base_url", "another machine", "https://"),
    (
        app(APP.replace("'vault:secret/open-api/app#secret_key'", "«hunter2")),
        "open_api[0].secret_key",
        "no reference",
        "open-api import app",
    ),
    (
        app(APP.replace("'vault:secret/open-api/app#secret_key'", "«transit:transit/app")),
        "open_api[0].secret_key",
        "KV version 2",
        "vault:secret/open-api/app#secret_key",
    ),
    (
        app(f"{APP}, private_key: «{json.dumps(rsa_private_pem())}"),
        "open_api[0].private_key",
        "no reference",
        "open-api import app",
    ),
    (
        app(APP.partition(", secret_key")[0]).replace("[{", "[«{"),
        "open_api[0].secret_key",
        "is missing",
        "add",
    ),
    (
        f"open_api: [{{{APP}}}, {{{APP.replace('name: ', 'name: «')}}}]",
        "open_api[1].name",
        "entry [0]",
        "once",
    ),
    (
        exchange(MAIN, f"clients: [{{{CLIENT}, exchanges: [«mian]}}]"),
        "clients[0].exchanges[0]",
        "no exchange",
        "did you mean main?",
    ),
    (
        exchange(MAIN, f"clients: [{{{CLIENT}, exchanges: [main, «main]}}]"),
        "clients[0].exchanges[1]",
        "entry [0]",
        "once",
    ),
    (
        exchange(MAIN, f"clients: [{{{CLIENT}, exchanges: [«1]}}]"),
        "clients[0].exchanges[0]",
        "must be text",
        "quotes",
    ),
    (
        app(APP, f"clients: [{{{CLIENT}, open_api: [«ap]}}]"),
        "clients[0].open_api[0]",
        "no Open API app",
        "did you mean app?",
    ),
    (
        exchange(MAIN, f"clients: [{{{CLIENT}, open_api: [«main]}}]"),
        "clients[0].open_api[0]",
        "no Open API app",
        "none yet",
    ),
    (
        exchange(MAIN, f"users: [{{username: s, password_hash: '{HASH}', exchanges: [«x]}}]"),
        "users[0].exchanges[0]",
        "no exchange",
        "known here: main",
    ),
    (
        app(APP, f"users: [{{username: s, password_hash: '{HASH}', open_api: [«x]}}]"),
        "users[0].open_api[0]",
        "no Open API app",
        "known here: app",
    ),
    (
        exchange(
            MAIN.replace("'transit:transit/main'", "'vault:secret/main#secret'"),
            "clients: [{name: bot, api_key: k, scheme: hmac, secret: «'vault:secret/main#other'}]",
        ),
        "clients[0].secret",
        "an exchange's secret lies there",
        "clients create",
    ),
    (
        app(
            APP,
            "clients: [{name: bot, api_key: k, scheme: open_api, secret: «'vault:secret/open-api/app#secret_key'}]",
        ),
        "clients[0].secret",
        "an exchange's secret lies there",
        "clients create",
    ),
    (
        exchange(
            MAIN.replace("'transit:transit/main'", "«'vault:secret/w#secret'"),
            "wallets: [{name: w, private_key: 'vault:secret/w#private_key', permissions: []}]",
        ),
        "exchanges[0].secret",
        "a wallet's key lies there",
        "a path of its own",
    ),
    (
        app(
            f"{APP}, private_key: «'vault:secret/w#secret'",
            "wallets: [{name: w, mnemonic: 'vault:secret/w#mnemonic', permissions: []}]",
        ),
        "open_api[0].private_key",
        "a wallet's key lies there",
        "a path of its own",
    ),
    (
        exchange(
            f"{KEYED}, public_key: {json.dumps(rsa_pem(2048))}",
            f"clients: [{{name: bot, api_key: k, scheme: rsa, public_key: «{json.dumps(rsa_pem(2048))}}}]",
        ),
        "clients[0].public_key",
        "an exchange's key",
        "a key pair of its own",
    ),
]


@pytest.mark.parametrize(
    ("marked", "where", "message", "hint"),
    WRONG,
    ids=[f"{where}: {message}" for _, where, message, _ in WRONG],
)
def test_each_mistake_is_told_at_its_place(
    loading: Loading, marked: str, where: str, message: str, hint: str
) -> None:
    problem = loading.marked_problem(marked)
    assert problem.where == where
    assert message in problem.message
    assert hint in problem.hint


def test_an_unusable_name_hides_no_other_and_is_told_alone(loading: Loading) -> None:
    """The exchange that the client means may be the one whose name cannot be read."""
    text = exchange(MAIN.replace("name: main", "name: 'a b'"), f"clients: [{{{CLIENT}, exchanges: [a_b]}}]")
    assert loading.the_problem(text).where == "exchanges[0].name"
