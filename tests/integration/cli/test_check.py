"""`vaultsigner check`: every problem told, every reference tried, nothing left running, nothing secret shown."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cli.conftest import Bao
from tests.integration.cli.program import Outcome, Program
from tests.postgres import PASSWORD, PostgresServer
from tests.unit.cli.derivations import DERIVATIONS
from tests.unit.config.keys_at_hand import ed25519_pem, rsa_pem
from vaultsigner.cli.key_material import read_key
from vaultsigner.cli.key_store import look_up, store
from vaultsigner.cli.token_file import make_token_file
from vaultsigner.cli.vault_admin import OperatorVault
from vaultsigner.cli.vault_options import read_token
from vaultsigner.cli.vault_setup import set_up
from vaultsigner.config import load
from vaultsigner.dev.beacon_node import BeaconNode

FIRST, SECOND = DERIVATIONS
ALLOW = "version: 1\nrules:\n  - {id: all, effect: allow}\n"


@pytest.fixture
def ready(configured: Program, bao: Bao, beacon_node: BeaconNode) -> Program:
    """Keys imported, Vault set up, the token written, a TESTNET node that answers; PROD's wallet left out."""
    config = configured.home / "config" / "config.yml"
    text = config.read_text().partition("  - name: main\n")[0]
    config.write_text(f'environments: {{TESTNET: {{node_url: "{beacon_node.url}"}}}}\n{text}')
    (configured.home / "policies").mkdir()
    (configured.home / "policies" / "desk.yml").write_text(ALLOW)
    settings, vault = load(config, {}), bao.admin()
    for wallet, text in zip(settings.wallets.values(), (FIRST.private_key, SECOND.mnemonic), strict=True):
        store(vault, wallet.key, read_key(wallet.key_kind, text), replacing=look_up(vault, wallet.key))
    list(set_up(vault, settings))
    make_token_file(
        vault,
        configured.home / (settings.vault.token_path or ""),
        period="72h",
        read_token=read_token,
        as_holder=lambda token: OperatorVault(bao.address, token),
    )
    return configured


def document(outcome: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(outcome.out)
    return found


def processes_under(home: Path) -> list[str]:
    """Command lines of processes that name this test's directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(home) in line:
            found.append(line)
    return found


def test_all_well_is_status_0_with_each_address(ready: Program) -> None:
    done = ready.run("check")
    assert done.status == 0, done.out + done.err
    assert FIRST.testnet in done.out
    assert SECOND.testnet in done.out
    assert "Binance-Chain-Ganges" in done.out
    assert "FAIL" not in done.out
    assert done.err == ""


def test_nothing_secret_is_shown_and_nothing_is_left_running(ready: Program) -> None:
    token = (ready.home / "run" / "token").read_text()
    for done in (ready.run("check"), ready.run("check", "--json")):
        for secret in (FIRST.private_key, SECOND.mnemonic, token):
            assert secret not in done.out + done.err
    assert processes_under(ready.home) == []
    assert not (ready.home / "state").exists()
    assert not (ready.home / "audit").exists()


def test_json_has_what_a_program_needs(ready: Program) -> None:
    found = document(ready.run("check", "--json"))
    assert found["ok"] is True
    assert [(wallet["name"], wallet["address"], wallet["problem"]) for wallet in found["wallets"]] == [
        ("hot", FIRST.testnet, None),
        ("cold", SECOND.testnet, None),
    ]
    assert found["wallets"][0]["public_key"] == FIRST.public_key
    assert found["access_token_key"]["versions"] == ["1"]
    assert found["vault"]["state"] == "ok"
    assert 0 < found["vault"]["token_ttl_seconds"] <= 72 * 3600
    assert [node["problem"] for node in found["nodes"]] == [None]


def test_every_problem_of_the_configuration_is_told(ready: Program) -> None:
    config = ready.home / "config" / "config.yml"
    config.write_text(
        config.read_text().replace("env_name: TESTNET", "env_name: testnet").replace("trade", "trad")
    )
    done = ready.run("check")
    assert done.status == 1
    assert done.err.count("config.yml:") == 4
    assert done.out == ""


def test_literal_key_in_the_configuration_is_told_and_not_repeated(ready: Program) -> None:
    config = ready.home / "config" / "config.yml"
    config.write_text(
        config.read_text().replace("private_key: vault:", f"private_key: {FIRST.private_key} # ")
    )
    done = ready.run("check")
    assert done.status == 1
    assert "vaultsigner keys import" in done.err
    assert FIRST.private_key not in done.err + done.out


def test_missing_policies_are_told(ready: Program) -> None:
    (ready.home / "policies" / "desk.yml").unlink()
    done = ready.run("check")
    assert done.status == 1
    assert "policies" in done.err


def test_one_missing_key_does_not_hide_the_others(ready: Program, bao: Bao, folder: str) -> None:
    bao.hvac().secrets.kv.v2.delete_metadata_and_all_versions(f"{folder}/hot", mount_point="secret")
    done = ready.run("check", "--offline", "--json")
    assert done.status == 1
    found = document(done)
    assert found["ok"] is False
    assert found["nodes"] is None
    assert [wallet["address"] for wallet in found["wallets"]] == [None, SECOND.testnet]
    assert found["wallets"][0]["problem"].startswith("key_missing: ")


def test_swapped_key_is_told(ready: Program, bao: Bao, folder: str) -> None:
    bao.admin().write(f"secret/data/{folder}/hot", {"data": {"private_key": SECOND.private_key}})
    done = ready.run("check", "--offline")
    assert done.status == 1
    assert "wrong_key" in done.out


def test_wallet_added_after_setup_is_denied_with_the_remedy(ready: Program, folder: str) -> None:
    config = ready.home / "config" / "config.yml"
    added = f"  - {{name: late, private_key: 'vault:secret/{folder}/late#private_key', env_name: TESTNET, permissions: []}}\n"
    config.write_text(config.read_text() + added)
    assert ready.run("keys", "create", "late").status == 0
    done = ready.run("check", "--offline")
    assert done.status == 1
    assert "vault_denied" in done.out
    assert "run `vaultsigner vault setup` again (needed after adding a wallet)" in done.out
    assert ready.run("vault", "setup").status == 0
    assert ready.run("check", "--offline").status == 0


def test_a_wallet_with_the_key_of_another_is_a_warning(ready: Program, folder: str) -> None:
    config = ready.home / "config" / "config.yml"
    again = f"  - {{name: again, mnemonic: 'vault:secret/{folder}/cold#mnemonic', env_name: TESTNET, permissions: []}}\n"
    config.write_text(config.read_text() + again)
    done = ready.run("check", "--offline")
    assert done.status == 0, done.out
    assert "warn  wallets cold and again have the same key: " in done.out


def test_no_token_is_told_with_the_remedy(ready: Program) -> None:
    (ready.home / "run" / "token").unlink()
    done = ready.run("check", "--offline")
    assert done.status == 1
    assert done.out.count("run `vaultsigner vault setup --token-out run/token`") == 1
    assert [line[:6].strip() for line in done.out.splitlines()].count("FAIL") == 1
    assert done.out.count("not tried") == 1


def test_vault_that_is_down_is_told(ready: Program) -> None:
    done = ready.run("check", "--offline", environment={"VAULT_ADDR": "http://127.0.0.1:1"})
    assert done.status == 1
    assert done.out.count("check vault.address and that Vault runs") == 1
    assert [line[:6].strip() for line in done.out.splitlines()].count("FAIL") == 1
    assert "2 wallets, transit:transit/access-tokens: not tried" in done.out


def test_without_token_and_vault_both_are_told(ready: Program) -> None:
    (ready.home / "run" / "token").unlink()
    done = ready.run("check", "--offline", "--json", environment={"VAULT_ADDR": "http://127.0.0.1:1"})
    problem = document(done)["vault"]["problem"]
    assert "that Vault runs" in problem
    assert "no Vault token at run/token" in problem
    assert [wallet["problem"] for wallet in document(done)["wallets"]] == ["not tried"] * 2


def test_an_address_that_comes_from_vault_addr_is_told_so(ready: Program, bao: Bao) -> None:
    config = ready.home / "config" / "config.yml"
    config.write_text(config.read_text().replace(bao.address, "https://vault.example.com"))
    done = ready.run("check", "--offline")
    assert done.status == 0, done.out
    assert f"Vault {bao.address} (from VAULT_ADDR; config.yml says https://vault.example.com): ok" in done.out


def test_vault_addr_does_not_hide_a_wrong_address(ready: Program, bao: Bao) -> None:
    config = ready.home / "config" / "config.yml"
    config.write_text(config.read_text().replace(bao.address, "http://vault.example.com"))
    done = ready.run("check", "--offline")
    assert done.status == 1
    assert "vault.address: http to another machine" in done.err


def test_directories_that_cannot_be_made_fail_with_their_settings(ready: Program) -> None:
    config = ready.home / "config" / "config.yml"
    config.write_text(
        config.read_text() + 'audit: {directory: /proc/audit}\nstate: {url: "sqlite:////proc/x/y.db"}\n'
    )
    done = ready.run("check", "--offline")
    assert done.status == 1
    assert "FAIL  audit.directory: /proc/audit cannot be created: " in done.out
    assert "FAIL  state.url: /proc/x cannot be created: " in done.out


def with_clients(ready: Program, folder: str, *names: str) -> None:
    entries = [
        f"{{name: {name}, api_key: vs_{name}, scheme: hmac, secret: 'vault:secret/{folder}/{name}#secret'}}"
        for name in names
    ]
    entries.append(
        f"{{name: own, api_key: vs_own, scheme: ed25519, public_key: {json.dumps(ed25519_pem())}}}"
    )
    config = ready.home / "config" / "config.yml"
    config.write_text(config.read_text() + f"clients: [{', '.join(entries)}]\n")


def test_each_client_s_secret_is_tried_and_never_shown(ready: Program, bao: Bao, folder: str) -> None:
    with_clients(ready, folder, "bot-1", "bot-2")
    secret = json.loads(ready.run("clients", "create", "bot-1", "--json").out)["secret"]
    denied = ready.run("check", "--offline")
    assert denied.status == 1
    assert (
        f"FAIL  bot-1 (hmac) vault_denied: custody's token may not read vault:secret/{folder}/bot-1"
        in denied.out
    )
    assert "again (needed after adding a client)" in denied.out
    assert ready.run("vault", "setup").status == 0
    missing = ready.run("check", "--offline")
    assert missing.status == 1
    assert f"ok    bot-1 (hmac) vs_bot-1\n        vault:secret/{folder}/bot-1#secret\n" in missing.out
    assert "FAIL  bot-2 (hmac) " in missing.out
    assert "ok    own (ed25519) vs_own\n" in missing.out
    assert ready.run("clients", "create", "bot-2").status == 0
    done = ready.run("check", "--offline", "--json")
    assert done.status == 0, done.out
    assert [client["problem"] for client in document(done)["clients"]] == [None] * 3
    assert secret not in denied.out + missing.out + done.out + done.err
    assert "there are no users" not in done.out


def test_keys_from_files_are_named_and_a_short_one_of_the_partner_is_a_warning(ready: Program) -> None:
    config = ready.home / "config" / "config.yml"
    (ready.home / "partner.pem").write_text(rsa_pem(1024))
    (ready.home / "own.pem").write_text(ed25519_pem())
    config.write_text(
        config.read_text() + "partner: {url_prefix: /web3, public_key: partner.pem}\n"
        "clients: [{name: own, api_key: vs_own, scheme: ed25519, public_key: own.pem}]\n"
    )
    done = ready.run("check", "--offline")
    assert done.status == 0, done.out
    assert "warn  partner.public_key: this RSA key has 1024 bits" in done.out
    shown = (
        "ok    partner under /web3: tasks: none\n        RSA, 1024 bits, public key in partner.pem, sha256:"
    )
    assert shown in done.out
    assert "no partner" not in done.out
    own = "ok    own (ed25519) vs_own\n        public key in own.pem, sha256:"
    assert own in done.out
    assert "warn  policies: policies/desk.yml:3:5: rule all allows everything to everybody" in done.out


def test_a_postgresql_state_is_connected_to_and_left_as_it_was(
    ready: Program, postgres: PostgresServer
) -> None:
    with postgres.database() as url:
        done = ready.run("check", "--offline", environment={"VAULTSIGNER_STATE__URL": url})
        assert done.status == 0, done.out
        name = url.rpartition("/")[2]
        what = f"ok    state.url: database {name} at 127.0.0.1: connected; the next start makes the tables\n"
        assert what in done.out
        assert "warn  state.url: a password stands in it" in done.out
        assert PASSWORD not in done.out + done.err
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname IN ('public', 'vaultsigner')"
        assert postgres.execute(tables, name) == [(0,)]


def test_a_postgresql_state_that_cannot_be_used_fails_without_its_password(
    ready: Program, postgres: PostgresServer
) -> None:
    wrong = "not-the-password-canary"
    for url, said in (
        (postgres.url("nosuch"), 'database "nosuch" does not exist'),
        (postgres.url().replace(PASSWORD, wrong), "password authentication failed"),
        ("postgresql://u:%70%61ssword-canary@127.0.0.1:1/db", "Connection refused"),
    ):
        done = ready.run("check", "--offline", environment={"VAULTSIGNER_STATE__URL": url})
        assert done.status == 1
        assert "FAIL  state.url: PostgreSQL at 127.0.0.1:" in done.out
        assert said in done.out
        for secret in (PASSWORD, wrong, "password-canary", "%70"):
            assert secret not in done.out + done.err


def test_a_postgresql_server_that_serve_refuses_fails(ready: Program, own_postgres: PostgresServer) -> None:
    own_postgres.stop()
    own_postgres.start(fsync="off")
    done = ready.run("check", "--offline", environment={"VAULTSIGNER_STATE__URL": own_postgres.url()})
    assert done.status == 1
    assert "FAIL  state.url: PostgreSQL at 127.0.0.1:" in done.out
    assert "runs with fsync = off" in done.out
    assert PASSWORD not in done.out + done.err


def test_a_failure_is_status_1_however_it_is_asked_for(ready: Program) -> None:
    config = ready.home / "config" / "config.yml"
    config.write_text(config.read_text() + "audit: {directory: /proc/audit}\n")
    for arguments in (
        ("check",),
        ("check", "--offline"),
        ("check", "--json"),
        ("check", "--offline", "--json"),
    ):
        assert ready.run(*arguments).status == 1, arguments


@pytest.mark.parametrize("arguments", [("check", "--offline"), ("check", "--offline", "--json")])
def test_what_nobody_can_read_is_no_success(ready: Program, arguments: tuple[str, ...]) -> None:
    """A full disk and a reader that has gone: neither has seen that all is well, or that it is not."""
    assert ready.run(*arguments).status == 0
    reading, writing = os.pipe()
    os.close(reading)
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        assert ready.run(*arguments, output=writing).status != 0
        assert ready.run(*arguments, output=full).status != 0
    finally:
        os.close(writing)
        os.close(full)


RULES = """\
version: 1
rules:
  - {id: all, effect: allow, principals: [user:sma]}
  - {id: no-transfers, effect: deny, targets: [wallet:hoot]}
"""


def test_a_rule_that_names_nobody_is_told_and_fails_where_it_denies(ready: Program) -> None:
    policy = ready.home / "policies" / "desk.yml"
    policy.write_text(RULES)
    done = ready.run("check", "--offline")
    assert done.status == 1
    assert (
        "warn  policies: policies/desk.yml:3:5: rule all: no user is called sma; there is none yet\n"
        in done.out
    )
    assert (
        "FAIL  policies: policies/desk.yml:4:5: rule no-transfers: no wallet is called hoot; did you mean hot?\n"
        in done.out
    )
    policy.write_text(RULES.replace("hoot", "hot"))
    assert ready.run("check", "--offline").status == 0


def test_plain_http_on_every_interface_and_no_users_are_warnings(ready: Program) -> None:
    done = ready.run("check", "--offline", environment={"VAULTSIGNER_SERVER__LISTEN": "0.0.0.0:8000"})
    assert done.status == 0
    assert "warn  server.listen 0.0.0.0:8000: plain HTTP" in done.out
    assert "warn  there are no users" in done.out
    assert "server.listen" not in ready.run("check", "--offline").out


def test_mistakes_of_configuration_and_policies_are_told_together(ready: Program) -> None:
    config = ready.home / "config" / "config.yml"
    config.write_text(config.read_text() + "walets: []\n")
    (ready.home / "policies" / "desk.yml").write_text("version: 1\nrules: [{id: a, effect: alow}]\n")
    done = ready.run("check")
    assert done.status == 1
    assert "did you mean wallets?" in done.err
    assert "policies/desk.yml:2:25: rules[0].effect" in done.err
    config.write_text(config.read_text() + "policies: polices/\n")
    assert "policies: polices/ cannot be read" in ready.run("check").err


def test_node_that_is_down_is_a_warning(ready: Program, beacon_node: BeaconNode) -> None:
    config = ready.home / "config" / "config.yml"
    config.write_text(config.read_text().replace(beacon_node.url, "http://127.0.0.1:1"))
    done = ready.run("check")
    assert done.status == 0, done.out
    assert "warn" in done.out


def test_node_of_another_chain_is_a_warning(
    ready: Program, mainnet_node: BeaconNode, beacon_node: BeaconNode
) -> None:
    config = ready.home / "config" / "config.yml"
    config.write_text(config.read_text().replace(beacon_node.url, mainnet_node.url))
    done = ready.run("check")
    assert done.status == 0
    assert "Binance-Chain-Tigris" in done.out


def test_anchors_are_tried(ready: Program) -> None:
    config = ready.home / "config" / "config.yml"
    key = "checkpoint_key: transit:transit/audit-checkpoints"
    anchors = "[{name: disk, directory: anchors}, {name: w, url: 'http://127.0.0.1:9', required: false}]"
    config.write_text(f"audit: {{{key}, anchors: {anchors}}}\n{config.read_text()}")
    missing = ready.run("check")
    assert missing.status == 1
    assert "anchors: there is no such directory; mount the disk" in missing.out
    assert "anchor w (witness): http://127.0.0.1:9/add-checkpoint: it cannot be reached" in missing.out
    (ready.home / "anchors").mkdir()
    disk, witness = document(ready.run("check", "--json"))["anchors"]
    assert (disk["problem"], disk["found"]) == (
        None,
        "anchors can be written to, and keeps checkpoints of 0 chains",
    )
    assert (witness["required"], witness["found"]) == (False, None)
    assert not list((ready.home / "anchors").iterdir())
    assert document(ready.run("check", "--offline", "--json"))["anchors"][1]["problem"] is None
