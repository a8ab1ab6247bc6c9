"""What `check` warns of before anything is tried."""

from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.unit.cli.sample import sample_app, sample_client, sample_exchange, sample_settings, sample_wallet
from vaultsigner.cli.cautions import cautions
from vaultsigner.config.settings import (
    ListenAddress,
    Partner,
    ServerSettings,
    Settings,
    User,
    UserRole,
)
from vaultsigner.domain.names import CertificateDigest, UserName, WalletName
from vaultsigner.domain.permissions import Permission
from vaultsigner.policy import PolicySet, load

SAM = UserName("sam")
STRONG = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNo"
NO_RULES = PolicySet("sha256:00", ())
TRADES = {WalletName("w"): frozenset({Permission.TRADE})}


def settings(*, listen: str = "127.0.0.1", password_hash: str = STRONG) -> Settings:
    bare = sample_settings(sample_wallet("w", "w"))
    server = ServerSettings(ListenAddress(listen, 8000), bare.server.ops_listen, ())
    return replace(bare, server=server, users={SAM: User(SAM, password_hash, TRADES)})


def test_a_sound_configuration_has_none() -> None:
    assert list(cautions(settings(), NO_RULES)) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.7", "::", "signer.example.com"])  # noqa: S104 - nothing is bound
def test_plain_http_that_leaves_the_machine_is_one(host: str) -> None:
    (caution,) = cautions(settings(listen=host), NO_RULES)
    assert "put a TLS terminator in front" in caution


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.53", "::1", "localhost"])
def test_this_machine_alone_is_none(host: str) -> None:
    assert list(cautions(settings(listen=host), NO_RULES)) == []


def test_nobody_and_nothing_to_sign_with_are_two() -> None:
    users, wallets = cautions(sample_settings(), NO_RULES)
    assert "there are no users" in users
    assert "there are no wallets" in wallets


def test_an_exchange_needs_no_wallet_and_somebody_who_may_use_it() -> None:
    main, app = sample_exchange("main", "transit:transit/main"), sample_app("app", "app")
    idle = sample_settings(clients=[sample_client("b", "b")], exchanges=[main], open_api=[app])
    assert list(cautions(idle, NO_RULES))[:-1] == [
        "exchange main: nobody may use it; write `exchanges: [main]` under a client or a user",
        "Open API app app: nobody may use it; write `open_api: [app]` under a client or a user",
    ]
    bot = replace(sample_client("b", "b"), exchanges=("main",))
    sam = User(SAM, STRONG, {}, open_api=("app",))
    used = replace(idle, clients={bot.name: bot}, users={SAM: sam})
    assert not list(cautions(used, NO_RULES))


def test_clients_are_callers_too() -> None:
    bot = replace(sample_client("b", "b"), wallet_permissions=TRADES)
    assert list(cautions(sample_settings(sample_wallet("w", "w"), clients=[bot]), NO_RULES)) == []


def test_who_may_use_nothing_and_decides_nothing_is_one(tmp_path: Path) -> None:
    bare = replace(sample_settings(sample_wallet("w", "w")), users={SAM: User(SAM, STRONG, {})})
    bot, idle = sample_client("b", "b"), {WalletName("w"): frozenset[Permission]()}
    both = replace(bare, clients={bot.name: replace(bot, wallet_permissions=idle)})
    user, client = cautions(both, NO_RULES)
    assert user.startswith("user sam may use nothing at all: ")
    assert client.startswith("client b may use nothing at all: ")
    votes = (
        "id: votes, effect: allow, operations: [vote.*], approvals: {count: 1, of: [group:risk], within: 1h}"
    )
    groups = rules(votes, tmp_path=tmp_path, groups="groups: {risk: [user:sam, client:b]}\n")
    assert list(cautions(both, groups)) == [client]
    operator = replace(bare.users[SAM], roles=frozenset[UserRole]({"operator"}))
    assert list(cautions(replace(bare, users={SAM: operator}), NO_RULES)) == []


@pytest.mark.parametrize(("bits", "told"), [(1024, 1), (2047, 1), (2048, 0)])
def test_a_short_key_of_the_partner_is_one(bits: int, told: int) -> None:
    found = list(cautions(replace(settings(), partner=Partner("/web3", b"", bits, {})), NO_RULES))
    assert len(found) == told
    assert all(f"has {bits} bits" in caution for caution in found)


def test_a_client_with_the_partner_s_key_is_one() -> None:
    own = replace(sample_client("own", None), wallet_permissions=TRADES)
    both = replace(
        settings(), clients={own.name: own}, partner=Partner("/web3", own.public_key or b"", 2048, {})
    )
    (caution,) = cautions(both, NO_RULES)
    assert caution.startswith("own: its public key is the partner's")


def test_a_password_in_the_state_s_url_and_a_half_checked_connection_are_two() -> None:
    url = "postgresql://u:hunter2@db.example.com/state?sslmode=require"
    password, mode = cautions(replace(settings(), state_url=url), NO_RULES)
    assert "passfile=" in password
    assert "sslmode=require" in mode
    assert "hunter2" not in password + mode


def test_a_password_hash_made_with_little_work_is_one() -> None:
    (caution,) = cautions(settings(password_hash=STRONG.replace("m=65536", "m=8")), NO_RULES)
    assert caution.startswith("sam: ")


def rules(*texts: str, tmp_path: Path, groups: str = "") -> PolicySet:
    text = "".join(f"  - {{{each}}}\n" for each in texts)
    (tmp_path / "desk.yml").write_text(f"version: 1\n{groups}rules:\n{text}")
    return load(tmp_path)


@pytest.mark.parametrize(
    "rule",
    [
        "id: all, effect: allow",
        "id: all, effect: allow, principals: ['*'], targets: ['wallet:*'], operations: ['*']",
        "id: all, effect: allow, principals: ['user:*', 'client:*']",
    ],
)
def test_a_rule_that_allows_everything_to_everybody_is_one(rule: str, tmp_path: Path) -> None:
    (caution,) = cautions(
        settings(), rules("id: no-votes, effect: deny, operations: [vote.*]", rule, tmp_path=tmp_path)
    )
    assert caution.startswith(f"policies: {tmp_path}/desk.yml:4:5: rule all allows everything to everybody")


@pytest.mark.parametrize(
    "rule",
    [
        "id: all, effect: deny",
        "id: all, effect: allow, principals: ['user:*']",
        "id: all, effect: allow, targets: ['wallet:w']",
        "id: all, effect: allow, operations: [order.*]",
    ],
)
def test_a_rule_that_narrows_is_none(rule: str, tmp_path: Path) -> None:
    assert list(cautions(settings(), rules(rule, tmp_path=tmp_path))) == []


def test_the_delivered_policy_is_told_for_what_it_is() -> None:
    (caution,) = cautions(settings(), load(Path(__file__).parents[3] / "policies"))
    assert "rules within-permissions and transfers-within-permissions allow everything" in caution


TRADING = sample_settings(exchanges=[sample_exchange("main", "transit:transit/main")])


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("id: all, effect: allow", True),
        ("id: all, effect: allow, operations: ['exchange.*']", True),
        ("id: all, effect: allow, operations: ['exchange.*'], targets: ['exchange:*', 'wallet:*']", True),
        ("id: all, effect: allow, operations: ['exchange.*'], targets: ['wallet:*']", False),
        ("id: all, effect: allow, operations: ['exchange.*'], when: {symbol: {equals: BTCUSDT}}", False),
        ("id: all, effect: allow, operations: [exchange.query]", False),
        ("id: all, effect: deny, operations: ['exchange.*']", False),
        ("id: all, effect: allow, operations: [order.*, transfer.*, vote.*]", False),
    ],
)
def test_orders_for_everybody_are_one_where_there_are_exchanges(
    rule: str, told: bool, tmp_path: Path
) -> None:
    sam = User(SAM, STRONG, {}, exchanges=("main",))
    found = list(cautions(replace(TRADING, users={SAM: sam}), rules(rule, tmp_path=tmp_path)))
    assert [
        each.startswith(f"policies: {tmp_path}/desk.yml:3:5: rule all allows every order") for each in found
    ] == ([True] if told else [])
    without = replace(settings(), wallets={}, users={})
    assert not any(
        each.startswith("policies: ") for each in cautions(without, rules(rule, tmp_path=tmp_path))
    )


def test_permissions_that_the_wallet_lacks_are_one_a_caller() -> None:
    given = {WalletName("w"): frozenset({Permission.TRADE, Permission.VOTE, Permission.TRANSFER})}
    bare, bot = settings(), replace(sample_client("bot", "bot"), wallet_permissions=given)
    both = replace(bare, clients={bot.name: bot}, users={SAM: User(SAM, STRONG, given)})
    user, client = cautions(both, NO_RULES)
    assert user.startswith("user sam: transfer, vote on w has no effect")
    assert client.startswith("client bot: transfer, vote on w has no effect")
    fitting = {WalletName("w"): frozenset({Permission.TRADE})}
    assert list(cautions(replace(bare, users={SAM: User(SAM, STRONG, fitting)}), NO_RULES)) == []


def test_record_that_nothing_signs_is_one() -> None:
    audit = replace(settings().audit, checkpoint_key=None, anchors=())
    (caution,) = cautions(replace(settings(), audit=audit), NO_RULES)
    assert caution.startswith("audit.checkpoint_key: there is none")


def test_checkpoints_that_are_kept_beside_the_record_alone_are_one() -> None:
    audit = replace(settings().audit, anchors=())
    (caution,) = cautions(replace(settings(), audit=audit), NO_RULES)
    assert caution.startswith("audit.anchors: there are none")


def test_rollbacks_that_were_accepted_are_one() -> None:
    audit = replace(settings().audit, accepted_rollbacks=frozenset({"state:00000000000000aa:7"}))
    (caution,) = cautions(replace(settings(), audit=audit), NO_RULES)
    assert "state:00000000000000aa:7: something of the record was lost there" in caution


def test_a_certificate_that_nobody_can_show_is_one() -> None:
    plain = settings()
    bound = replace(plain.users[SAM], certificates=frozenset({CertificateDigest("sha256:" + "0f" * 32)}))
    (caution,) = cautions(replace(plain, users={SAM: bound}), NO_RULES)
    assert "server.trusted_proxies" in caution
    server = replace(plain.server, trusted_proxies=(ip_network("127.0.0.1/32"),))
    assert list(cautions(replace(plain, users={SAM: bound}, server=server), NO_RULES)) == []
