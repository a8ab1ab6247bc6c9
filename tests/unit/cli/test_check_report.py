"""What a check found, in lines and as a document."""

import json
from dataclasses import replace

import pytest

from vaultsigner.cli.anchor_findings import AnchorFinding
from vaultsigner.cli.check_report import (
    NOT_TRIED,
    CheckReport,
    ClientFinding,
    ExchangeFinding,
    NodeFinding,
    OpenApiFinding,
    OwnKeyFinding,
    PartnerFinding,
    StateFinding,
    VaultFinding,
    WalletFinding,
)
from vaultsigner.cli.exchange_clocks import ExchangeHostFinding

GOOD = CheckReport(
    config="config/config.yml",
    users=2,
    failures=(),
    warnings=(),
    policy="sha256:" + "ab" * 32,
    vault=VaultFinding("https://vault:8200", "ok", 7200, None),
    access_token_key=OwnKeyFinding("transit:transit/access-tokens", ("1", "2")),
    checkpoint_key=OwnKeyFinding("transit:transit/audit-checkpoints", ("c74f20a3",)),
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
        replace(GOOD, access_token_key=OwnKeyFinding("transit:t/k", (), "key_missing: make it")),
    ],
)
def test_one_problem_is_enough_to_fail(broken: CheckReport) -> None:
    assert not broken.ok
    assert [mark for mark, _ in broken.lines()].count("FAIL") == 1
    assert broken.document()["ok"] is False


BOT = ClientFinding("bot", "hmac", "vs_bot", "vault:secret/clients/bot#secret")


def test_clients_are_counted_and_told_one_by_one() -> None:
    own = ClientFinding("own", "ed25519", "vs_own", public_key="sha256:aa")
    filed = ClientFinding("filed", "rsa", "vs_filed", public_key="sha256:bb", key_file="config/filed.pem")
    report = replace(GOOD, clients=(BOT, own, filed))
    assert report.ok
    told = [line for _, line in report.lines()]
    assert told[0].startswith("config/config.yml: 1 wallet, 2 users, 3 clients, no partner; policies ")
    assert "bot (hmac) vs_bot\n        vault:secret/clients/bot#secret" in told
    assert "own (ed25519) vs_own\n        public key in the configuration, sha256:aa" in told
    assert "filed (rsa) vs_filed\n        public key in config/filed.pem, sha256:bb" in told
    assert report.document()["clients"][0] == {
        "name": "bot",
        "scheme": "hmac",
        "api_key": "vs_bot",
        "reference": "vault:secret/clients/bot#secret",
        "problem": None,
        "public_key": None,
        "key_file": None,
    }


MAIN = ExchangeFinding("main", "hmac", "https://api.binance.com", "vmPUZE6m", "transit:transit/main")
APP = OpenApiFinding(
    "app", "1234", "https://api.binance.com", "AK_1", ("vault:secret/app#a", "vault:secret/app#b")
)


def test_exchanges_and_apps_are_counted_and_told_one_by_one() -> None:
    keyed = replace(MAIN, name="keyed", scheme="rsa", public_key="sha256:bb", key_file="config/keyed.pem")
    report = replace(GOOD, exchanges=(MAIN, keyed), open_api=(APP,), clients=(BOT,))
    assert report.ok
    told = [line for _, line in report.lines()]
    counted = "1 wallet, 2 users, 1 client, 2 exchanges, 1 Open API app, no partner"
    assert told[0].startswith(f"config/config.yml: {counted}; policies ")
    place = "https://api.binance.com\n        transit:transit/main"
    assert f"exchange main (hmac) vmPUZE6m\n        {place}" in told
    assert (
        f"exchange keyed (rsa) vmPUZE6m\n        {place}\n        public key in config/keyed.pem, sha256:bb"
        in told
    )
    places = "https://api.binance.com\n        vault:secret/app#a\n        vault:secret/app#b"
    assert f"Open API app app (1234) AK_1\n        {places}" in told
    assert report.document()["exchanges"][0]["exportable"] is False
    assert report.document()["open_api"][0]["access_key_id"] == "AK_1"


def test_a_secret_that_vault_would_export_is_a_warning() -> None:
    report = replace(GOOD, exchanges=(replace(MAIN, exportable=True),))
    assert report.ok
    (warning,) = (line for mark, line in report.lines() if mark == "warn")
    assert warning.startswith("transit:transit/main: whoever may administer Vault can export this secret")


def test_the_partner_section_is_shown_with_its_tasks_and_its_key() -> None:
    partner = PartnerFinding(
        "/web3", {"deposit": "transfer, recipient"}, 2048, "sha256:cc", "config/web3.pem"
    )
    (first, *others) = [line for _, line in replace(GOOD, partner=partner).lines()]
    assert "partner" not in first
    assert (
        "partner under /web3: tasks: deposit (transfer, recipient)\n"
        "        RSA, 2048 bits, public key in config/web3.pem, sha256:cc"
    ) in others
    bare = replace(partner, tasks={}, key_file=None)
    assert "tasks: none\n        RSA, 2048 bits, public key in the configuration" in "\n".join(
        line for _, line in replace(GOOD, partner=bare).lines()
    )
    assert replace(GOOD, partner=partner).document()["partner"]["tasks"] == {"deposit": "transfer, recipient"}


def test_one_client_that_cannot_be_known_is_enough_to_fail() -> None:
    report = replace(GOOD, clients=(BOT, replace(BOT, problem="key_missing: nothing there")))
    assert not report.ok
    assert ("FAIL", "bot (hmac) key_missing: nothing there") in list(report.lines())


def test_a_postgresql_state_is_told_and_fails_where_it_cannot_be_reached() -> None:
    state = StateFinding("database state at db.example.com")
    assert ("ok", "state.url: database state at db.example.com: connected") in list(
        replace(GOOD, state=state).lines()
    )
    report = replace(GOOD, state=replace(state, problem="PostgreSQL at db.example.com: no route"))
    assert not report.ok
    assert ("FAIL", "state.url: PostgreSQL at db.example.com: no route") in list(report.lines())


@pytest.mark.parametrize("problem", ["", " ", "why"])
def test_whatever_shows_as_a_failure_is_one_even_without_a_word(problem: str) -> None:
    """An error that says nothing about itself once passed: the line said FAIL, the exit status 0."""
    for broken in (
        replace(GOOD, failures=(problem,)),
        replace(GOOD, vault=replace(GOOD.vault, problem=problem)),
        replace(GOOD, access_token_key=replace(GOOD.access_token_key, problem=problem)),
        replace(GOOD, state=StateFinding("database state", problem=problem)),
        replace(GOOD, wallets=(replace(BROKEN_WALLET, problem=problem),)),
        replace(GOOD, clients=(replace(BOT, problem=problem),)),
        replace(GOOD, exchanges=(replace(MAIN, problem=problem),)),
        replace(GOOD, open_api=(replace(APP, problem=problem),)),
    ):
        assert "FAIL" in {mark for mark, _ in broken.lines()}
        assert not broken.ok
        assert broken.document()["ok"] is False


def test_a_silent_node_is_a_warning() -> None:
    warned = (
        replace(GOOD, nodes=(replace(GOOD.nodes[0], problem="node x cannot be asked"),))
        if GOOD.nodes
        else GOOD
    )
    assert warned.ok
    assert ("warn", "TESTNET: node x cannot be asked") in list(warned.lines())


AT_BINANCE = ExchangeHostFinding("https://api.binance.com", ("main", "other"), 12)


@pytest.mark.parametrize(
    ("offset_ms", "mark", "words"),
    [
        (0, "ok", "answers; its clock is 0 ms ahead of this"),
        (-1000, "ok", "answers; its clock is 1000 ms behind this"),
        (1001, "warn", "1001 ms ahead of this machine's; that is corrected"),
        (-600_000, "warn", "600 s behind this machine's; that is corrected"),
        (600_001, "FAIL", "600 s ahead of this machine's, and beyond 600 s nothing is signed for it"),
        (-(10**9), "FAIL", "1000000 s behind"),
    ],
)
def test_an_exchange_s_clock_is_told_and_may_be_ten_minutes_off(
    offset_ms: int, mark: str, words: str
) -> None:
    report = replace(GOOD, exchange_hosts=(replace(AT_BINANCE, clock_offset_ms=offset_ms),))
    (line,) = (line for line in report.lines() if line[1].startswith("https://api.binance.com (main, other)"))
    assert line[0] == mark
    assert words in line[1]
    assert report.ok == (mark != "FAIL")
    assert report.document()["exchange_hosts"][0]["clock_offset_ms"] == offset_ms


def test_a_silent_exchange_is_a_warning() -> None:
    silent = replace(AT_BINANCE, clock_offset_ms=None, problem="no connection")
    report = replace(GOOD, exchange_hosts=(silent,))
    assert report.ok
    assert ("warn", "https://api.binance.com (main, other): no connection") in list(report.lines())


def test_a_report_without_wallets_and_nodes_has_lines_too() -> None:
    bare = replace(GOOD, wallets=(), nodes=None, vault=replace(GOOD.vault, token_ttl_seconds=None))
    assert [line for _, line in bare.lines()][:2] == [
        "config/config.yml: 0 wallets, 2 users, no partner; policies sha256:abababababab",
        "Vault https://vault:8200: ok",
    ]


def test_warnings_do_not_fail_and_failures_do() -> None:
    warned = replace(GOOD, warnings=("there are no users",))
    assert warned.ok
    assert ("warn", "there are no users") in list(warned.lines())
    failed = replace(GOOD, failures=("audit.directory: /proc/audit cannot be created",))
    assert not failed.ok
    assert [line for line in failed.lines() if line[0] == "FAIL"] == [("FAIL", failed.failures[0])]


def test_where_vault_has_a_problem_what_depends_on_it_is_one_line() -> None:
    down = replace(
        GOOD,
        vault=replace(GOOD.vault, state="unavailable", problem="no connection"),
        access_token_key=replace(GOOD.access_token_key, problem=NOT_TRIED),
        wallets=tuple(replace(GOOD.wallets[0], name=name, problem=NOT_TRIED) for name in ("a", "b")),
        nodes=None,
    )
    assert list(down.lines())[1:] == [
        ("FAIL", "Vault https://vault:8200: no connection"),
        ("-", "2 wallets, transit:transit/access-tokens, transit:transit/audit-checkpoints: not tried"),
    ]
    with_client = replace(down, clients=(replace(BOT, problem=NOT_TRIED),))
    assert list(with_client.lines())[-1] == (
        "-",
        "2 wallets, 1 client, transit:transit/access-tokens, transit:transit/audit-checkpoints: not tried",
    )
    with_exchange = replace(
        with_client,
        exchanges=(replace(MAIN, problem=NOT_TRIED),),
        open_api=(replace(APP, problem=NOT_TRIED),),
    )
    assert list(with_exchange.lines())[-1] == (
        "-",
        "2 wallets, 1 client, 1 exchange, 1 Open API app, transit:transit/access-tokens, "
        "transit:transit/audit-checkpoints: not tried",
    )


def test_another_address_in_the_file_is_told() -> None:
    note = " (from VAULT_ADDR; config.yml says https://other)"
    told = replace(GOOD, vault=replace(GOOD.vault, address_note=note))
    assert f"Vault https://vault:8200{note}: ok, custody's" in [line for _, line in told.lines()][1]


@pytest.mark.parametrize(
    ("seconds", "words"), [(259140, "72 h"), (7200, "2 h"), (7199, "120 min"), (90, "2 min"), (0, "0 min")]
)
def test_a_lifetime_is_told_as_people_think_of_it(seconds: int, words: str) -> None:
    report = replace(GOOD, vault=replace(GOOD.vault, token_ttl_seconds=seconds))
    assert f"lives {words} unless renewed" in [line for _, line in report.lines()][1]


DISK = AnchorFinding("second-disk", "directory", required=True, found="/mnt/a can be written to")


def test_anchors_are_told_one_by_one() -> None:
    report = replace(GOOD, anchors=(DISK, replace(DISK, name="worm", found=None)))
    assert report.ok
    lines = list(report.lines())
    assert ("ok", "anchor second-disk (directory): /mnt/a can be written to") in lines
    assert ("-", "anchor worm (directory): not tried") in lines
    assert report.document()["anchors"][0]["name"] == "second-disk"
    report = replace(GOOD, anchors=(replace(DISK, caution="beside the record"),))
    assert report.ok
    assert ("warn", "anchor second-disk (directory): beside the record") in list(report.lines())


def test_an_anchor_that_a_start_needs_is_a_failure_and_another_a_warning() -> None:
    broken = replace(DISK, found=None, problem="not mounted")
    report = replace(GOOD, anchors=(broken,))
    assert not report.ok
    assert ("FAIL", "anchor second-disk (directory): not mounted") in list(report.lines())
    report = replace(GOOD, anchors=(replace(broken, required=False),))
    assert report.ok
    assert ("warn", "anchor second-disk (directory): not mounted") in list(report.lines())
