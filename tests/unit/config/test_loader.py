"""config.yml: what is read, what a short file leaves to defaults, and every complaint with its place."""

import hashlib
from functools import partial
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.unit.config.loading import BCRYPT, HASH, Loading
from tests.work import calls_of
from vaultsigner.config import ConfigProblems, load
from vaultsigner.config.settings import KvReference, ListenAddress, TransitReference
from vaultsigner.config.vault_settings import TokenFileAuth
from vaultsigner.domain.names import UserName, WalletName
from vaultsigner.domain.permissions import Permission
from vaultsigner.errors import ConfigError

FULL = f"""
server:
  listen: 0.0.0.0:8443
  ops_listen: "[::1]:9101"
  trusted_proxies: [127.0.0.1/32, "fd00::/8"]
vault:
  address: https://vault.example.com:8200/
  namespace: desk/trading
  ca_cert: /etc/ssl/vault.pem
  auth: {{method: token_file, path: token}}
access_token_expiry_minutes: 60
access_token_key: transit:keys/tokens
state: {{url: "sqlite:////var/lib/vaultsigner/state.db"}}
audit: {{directory: /var/log/audit, checkpoint_key: transit:transit/audit-checkpoints, checkpoint_every: 10}}
policies: rules
environments:
  TESTNET: {{node_url: "http://127.0.0.1:27147/"}}
  LOCAL: {{node_url: "http://node.example.com/path", chain_id: Local-Chain, address_prefix: tloc}}
wallets:
  - name: wallet_1
    private_key: vault:secret/wallets/wallet_1#private_key
    env_name: TESTNET
    address: tbnb1hn8ym9xht925jkncjpf7lhjnax6z8nv2mu9wy3
    ip_whitelist: [127.0.0.1, 10.0.0.0/8]
    permissions: [trade, transfer, freeze, resync, vote]
  - name: wallet_2
    mnemonic: vault:kv/desk/a.b/wallet-2#words
    ip_whitelist: ["*"]
    permissions: []
users:
  - username: sam
    password_hash: "{HASH}"
    wallet_permissions:
      - {{wallet_name: wallet_1, permissions: [trade, transfer]}}
      - {{wallet_name: wallet_2, permissions: []}}
  - username: old
    password_hash: {BCRYPT}
clients: []
exchanges: []
open_api: null
partner: {{}}
"""

WALLET = "wallets: [{name: w, private_key: 'vault:secret/w#private_key', permissions: [trade]"


def test_a_full_configuration_is_read(loading: Loading) -> None:
    settings = loading.settings(FULL)
    assert settings.source == loading.file
    assert settings.server.listen == ListenAddress("0.0.0.0", 8443)  # noqa: S104 - read, not bound
    assert str(settings.server.ops_listen) == "[::1]:9101"
    assert settings.server.trusted_proxies == (ip_network("127.0.0.1/32"), ip_network("fd00::/8"))
    assert settings.vault.address == "https://vault.example.com:8200"
    assert (settings.vault.namespace, settings.vault.ca_cert) == ("desk/trading", Path("/etc/ssl/vault.pem"))
    assert settings.vault.auth == TokenFileAuth(Path("token"))
    assert settings.access_token_expiry_minutes == 60
    assert settings.access_token_key == TransitReference("keys", "tokens")
    assert settings.state_url == "sqlite:////var/lib/vaultsigner/state.db"
    assert settings.audit.directory == Path("/var/log/audit")
    assert settings.audit.checkpoint_key == TransitReference("transit", "audit-checkpoints")
    assert settings.audit.checkpoint_every == 10
    assert settings.policies == Path("rules")


def test_environments_keep_their_defaults_where_they_say_nothing(loading: Loading) -> None:
    environments = loading.settings(FULL).environments
    assert list(environments) == ["TESTNET", "PROD", "LOCAL"]
    assert environments["TESTNET"].node_url == "http://127.0.0.1:27147"
    assert environments["TESTNET"].chain_id == "Binance-Chain-Ganges"
    assert environments["TESTNET"].address_prefix == "tbnb"
    assert environments["PROD"].chain_id == "Binance-Chain-Tigris"
    assert environments["LOCAL"].node_url == "http://node.example.com/path"
    assert environments["LOCAL"].address_prefix == "tloc"


def test_wallets_and_users_are_read(loading: Loading) -> None:
    settings = loading.settings(FULL)
    first, second = settings.wallets.values()
    assert first.key == KvReference("secret", "wallets/wallet_1", "private_key")
    assert (first.key_kind, first.environment.name) == ("private_key", "TESTNET")
    assert first.ip_whitelist == (ip_network("127.0.0.1"), ip_network("10.0.0.0/8"))
    assert first.permissions == frozenset(Permission)
    assert second.key == KvReference("kv", "desk/a.b/wallet-2", "words")
    assert (second.key_kind, second.environment.name, second.ip_whitelist) == ("mnemonic", "PROD", None)
    sam, old = settings.users.values()
    assert sam.password_hash == HASH
    assert sam.wallet_permissions[WalletName("wallet_1")] == {Permission.TRADE, Permission.TRANSFER}
    assert (old.username, old.password_hash) == (UserName("old"), BCRYPT)
    assert HASH not in repr(settings)


def test_a_short_configuration_is_enough(loading: Loading) -> None:
    settings = loading.settings(WALLET + "}]")
    assert settings.server.listen == ListenAddress("127.0.0.1", 8000)
    assert settings.server.ops_listen == ListenAddress("127.0.0.1", 9100)
    assert settings.server.trusted_proxies == ()
    assert settings.vault.address == "http://127.0.0.1:8200"
    assert settings.vault.auth == TokenFileAuth(Path("/run/vault/token"))
    assert settings.access_token_expiry_minutes == 10_080
    assert settings.access_token_key == TransitReference("transit", "access-tokens")
    assert settings.state_url == "sqlite:///state/vaultsigner.db"
    assert settings.audit.checkpoint_key is None
    assert (settings.audit.directory, settings.policies) == (Path("audit"), Path("policies"))
    (wallet,) = settings.wallets.values()
    assert (wallet.environment.name, wallet.ip_whitelist) == ("PROD", None)


def test_the_digest_is_of_the_bytes_that_were_read(loading: Loading) -> None:
    settings = loading.settings(WALLET + "}] # a comment counts")
    assert settings.digest == f"sha256:{hashlib.sha256(loading.file.read_bytes()).hexdigest()}"


def test_the_delivered_example_is_valid() -> None:
    settings = load(Path(__file__).parents[3] / "config" / "config.yml", {})
    assert list(settings.wallets) == ["wallet_1"]


USER = f'users: [{{username: sam, password_hash: "{HASH}"'

WRONG = [
    ("«serverr: {}", "serverr", '"serverr" is not known here', "did you mean server?"),
    ("server: {«lisen: x}", "server.lisen", "not known", "did you mean listen?"),
    ("vault: {auth: {«file: x}}", "vault.auth.file", "not known", "known here: method, path, mount, role"),
    ("vault: {«token: abc}", "vault.token", "not known", "a file of its own"),
    ("«secret_key: abc", "secret_key", "not known", "remove secret_key and set access_token_key"),
    (WALLET + ", «privat_key: x}]", "wallets[0].privat_key", "not known", "private_key"),
    (USER + ", «password: x}]", "users[0].password", "not known", "hash-password"),
    (
        USER
        + ", wallet_permissions: [{wallet_name: w, permissions: [], «permission: []}]}, ]\n"
        + WALLET
        + "}]",
        "users[0].wallet_permissions[0].permission",
        "not known",
        "",
    ),
    ("server: «[]", "server", "must be a mapping", "name: value"),
    ("wallets: «{}", "wallets", "must be a list", "dash"),
    ("wallets: [«wallet_1]", "wallets[0]", "must be a mapping", "name: value"),
    ("server: {listen: «8000}", "server.listen", "must be text", "quotes"),
    ("server: {listen: «localhost}", "server.listen", "no address to listen on", "127.0.0.1:8000"),
    ("server: {listen: «'127.0.0.1:70000'}", "server.listen", "no address to listen on", "host:port"),
    ("server: {listen: «'127.0.0.1:080'}", "server.listen", "no address to listen on", "host:port"),
    ("server: {listen: «'300.0.0.1:80'}", "server.listen", "no IP address", "IPv4"),
    ("server: {listen: «'[::g]:80'}", "server.listen", "no address to listen on", "[::1]:8000"),
    ("server: «{listen: 'x:1', ops_listen: 'x:1'}", "server", "are the same", "another port"),
    ("server: {trusted_proxies: [«'*']}", "server.trusted_proxies[0]", "no address or network", "10.0.0.0/8"),
    (
        "vault: {address: «'http://vault.example.com:8200'}",
        "vault.address",
        "http to another machine",
        "https://",
    ),
    (
        "vault: {address: «'http://127.0.0.1.example.com'}",
        "vault.address",
        "http to another machine",
        "https://",
    ),
    (
        "vault: {address: «'vault.example.com'}",
        "vault.address",
        "no http or https URL",
        "https://vault.example.com",
    ),
    ("vault: {address: «'ftp://vault'}", "vault.address", "no http or https URL", "https://"),
    ("vault: {address: «'https://u:p@vault'}", "vault.address", "user name or a password", "https://"),
    ("vault: {address: «'https://vault/v1'}", "vault.address", "no path", "scheme, host and port"),
    ("vault: {address: «'https://vault?x'}", "vault.address", "no query", "https://"),
    ("vault: {address: «'https://vault:99999'}", "vault.address", "no http or https URL", "https://"),
    ("vault: {namespace: «'a b'}", "vault.namespace", "no Vault namespace", "desk"),
    (
        "vault: {auth: {method: «token-file}}",
        "vault.auth.method",
        "no such method",
        "did you mean token_file?",
    ),
    ("vault: {auth: {path: «''}}", "vault.auth.path", "no path", "working directory"),
    ("access_token_expiry_minutes: «0", "access_token_expiry_minutes", "at least 1", "number"),
    ("access_token_expiry_minutes: «525601", "access_token_expiry_minutes", "at most 525600", "number"),
    ("access_token_expiry_minutes: «'60'", "access_token_expiry_minutes", "whole number", "without quotes"),
    ("access_token_expiry_minutes: «true", "access_token_expiry_minutes", "whole number", "without quotes"),
    (
        "access_token_expiry_minutes: «1_000",
        "access_token_expiry_minutes",
        "must be a whole number",
        "plain decimal digits, without quotes",
    ),
    (
        "access_token_expiry_minutes: «10080.0",
        "access_token_expiry_minutes",
        "must be a whole number",
        "without quotes, a point",
    ),
    ("access_token_key: «abc", "access_token_key", "transit:<mount>/<key>", "transit:transit/access-tokens"),
    ("access_token_key: «'vault:secret/a#b'", "access_token_key", "must lie in Vault's Transit", "transit:"),
    ("state: {url: «'postgresql://u:p@h/db'}", "state.url", "sslmode is left out", "sslmode=verify-full"),
    ("state: {url: «'sqlite:///:memory:'}", "state.url", "no URL of an SQLite file", "sqlite:///"),
    ("state: {url: «'sqlite:///a.db?mode=memory'}", "state.url", "no URL of an SQLite file", "sqlite:///"),
    ("state: {url: «'sqlite://a.db'}", "state.url", "no URL of an SQLite file", "sqlite:///"),
    ("audit: {checkpoint_every: «0}", "audit.checkpoint_every", "at least 1", "number"),
    (
        "audit: {checkpoint_key: «transit:transit/access-tokens}",
        "audit.checkpoint_key",
        "signs checkpoints signs nothing else",
        "audit-checkpoints",
    ),
    ("environments: {«testnet: {}}", "environments.testnet", "only in letter case", 'use "TESTNET"'),
    ("environments: {PROD: {«node: x}}", "environments.PROD.node", "not known", "did you mean node_url?"),
    (
        "environments: {PROD: {node_url: «dex}}",
        "environments.PROD.node_url",
        "no http or https URL",
        "dex.binance.org",
    ),
    (
        "environments: {PROD: {chain_id: «''}}",
        "environments.PROD.chain_id",
        "no chain id",
        "Binance-Chain-Tigris",
    ),
    (
        "environments: {PROD: {address_prefix: «BNB}}",
        "environments.PROD.address_prefix",
        "no address prefix",
        "bnb",
    ),
    (
        "environments: {LOCAL: «{node_url: 'http://h', chain_id: c}}",
        "environments.LOCAL.address_prefix",
        "is missing",
        "all of",
    ),
    (
        "environments: {«'a b': {node_url: 'http://h', chain_id: c, address_prefix: p}}",
        "environments.?",
        "no usable name",
        "letters",
    ),
    (
        "wallets: [«{private_key: 'vault:secret/w#k', permissions: []}]",
        "wallets[0].name",
        "is missing",
        "name:",
    ),
    (
        "wallets: [«{name: w, private_key: 'vault:secret/w#k'}]",
        "wallets[0].permissions",
        "is missing",
        "permissions:",
    ),
    (
        "wallets: [«{name: w, permissions: []}]",
        "wallets[0]",
        "there is no key",
        "vault:secret/wallets/w#private_key",
    ),
    (
        WALLET.replace("[{", "[«{") + ", mnemonic: 'vault:secret/w#m'}]",
        "wallets[0]",
        "both private_key and mnemonic",
        "keep",
    ),
    (WALLET.replace("name: w", "name: «'a b'") + "}]", "wallets[0].name", "no usable name", "letters"),
    (WALLET.replace("name: w", "name: «'..'") + "}]", "wallets[0].name", "no usable name", "letters"),
    (WALLET.replace("name: w", f"name: «{'w' * 65}") + "}]", "wallets[0].name", "no usable name", "letters"),
    (
        WALLET + "}, {name: «w, mnemonic: 'vault:secret/w#m', permissions: []}]",
        "wallets[1].name",
        "entry [0]",
        "once",
    ),
    (
        WALLET + ", env_name: «testnet}]",
        "wallets[0].env_name",
        "no environment has this name",
        "did you mean TESTNET?",
    ),
    (WALLET + ", env_name: «MAINNET}]", "wallets[0].env_name", "no environment", "known here: TESTNET, PROD"),
    (
        "environments: {TESTNET: {node_url: 'http://127.0.0.1:1'}}\n" + WALLET + ", env_name: «MAINNET}]",
        "wallets[0].env_name",
        "no environment",
        "known here: TESTNET, PROD",
    ),
    (
        "wallets: [{name: «w 1, private_key: 'vault:secret/w#private_key', permissions: []}]\n"
        + USER
        + ", wallet_permissions: [{wallet_name: w1, permissions: []}]}]",
        "wallets[0].name",
        "no usable name",
        "letters",
    ),
    (
        WALLET.replace("trade", "«Trade") + "}]",
        "wallets[0].permissions[0]",
        "no such permission",
        "did you mean trade?",
    ),
    (
        WALLET.replace("trade", "«trasnfer") + "}]",
        "wallets[0].permissions[0]",
        "no such permission",
        "mean transfer?",
    ),
    (
        WALLET + ", ip_whitelist: [«10.0.0.1/8]}]",
        "wallets[0].ip_whitelist[0]",
        "bits set",
        "write 10.0.0.0/8 for the",
    ),
    (
        WALLET + ", ip_whitelist: [«10.0.0.0/08]}]",
        "wallets[0].ip_whitelist[0]",
        "no address or network",
        "10.0.0.0/8",
    ),
    (
        WALLET + ", ip_whitelist: [«10.0.0.0/255.0.0.0]}]",
        "wallets[0].ip_whitelist[0]",
        "no address",
        "10.0.0.0/8",
    ),
    (WALLET + ", ip_whitelist: [«10.0.0.01]}]", "wallets[0].ip_whitelist[0]", "no address", "10.0.0.7"),
    (
        WALLET + ", ip_whitelist: [«'::ffff:10.0.0.1']}]",
        "wallets[0].ip_whitelist[0]",
        "never matches",
        "IPv4",
    ),
    (WALLET + ", ip_whitelist: [«'fe80::1%eth0']}]", "wallets[0].ip_whitelist[0]", "no address", "10.0.0.7"),
    (WALLET + ", ip_whitelist: «[10.0.0.1, '*']}]", "wallets[0].ip_whitelist", "star beside", "remove"),
    (WALLET + ", ip_whitelist: «null}]", "wallets[0].ip_whitelist", "must be a list", "dash"),
    (WALLET + ", address: «tbnb1x}]", "wallets[0].address", "no address", "vaultsigner check"),
    (
        WALLET + ", address: «tbnb1hn8ym9xht925jkncjpf7lhjnax6z8nv2mu9wy3}]",
        "wallets[0].address",
        "not of the wallet's environment",
        "prefix",
    ),
    ("users: [«{username: sam}]", "users[0].password_hash", "is missing", "password_hash:"),
    (USER + "}, {username: «sam, password_hash: " + BCRYPT + "}]", "users[1].username", "entry [0]", "once"),
    (
        USER + ", wallet_permissions: [{wallet_name: «w, permissions: []}]}]",
        "users[0].wallet_permissions[0].wallet_name",
        "no wallet has this name",
        "there is none yet",
    ),
    (
        WALLET + "}]\n" + USER + ", wallet_permissions: [{wallet_name: «W, permissions: []}]}]",
        "users[0].wallet_permissions[0].wallet_name",
        "no wallet has this name",
        "did you mean w?",
    ),
    (
        WALLET
        + "}]\n"
        + USER
        + ", wallet_permissions: [{wallet_name: w, permissions: []}, {wallet_name: «w, permissions: []}]}]",
        "users[0].wallet_permissions[1].wallet_name",
        "entry [0]",
        "once",
    ),
    ("exchanges: [«x]", "exchanges[0]", "must be a mapping", "name: value"),
    ("open_api: «x", "open_api", "must be a list", "dash"),
    ("partner: «{url_prefix: /web3}", "partner.public_key", "is missing", "public_key:"),
    ("«", "", "no configuration", "config/config.yml"),
    ("«[]", "", "no configuration", "config/config.yml"),
    ("server: {listen: «&a x}\n", "server.listen", "an anchor", "remove"),
    ("server: {listen: 'x:1', «listen: 'y:1'}", "server.listen", "there twice", "keep one"),
]


@pytest.mark.parametrize(("marked", "where", "message", "hint"), WRONG)
def test_each_mistake_is_told_at_its_place(
    loading: Loading, marked: str, where: str, message: str, hint: str
) -> None:
    problem = loading.marked_problem(marked)
    assert problem.where == where
    assert message in problem.message
    assert hint in problem.hint


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(loading: Loading) -> None:
    problems = loading.problems(
        """serverr: {}
vault: {address: http://vault:8200}
access_token_expiry_minutes: 010
wallets:
  - name: a
    private_key: nothing
    env_name: testnet
    permissions: [trad]
  - name: a
    mnemonic: &m vault:secret/a#mnemonic
    permissions: []
users:
  - username: sam
    wallet_permissions: [{wallet_name: b, permissions: []}]
"""
    )
    assert [(problem.line, problem.where) for problem in problems] == [
        (1, "serverr"),
        (2, "vault.address"),
        (3, "access_token_expiry_minutes"),
        (6, "wallets[0].private_key"),
        (7, "wallets[0].env_name"),
        (8, "wallets[0].permissions[0]"),
        (9, "wallets[1].name"),
        (10, "wallets[1].mnemonic"),
        (13, "users[0].password_hash"),
        (14, "users[0].wallet_permissions[0].wallet_name"),
    ]


def test_the_text_of_the_exception_has_a_line_for_each_problem(loading: Loading) -> None:
    with pytest.raises(ConfigError) as caught:
        loading.settings("serverr: {}\nwalets: []\n")
    assert str(caught.value).splitlines() == [
        f'{loading.file}:1:1: serverr: "serverr" is not known here; did you mean server?',
        f'{loading.file}:2:1: walets: "walets" is not known here; did you mean wallets?',
    ]


def test_a_file_that_cannot_be_read_as_yaml_tells_that_and_nothing_that_would_follow(
    loading: Loading,
) -> None:
    problem = loading.the_problem("serverr: {}\nserver: {listen: 'x:1'\n")
    assert "not YAML" in problem.message


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems, match="cannot be read: No such file"):
        load(tmp_path / "missing.yml", {})


def test_many_wallets_cost_no_more_than_as_many_times_one(loading: Loading) -> None:
    def load_wallets(count: int) -> None:
        wallets = "".join(
            f"  - {{name: w{i}, private_key: 'vault:secret/w{i}#private_key', permissions: [trade]}}\n"
            for i in range(count)
        )
        assert len(loading.settings("wallets:\n" + wallets).wallets) == count

    few, many = (calls_of(partial(load_wallets, count)) for count in (300, 3000))
    assert many < 12 * few


def test_an_unusable_configuration_names_its_policies_all_the_same(loading: Loading) -> None:
    for text, named in (
        ("polices: x", Path("policies")),
        ("policies: desk/\nx: 1", Path("desk")),
        ("policies: [", None),
        ("policies: [a]", None),
    ):
        with pytest.raises(ConfigProblems) as caught:
            loading.settings(text)
        assert caught.value.policies == named, text
