"""What a new client is given, and that the lines for config.yml are a configuration."""

import json
import re
from pathlib import Path

import click
import pytest

from tests.unit.cli.sample import sample_app, sample_client, sample_exchange, sample_settings, sample_wallet
from tests.unit.config.keys_at_hand import ed25519_pem, rsa_pem
from vaultsigner.cli.client_credentials import (
    Usable,
    as_document,
    config_lines,
    new_api_key,
    new_name,
    new_secret,
)
from vaultsigner.cli.client_target import find_target
from vaultsigner.config import load
from vaultsigner.config.settings import ClientScheme, KvReference

BOT = KvReference("secret", "clients/bot", "secret")
HOT = Usable("w")
WALLET = "wallets: [{name: w, private_key: 'vault:secret/w#k', permissions: [trade]}]\n"


def test_each_api_key_and_each_secret_is_another() -> None:
    keys, secrets = {new_api_key() for _ in range(1000)}, {new_secret() for _ in range(1000)}
    assert len(keys) == len(secrets) == 1000
    assert all(re.fullmatch(r"vs_[a-z2-7]{32}", key) for key in keys)
    assert all(re.fullmatch(r"[A-Za-z0-9]{64}", secret) for secret in secrets)
    assert set("".join(secrets)) == set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")


def test_a_made_up_name_is_one_that_nobody_has() -> None:
    assert len({new_name(()) for _ in range(100)}) == 100
    assert re.fullmatch(r"client-[a-z2-7]{6}", new_name(()))


@pytest.mark.parametrize("path", ["key.pem", "with blank.pem", 'with "quote".pem', "010", "yes"])
def test_the_lines_are_a_configuration_whatever_the_file_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(path).write_text(ed25519_pem())
    config = tmp_path / "config.yml"
    config.write_text(f"{WALLET}clients:\n" + config_lines("bot", new_api_key(), "ed25519", Path(path), HOT))
    (client,) = load(config, {}).clients.values()
    assert client.public_key is not None
    config.write_text(f"{WALLET}clients:\n" + config_lines("bot", new_api_key(), "hmac", BOT, HOT))
    (client,) = load(config, {}).clients.values()
    assert client.secret == BOT


@pytest.mark.parametrize("wallet", [None, "w"])
@pytest.mark.parametrize("exchanges", [(), ("main",), ("main", "usdm")])
@pytest.mark.parametrize("open_api", [(), ("app",)])
def test_the_lines_give_what_there_is_and_name_nothing_else(
    tmp_path: Path, wallet: str | None, exchanges: tuple[str, ...], open_api: tuple[str, ...]
) -> None:
    key = "secret: 'transit:transit/k'"
    there = [
        f"  - {{name: {name}, base_url: 'https://x.example', api_key: k, scheme: hmac, {key}}}"
        for name in exchanges
    ]
    app = (
        "open_api: [{name: app, app_id: '1', access_key_id: k, base_url: 'https://x.example', "
        "secret_key: 'vault:secret/a#k'}]"
    )
    config = tmp_path / "config.yml"
    lines = config_lines("bot", new_api_key(), "hmac", BOT, Usable(wallet, exchanges, open_api))
    sections = [WALLET if wallet else "", *(["exchanges:", *there] if there else []), app if open_api else ""]
    config.write_text("\n".join([*sections, f"clients:\n{lines}"]))
    (client,) = load(config, {}).clients.values()
    assert (list(client.wallet_permissions), client.exchanges, client.open_api) == (
        [wallet] if wallet else [],
        exchanges,
        open_api,
    )


def test_a_document_leaves_out_what_there_is_none_of() -> None:
    assert json.loads(as_document({"a": "b", "secret": None})) == {"a": "b"}


SETTINGS = sample_settings(
    sample_wallet("hot", "hot"), clients=[sample_client("bot", "bot"), sample_client("own", None)]
)


def test_a_configured_client_keeps_its_api_key_and_its_place() -> None:
    target = find_target(SETTINGS, "bot", None, None, None)
    assert (target.api_key, target.credential, target.configured) == (
        "vs_bot",
        KvReference("secret", "bot", "secret"),
        True,
    )
    assert find_target(SETTINGS, "bot", "hmac", "secret/bot", None) == target


def test_a_new_client_goes_to_the_usual_place_and_names_a_wallet_that_is_there() -> None:
    target = find_target(SETTINGS, "new", "hmac", None, None)
    assert (target.credential, target.usable) == (
        KvReference("secret", "clients/new", "secret"),
        Usable("hot"),
    )
    placed = find_target(None, "new", "open_api", "vault:desk/apps/x#ignored", None)
    assert (placed.credential, placed.usable) == (KvReference("desk", "apps/x", "secret"), Usable("wallet_1"))
    main, app = sample_exchange("main", "transit:transit/main"), sample_app("app", "app")
    trading = find_target(sample_settings(exchanges=[main], open_api=[app]), "new", "hmac", None, None)
    assert trading.usable == Usable(None, ("main",), ("app",))
    unnamed = find_target(SETTINGS, None, "rsa", None, None)
    assert unnamed.credential == Path("config") / f"{unnamed.name}.pem"


@pytest.mark.parametrize(
    ("name", "scheme", "path", "said"),
    [
        ("new", None, None, "which scheme?"),
        ("a/b", "hmac", None, "no usable name"),
        ("..", "hmac", None, "no usable name"),
        ("new", "hmac", "secret/data/x", "leave `data/` out"),
        ("new", "hmac", "secret", "no path that config.yml can name"),
        ("new", "rsa", "secret/x", "leave --path out"),
        ("bot", "rsa", None, "is of scheme hmac"),
        ("bot", None, "secret/other", "leave --path out"),
        ("own", None, None, "there is nothing to make"),
    ],
)
def test_what_contradicts_itself_or_the_configuration_is_refused(
    name: str, scheme: ClientScheme | None, path: str | None, said: str
) -> None:
    with pytest.raises(click.UsageError, match=re.escape(said)):
        find_target(SETTINGS, name, scheme, path, None)


def test_a_public_key_is_checked_and_belongs_to_its_schemes_alone(tmp_path: Path) -> None:
    strong, weak, other = tmp_path / "rsa.pem", tmp_path / "weak.pem", tmp_path / "ed.pem"
    strong.write_text(rsa_pem(2048))
    weak.write_text(rsa_pem(1024))
    other.write_text(ed25519_pem())
    target = find_target(None, "bot", "rsa", None, strong)
    assert (target.credential, target.key_given) == (strong, True)
    for file, said in ((weak, "has 1024 bits"), (other, "type ed25519, not rsa")):
        with pytest.raises(click.UsageError, match=said):
            find_target(None, "bot", "rsa", None, file)
    with pytest.raises(click.UsageError, match="leave --public-key out"):
        find_target(None, "bot", "hmac", None, strong)
    with pytest.raises(click.UsageError, match="leave --public-key out"):
        find_target(SETTINGS, "bot", None, None, strong)
