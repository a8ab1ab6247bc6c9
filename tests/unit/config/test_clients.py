"""Those who sign their requests: clients, the partner, and how often they may ask."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from tests.unit.config.keys_at_hand import ec_pem, ed25519_pem, rsa_pem, rsa_private_pem
from tests.unit.config.loading import KEY, Loading
from vaultsigner.cli.client_credentials import new_api_key
from vaultsigner.config.literal_secrets import kind_of_secret
from vaultsigner.config.public_keys import read_public_key
from vaultsigner.config.settings import KvReference, PartnerTask, RateLimit, RateLimits, TraceSettings
from vaultsigner.domain.names import ClientName, WalletName
from vaultsigner.domain.permissions import Permission

WALLETS = "wallets: [{name: w, private_key: 'vault:secret/w#private_key', permissions: [trade]}]\n"
HMAC = "name: bot-1, api_key: vs_1, scheme: hmac, secret: 'vault:secret/clients/bot-1#secret'"
OTHER = HMAC.replace("bot-1,", "bot-2,").replace("vs_1", "vs_2")
"""With another name and another API key, and the same secret."""
BINANCE_KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
"""From Binance's own documentation of signed requests."""


def quoted(text: str) -> str:
    return json.dumps(text)


def test_clients_of_every_scheme_are_read(loading: Loading, tmp_path: Path) -> None:
    file = tmp_path / "bot-3.pem"
    file.write_text(ed25519_pem())
    settings = loading.settings(f"""{WALLETS}
clients:
  - {{{HMAC}, wallet_permissions: [{{wallet_name: w, permissions: [trade]}}], exchanges: []}}
  - name: bot-2
    api_key: {BINANCE_KEY}
    scheme: rsa
    public_key: |
      {rsa_pem(2048).replace(chr(10), chr(10) + "      ").rstrip()}
  - {{name: bot-3, api_key: vs_3, scheme: ed25519, public_key: {file}}}
  - {{name: app, api_key: "日本 1", scheme: open_api, secret: "vault:kv/app#key"}}
""")
    one, two, three, app = settings.clients.values()
    assert (one.name, one.api_key, one.scheme) == ("bot-1", "vs_1", "hmac")
    assert one.secret == KvReference("secret", "clients/bot-1", "secret")
    assert one.wallet_permissions == {WalletName("w"): {Permission.TRADE}}
    assert (one.public_key, one.exchanges) == (None, ())
    assert (two.api_key, two.secret) == (BINANCE_KEY, None)
    assert two.public_key == read_public_key(rsa_pem(2048)).der
    assert three.public_key == read_public_key(ed25519_pem()).der
    assert (app.api_key, app.secret) == ("日本 1", KvReference("kv", "app", "key"))
    assert (settings.partner, settings.rate_limits) == (None, RateLimits())


def test_the_partner_and_its_tasks_are_read(loading: Loading) -> None:
    settings = loading.settings(f"""
partner:
  url_prefix: /web3/tasks
  public_key: {quoted(rsa_pem(1024))}
  tasks:
    deposit: {{operation: transfer, wallet_is: recipient}}
    first-order: {{operation: order, wallet_is: sender}}
""")
    assert settings.partner is not None
    assert (settings.partner.url_prefix, settings.partner.key_bits) == ("/web3/tasks", 1024)
    assert settings.partner.public_key == read_public_key(rsa_pem(1024), least_bits=1024).der
    assert settings.partner.tasks == {
        "deposit": PartnerTask("transfer", "recipient"),
        "first-order": PartnerTask("order", "sender"),
    }


def test_limits_are_read_and_keep_their_defaults_where_they_say_nothing(loading: Loading) -> None:
    settings = loading.settings(
        "rate_limits: {log_ins_per_user: {count: 1, every: 30s}, requests_per_client: {count: 1000000, every: 24h}}"
    )
    assert settings.rate_limits == RateLimits(
        log_ins_per_user=RateLimit(1, 30), requests_per_client=RateLimit(1_000_000, 86_400)
    )
    assert loading.settings(
        "rate_limits: {log_ins_per_address: {count: 2, every: 5m}}"
    ).rate_limits == RateLimits(log_ins_per_address=RateLimit(2, 300))


def test_an_empty_partner_section_is_as_good_as_none(loading: Loading) -> None:
    assert loading.settings("partner: {}").partner is None
    assert loading.settings("partner: null").partner is None


def test_another_key_in_a_named_file_is_another_configuration(loading: Loading, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    text = f"clients: [{{name: bot, api_key: vs_1, scheme: rsa, public_key: {file}}}]"
    digests = set()
    for pem in (rsa_pem(2048), rsa_pem(2049)):
        file.write_text(pem)
        digests.add(loading.settings(text).digest)
    digests.add(f"sha256:{hashlib.sha256(text.encode()).hexdigest()}")
    assert len(digests) == 3


def test_a_state_url_is_not_shown_with_the_settings(loading: Loading) -> None:
    settings = loading.settings("state: {url: 'postgresql://u:hunter2@127.0.0.1/state'}")
    assert settings.state_url == "postgresql://u:hunter2@127.0.0.1/state"
    assert "hunter2" not in repr(settings)


def test_an_api_key_is_not_taken_for_a_secret() -> None:
    assert kind_of_secret(BINANCE_KEY) is None
    assert all(kind_of_secret(new_api_key()) is None for _ in range(200))


def client(text: str) -> str:
    return f"clients: [{{{text}}}]"


def with_key(public_key: str, scheme: str = "rsa") -> str:
    return client(f"name: bot, api_key: vs_1, scheme: {scheme}, public_key: {public_key}")


WRONG = [
    (client("«name: bot, api_key: vs_1").replace("[{«", "[«{"), "clients[0].scheme", "is missing", "scheme:"),
    (client("name: b, api_key: vs_1, scheme: «hmca"), "clients[0].scheme", "no such scheme", "mean hmac?"),
    (client(f"name: «'..', {HMAC[13:]}"), "clients[0].name", "no usable name", "letters"),
    (client(HMAC.replace("vs_1", "«''")), "clients[0].api_key", "no API key", "clients create"),
    (client(HMAC.replace("vs_1", "«'a b'")), "clients[0].api_key", "no API key", "without blanks"),
    (client(HMAC.replace("vs_1", "«é")), "clients[0].api_key", "no API key", "ASCII"),
    (client(HMAC.replace("vs_1", f"«{'k' * 129}")), "clients[0].api_key", "no API key", "1 to 128"),
    (
        client(HMAC.replace("vs_1", f"«{KEY}")),
        "clients[0].api_key",
        "looks like a private key",
        "clients create",
    ),
    (client(HMAC.replace("vs_1", "«12345")), "clients[0].api_key", "must be text", "quotes"),
    (
        client(HMAC.replace("vs_1", f"«{'é' * 129}").replace("hmac", "open_api")),
        "clients[0].api_key",
        "no access key id",
        "control",
    ),
    (client(HMAC + ", «exchange: [x]"), "clients[0].exchange", "not known", "did you mean exchanges?"),
    (client(HMAC + ", exchanges: [«binance]"), "clients[0].exchanges[0]", "no exchange", "there is none yet"),
    (
        f"clients: [{{{HMAC}}}, {{{OTHER.replace('bot-2,', '«bot-1,').replace('/bot-1', '/bot-2')}}}]",
        "clients[1].name",
        "entry [0]",
        "once",
    ),
    (
        f"clients: [{{{HMAC}}}, {{{OTHER.replace('vs_2', '«vs_1').replace('/bot-1', '/bot-2')}}}]",
        "clients[1].api_key",
        "has this API key already",
        "its own",
    ),
    (
        client(HMAC + ", wallet_permissions: [{wallet_name: «v, permissions: []}]"),
        "clients[0].wallet_permissions[0].wallet_name",
        "no wallet has this name",
        "there is none yet",
    ),
    (
        WALLETS
        + client(
            HMAC
            + ", wallet_permissions: [{wallet_name: w, permissions: []}, {wallet_name: «w, permissions: []}]"
        ),
        "clients[0].wallet_permissions[1].wallet_name",
        "entry [0]",
        "once",
    ),
    (
        WALLETS + client(HMAC + ", wallet_permissions: [{wallet_name: w, permissions: [«trad]}]"),
        "clients[0].wallet_permissions[0].permissions[0]",
        "no such permission",
        "trade",
    ),
    (
        client("name: bot, api_key: vs_1, scheme: hmac").replace("[{", "[«{"),
        "clients[0].secret",
        "is missing",
        "vault:secret/clients/bot#secret",
    ),
    (
        client("name: bot, api_key: vs_1, scheme: open_api").replace("[{", "[«{"),
        "clients[0].secret",
        "is missing",
        "vault:secret/clients/bot#secret",
    ),
    (
        client("name: bot, api_key: vs_1, scheme: hmac, secret: «hunter2"),
        "clients[0].secret",
        "known to others",
        "clients create bot",
    ),
    (
        client(f"name: bot, api_key: vs_1, scheme: hmac, secret: «{KEY}"),
        "clients[0].secret",
        "known to others",
        "clients create bot",
    ),
    (
        client("name: bot, api_key: vs_1, scheme: hmac, secret: «12"),
        "clients[0].secret",
        "never the secret",
        "clients create bot",
    ),
    (
        client("name: bot, api_key: vs_1, scheme: hmac, secret: «'transit:transit/k'"),
        "clients[0].secret",
        "KV version 2",
        "vault:secret/clients/bot#secret",
    ),
    (
        client("name: bot, api_key: vs_1, scheme: hmac, secret: «'vault:secret/x'"),
        "clients[0].secret",
        "not of the form",
        "vault:secret/clients/bot#secret",
    ),
    (
        f"clients: [{{{HMAC}}}, {{{OTHER.replace(chr(39), '«' + chr(39), 1)}}}]",
        "clients[1].secret",
        "entry [0] of this list has this secret",
        "its own",
    ),
    (
        WALLETS + client(HMAC.replace("'vault:secret/clients/bot-1#", "«'vault:secret/w#")),
        "clients[0].secret",
        "a wallet's key lies there",
        "clients create",
    ),
    (
        f"clients: [{{name: a, api_key: vs_1, scheme: rsa, public_key: {quoted(rsa_pem(2048))}}}, "
        f"{{name: b, api_key: vs_2, scheme: rsa, public_key: «{quoted(rsa_pem(2048) + chr(10))}}}]",
        "clients[1].public_key",
        "entry [0] of this list has this key",
        "of its own",
    ),
    (
        client(HMAC + f", public_key: «{quoted(rsa_pem(2048))}"),
        "clients[0].public_key",
        "has no public",
        "remove",
    ),
    (
        with_key(quoted(rsa_pem(2048)) + ", secret: «'vault:secret/x#y'"),
        "clients[0].secret",
        "scheme rsa has no secret",
        "remove",
    ),
    (
        client("name: bot, api_key: vs_1, scheme: ed25519").replace("[{", "[«{"),
        "clients[0].public_key",
        "is missing",
        "PEM",
    ),
    (with_key("«" + quoted(ed25519_pem())), "clients[0].public_key", "type ed25519, not rsa", "openssl"),
    (with_key("«" + quoted(rsa_pem(2048)), "ed25519"), "clients[0].public_key", "type rsa", "ed25519"),
    (with_key("«" + quoted(ec_pem())), "clients[0].public_key", "this type", "Ed25519"),
    (with_key("«" + quoted(rsa_pem(1024))), "clients[0].public_key", "has 1024 bits", "openssl"),
    (with_key("«" + quoted(rsa_pem(2048, 3))), "clients[0].public_key", "exponent", "openssl"),
    (with_key("«" + quoted(rsa_private_pem())), "clients[0].public_key", "private key", "-pubout"),
    (with_key("«/nowhere/key.pem"), "clients[0].public_key", "/nowhere/key.pem cannot be read", "path"),
    (with_key(f"«{KEY}"), "clients[0].public_key", "a private key", "-pubout"),
    (with_key("«''"), "clients[0].public_key", "must be text", "PEM"),
    ("clients: «{}", "clients", "must be a list", "dash"),
]
PARTNER = f"url_prefix: /web3, public_key: {quoted(rsa_pem(1024))}"
TASK = "tasks: {deposit: {operation: transfer, wallet_is: recipient}}"


def partner(text: str) -> str:
    return f"partner: {{{text}}}"


def prefixed(url_prefix: str) -> str:
    return partner(PARTNER.replace("/web3", f"«'{url_prefix}'"))


WRONG += [
    ("partner: «{url_prefix: /web3}", "partner.public_key", "is missing", "public_key:"),
    ("partner: «[]", "partner", "must be a mapping", "name: value"),
    (partner(f"{PARTNER}, «task: {{}}"), "partner.task", "not known", "did you mean tasks?"),
    *(
        (prefixed(text), "partner.url_prefix", "no path", "/web3")
        for text in (
            "",
            "/",
            "web3",
            "/web3/",
            "/we b3",
            "//web3",
            "/../web3",
            "/web3?x",
            "/%77eb3",
            "/wéb3",
            "/a{b}",
        )
    ),
    *(
        (prefixed(text), "partner.url_prefix", "vaultsigner's own", "/web3")
        for text in ("/api", "/API/x", "/exchange", "/docs", "/redoc/x", "/console")
    ),
    (
        partner(f"url_prefix: /web3, public_key: «{quoted(ed25519_pem())}"),
        "partner.public_key",
        "type ed25519, not rsa",
        "openssl",
    ),
    (
        partner(f"url_prefix: /web3, public_key: «{quoted(rsa_pem(1023, 65_539))}"),
        "partner.public_key",
        "1023 bits; it needs 1024",
        "openssl",
    ),
    (
        partner(f"url_prefix: /web3, public_key: «{quoted(rsa_private_pem())}"),
        "partner.public_key",
        "private key",
        "-pubout",
    ),
    (
        partner(f"{PARTNER}, {TASK.replace('transfer', '«trasnfer')}"),
        "partner.tasks.deposit.operation",
        "no such operation",
        "did you mean transfer?",
    ),
    (
        partner(f"{PARTNER}, {TASK.replace('transfer', '«transfer.sign')}"),
        "partner.tasks.deposit.operation",
        "no such operation",
        "transfer",
    ),
    (
        partner(f"{PARTNER}, {TASK.replace('transfer', 'vote').replace('recipient', '«recipient')}"),
        "partner.tasks.deposit.wallet_is",
        "only a transfer",
        "sender",
    ),
    (
        partner(f"{PARTNER}, {TASK.replace('recipient', '«receiver')}"),
        "partner.tasks.deposit.wallet_is",
        "sender or recipient",
        "sender",
    ),
    (
        partner(f"{PARTNER}, {TASK.replace('recipient', '«[sender]')}"),
        "partner.tasks.deposit.wallet_is",
        "sender or recipient",
        "write sender or recipient",
    ),
    (
        partner(f"{PARTNER}, tasks: {{deposit: «{{operation: vote}}}}"),
        "partner.tasks.deposit.wallet_is",
        "is missing",
        "wallet_is:",
    ),
    (
        partner(f"{PARTNER}, tasks: {{«'a b': {{operation: vote, wallet_is: sender}}}}"),
        "partner.tasks.?",
        "no usable name",
        "letters",
    ),
    (
        "rate_limits: {«log_in_per_user: {count: 1, every: 1m}}",
        "rate_limits.log_in_per_user",
        "not known",
        "did you mean log_ins_per_user?",
    ),
    (
        "rate_limits: {log_ins_per_user: «{count: 1}}",
        "rate_limits.log_ins_per_user.every",
        "is missing",
        "every:",
    ),
    *(
        (
            f"rate_limits: {{log_ins_per_user: {{count: «{count}, every: 1m}}}}",
            "rate_limits.log_ins_per_user.count",
            message,
            "number" if message != "whole number" else "digits",
        )
        for count, message in ((0, "at least 1"), (1_000_001, "at most 1000000"), ("'5'", "whole number"))
    ),
    *(
        (
            f"rate_limits: {{log_ins_per_user: {{count: 1, every: «{every}}}}}",
            "rate_limits.log_ins_per_user.every",
            "no time that we know",
            "30s, 1m or 1h",
        )
        for every in ("60", "1d", "'0s'", "25h", "86401s", "'01m'", "1.5m", "m", "'1 m'", "'١m'", "[1m]")
    ),
]


@pytest.mark.parametrize(("marked", "where", "message", "hint"), WRONG)
def test_each_mistake_is_told_at_its_place(
    loading: Loading, marked: str, where: str, message: str, hint: str
) -> None:
    problem = loading.marked_problem(marked)
    assert problem.where == where
    assert message in problem.message
    assert hint in problem.hint


def test_all_mistakes_of_these_sections_are_told_at_once(loading: Loading) -> None:
    problems = loading.problems("""
clients:
  - {name: a, api_key: "", scheme: hmac, secret: hunter2}
  - {name: a, api_key: vs_1, scheme: rsa, public_key: /nowhere}
partner:
  url_prefix: web3
rate_limits:
  log_ins_per_user: {count: 0, every: 1d}
""")
    assert [(problem.line, problem.where) for problem in problems] == [
        (3, "clients[0].api_key"),
        (3, "clients[0].secret"),
        (4, "clients[1].name"),
        (4, "clients[1].public_key"),
        (6, "partner.public_key"),
        (6, "partner.url_prefix"),
        (8, "rate_limits.log_ins_per_user.count"),
        (8, "rate_limits.log_ins_per_user.every"),
    ]


def test_what_the_delivered_example_shows_in_comments_is_valid_too(
    loading: Loading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (Path(__file__).parents[3] / "config" / "config.yml").read_text()
    before, partner_on, rest = text.partition("# partner:")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "binance-web3.pem").write_text(rsa_pem(2048))
    monkeypatch.chdir(tmp_path)
    shown = re.sub(r"(?m)^# (?=partner:|rate_limits:|telemetry:|  )", "", partner_on + rest)
    settings = loading.settings(before + shown)
    assert settings.partner is not None
    assert list(settings.partner.tasks) == ["deposit"]
    assert shown.count("{count:") == 5
    assert settings.rate_limits == RateLimits()
    assert settings.traces == TraceSettings("http://127.0.0.1:4318", 10)


def test_a_client_is_found_by_its_name(loading: Loading) -> None:
    assert loading.settings(client(HMAC)).clients[ClientName("bot-1")].name == "bot-1"
