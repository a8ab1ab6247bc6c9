"""What `vaultsigner status` makes of what it found."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vaultsigner.cli.status import in_json
from vaultsigner.cli.status_figures import ServiceFigures, read_figures
from vaultsigner.cli.status_findings import (
    AnchorGlance,
    PolicyGlance,
    ServiceFinding,
    StateGlance,
    VaultGlance,
)
from vaultsigner.cli.status_report import StatusReport, nearly_used

AT = datetime(2026, 11, 22, 8, 15, 30, tzinfo=UTC)
DIGEST = "sha256:" + "ab" * 32
FIGURES = ServiceFigures(
    version="0.1.0",
    server_started=AT.timestamp() - 7300,
    custody_up=True,
    custody_started=AT.timestamp() - 7300,
    custody_starts=1,
    token_ttl_seconds=86400,
    policy=DIGEST,
    replicas=3,
)
GOOD = StatusReport(
    config="config.yml",
    at=AT,
    service=ServiceFinding("127.0.0.1:9100", running=True, ready=True, figures=FIGURES),
    vault=VaultGlance("https://vault.example:8200", "active", "2.7.0"),
    policy=PolicyGlance("policies", DIGEST, 3),
    state=StateGlance("postgresql", "db.example/vaultsigner", chains=2),
    record="audit",
    chains=(
        {
            "chain": "a1",
            "records": 12,
            "bytes": 4096,
            "files": 1,
            "last": "2026-11-22T08:15:26.000000Z",
            "checkpoint": {"size": 10, "time": "2026-11-22T08:12:30.000000Z"},
            "own": False,
        },
    ),
    anchors=(AnchorGlance("disk", "directory", "2026-11-22T08:14:48.000000Z"),),
)


def lines(report: StatusReport) -> list[str]:
    return [" ".join(filter(None, line)) for line in report.lines()]


def test_a_service_that_is_well_has_no_mark_but_ok() -> None:
    assert GOOD.ok
    assert {mark for mark, _, _ in GOOD.lines()} == {"ok", "-"}
    assert lines(GOOD) == [
        "ok service ready (operations port 127.0.0.1:9100)",
        "ok processes server 0.1.0 up for 2 h; custody up for 2 h",
        "ok vault https://vault.example:8200: active, version 2.7.0; custody's token lives 24 h unless renewed",
        f"ok policy policies: 3 rules, {DIGEST[:19]}",
        "ok state db.example/vaultsigner (postgresql), processes seen there of late: 3; knows 2 chains of the record",
        "ok record audit: 1 chain, 12 records, 4.0 KiB",
        "- a1: 12 records, last 4 s ago; checkpoint at 10, 3 min ago",
        "ok anchor disk (directory): newest checkpoint 42 s ago",
        "ok suspended nothing",
        "ok approvals nothing waits",
        "ok limits none is used to 80 %",
    ]


def test_a_service_that_is_not_ready_says_why_and_what_else() -> None:
    report = replace(
        GOOD,
        service=ServiceFinding(
            "h:1",
            running=True,
            ready=False,
            problems=("vault: sealed", "state: gone"),
            warnings=("audit: old",),
            unusable={"wallet hot": "vault: sealed; state: gone", "wallet cold": "its key is missing"},
        ),
        vault=VaultGlance("v", "sealed"),
    )
    assert not report.ok
    assert lines(report)[:6] == [
        "FAIL service runs, and is not ready (operations port h:1)",
        "FAIL vault: sealed",
        "FAIL state: gone",
        "warn audit: old",
        "warn wallet cold cannot be used: its key is missing",
        "FAIL vault v: sealed",
    ]


def test_a_vault_that_only_we_cannot_reach_is_no_failure() -> None:
    away = VaultGlance("v", "unreachable", problem="cannot be reached: Connection refused")
    assert "- vault v: cannot be reached: Connection refused" in lines(replace(GOOD, vault=away))
    down = ServiceFinding("h:1", running=False, ready=False, problems=("cannot be reached",))
    assert "FAIL vault v: cannot be reached: Connection refused" in lines(
        replace(GOOD, vault=away, service=down)
    )


@pytest.mark.parametrize(
    ("figures", "line"),
    [
        (
            replace(FIGURES, custody_up=False),
            "FAIL processes server 0.1.0 up for 2 h; custody does not answer",
        ),
        (
            replace(FIGURES, custody_starts=3, custody_started=AT.timestamp() - 5),
            "warn processes server 0.1.0 up for 2 h; custody up for 5 s, started 3 times since the server was",
        ),
        (replace(FIGURES, policy="sha256:other"), "warn the service still applies others, sha256:other"),
    ],
)
def test_what_is_odd_of_the_processes_is_told(figures: ServiceFigures, line: str) -> None:
    assert line in lines(replace(GOOD, service=replace(GOOD.service, figures=figures)))


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(119, "119 s"), (7199, "119 min"), (72 * 3600 - 1, "71 h"), (96 * 3600, "4 days")],
)
def test_a_token_of_72_hours_is_told_in_hours(seconds: int, told: str) -> None:
    figures = replace(FIGURES, token_ttl_seconds=seconds)
    report = replace(GOOD, service=replace(GOOD.service, figures=figures))
    assert f"custody's token lives {told} unless renewed" in "\n".join(lines(report))


def test_what_is_stopped_and_what_waits_is_told_without_moving_the_cursor() -> None:
    state = replace(
        GOOD.state,
        suspensions=(
            {"kind": "client", "name": "bot-1", "reason": "leak\x1b[2J", "by": "user:ann", "since": "2026"},
            {"kind": "all", "name": "", "reason": "drill", "by": "cli:root", "since": "2026"},
        ),
        approvals=(
            {"id": "5f", "status": "open", "requested_by": "user:sam", "rule": "r", "expires_at": "soon"},
            {"id": "60", "status": "granted", "requested_by": "user:sam", "rule": "r", "expires_at": "later"},
        ),
    )
    told = lines(replace(GOOD, state=state))
    assert "warn suspended client bot-1 since 2026, by user:ann: leak\N{REPLACEMENT CHARACTER}[2J" in told
    assert "warn suspended everything since 2026, by cli:root: drill" in told
    assert "warn approvals 1 request waiting; the first to expire: 5f by user:sam until soon" in told


def test_the_fullest_limits_come_first_and_others_not_at_all() -> None:
    limits = [
        {"rule": name, "limit": "l", "subject": None, "used": used, "most": most, "unit": "requests"}
        for name, used, most in (("a", "79", "100"), ("b", "8", "10"), ("c", "12", "10"), ("d", "0", "0"))
    ]
    assert [each["rule"] for each in nearly_used(limits)] == ["c", "b"]


def test_many_chains_are_cut_short() -> None:
    (chain,) = GOOD.chains
    many = tuple({**chain, "chain": f"c{n}", "last": f"2026-11-22T08:15:{n:02}.000000Z"} for n in range(20))
    told = [line for line in lines(replace(GOOD, chains=many)) if line.startswith("- ")]
    assert told[0].startswith("- c19:")
    assert told[-1] == "- and 15 older ones"
    assert len(told) == 6


def test_trouble_with_one_part_hides_no_other() -> None:
    report = replace(
        GOOD,
        policy=PolicyGlance("policies", problem="bad"),
        state=StateGlance("sqlite", "f", "locked"),
        record_problem="gone",
        chains=(),
        anchors=(AnchorGlance("disk", "directory", problem="unmounted"), AnchorGlance("far", "bucket")),
    )
    assert report.ok  # The service itself is well.
    assert [line for line in lines(report) if line.startswith("warn")] == [
        "warn policy policies: bad",
        "warn state locked",
        "warn record gone",
        "warn anchor disk (directory): unmounted",
    ]


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (0, "- record audit: nothing recorded yet"),
        (2, "warn record audit: nothing is here, and the state knows 2 chains"),
    ],
)
def test_a_record_that_is_not_there_is_trouble_only_where_there_was_one(known: int, told: str) -> None:
    report = replace(GOOD, chains=(), state=replace(GOOD.state, chains=known))
    assert [line for line in lines(report) if " record " in line] == [told]


def test_metrics_that_cannot_be_read_tell_nothing() -> None:
    assert read_figures('vaultsigner_custody_up{a="') is None
    assert read_figures("") == ServiceFigures()
    assert read_figures("vaultsigner_custody_up 0\n") == ServiceFigures(custody_up=False)


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "1e400"])
def test_numbers_that_are_none_are_not_told(value: str) -> None:
    """What else answers at that address must not keep the rest from being told."""
    assert read_figures(f"vaultsigner_custody_starts_total {value}\n") == ServiceFigures()
    assert read_figures(f"vaultsigner_vault_token_ttl_seconds {value}\n") == ServiceFigures()


def test_the_json_holds_no_sign_that_a_terminal_obeys() -> None:
    """U+009B begins a command as ESC [ does, and JSON leaves it as it is."""
    odd = "\x1b[31m\x9b31m\u202e\x07"
    hostile = replace(GOOD, vault=VaultGlance("https://vault.example:8200", "active", odd))
    text = in_json(hostile)
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text)["vault"]["version"] == odd


def test_the_example_in_the_documents_is_of_this_form() -> None:
    shown = (Path(__file__).parents[3] / "docs" / "operate.md").read_text().partition("```\nvaultsigner ")[2]
    for line in shown.partition("```")[0].splitlines()[1:]:
        assert line[:6].strip() in ("ok", "warn", "FAIL", "-"), line
