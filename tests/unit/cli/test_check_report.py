"""What a check found, in lines and as a document."""

import json
from dataclasses import replace

import pytest

from vaultsigner.cli.check_report import (
    CheckReport,
    NodeFinding,
    TokenKeyFinding,
    VaultFinding,
    WalletFinding,
)

GOOD = CheckReport(
    config="config/config.yml",
    users=2,
    guessable=(),
    policy="sha256:" + "ab" * 32,
    vault=VaultFinding("https://vault:8200", "ok", 7200, None),
    access_token_key=TokenKeyFinding("transit:transit/access-tokens", ("1", "2")),
    wallets=(WalletFinding("one", "TESTNET", "vault:secret/one#private_key", "tbnb1one", "02aa"),),
    nodes=(NodeFinding("TESTNET", "https://node", "Binance-Chain-Ganges", None),),
)
BROKEN_WALLET = replace(GOOD.wallets[0], address=None, public_key=None, problem="key_missing: nothing there")


def test_all_good() -> None:
    assert GOOD.ok
    assert {mark for mark, _ in GOOD.lines()} == {"ok"}
    assert json.loads(json.dumps(GOOD.document()))["ok"] is True


@pytest.mark.parametrize(
    "broken",
    [
        replace(GOOD, wallets=(BROKEN_WALLET,)),
        replace(GOOD, wallets=(*GOOD.wallets, BROKEN_WALLET)),
        replace(GOOD, vault=replace(GOOD.vault, state="sealed", problem="unseal it")),
        replace(GOOD, access_token_key=TokenKeyFinding("transit:t/k", (), "key_missing: make it")),
    ],
)
def test_one_problem_is_enough_to_fail(broken: CheckReport) -> None:
    assert not broken.ok
    assert [mark for mark, _ in broken.lines()].count("FAIL") == 1
    assert broken.document()["ok"] is False


def test_a_silent_node_is_a_warning() -> None:
    warned = (
        replace(GOOD, nodes=(replace(GOOD.nodes[0], problem="node x cannot be asked"),))
        if GOOD.nodes
        else GOOD
    )
    assert warned.ok
    assert ("warn", "TESTNET: node x cannot be asked") in list(warned.lines())


def test_a_report_without_wallets_and_nodes_has_lines_too() -> None:
    bare = replace(GOOD, wallets=(), nodes=None, vault=replace(GOOD.vault, token_ttl_seconds=None))
    assert [line for _, line in bare.lines()][:2] == [
        "config/config.yml: 0 wallets, 2 users; policies sha256:abababababab",
        "Vault https://vault:8200: ok",
    ]


def test_a_weak_password_hash_is_a_warning() -> None:
    report = replace(GOOD, guessable=("sam",))
    assert report.ok
    assert [line for mark, line in report.lines() if mark == "warn" and line.startswith("sam: ")]
