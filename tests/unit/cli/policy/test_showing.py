"""What people see of an explanation and of a replay: enough to decide by, in any width, never too much."""

import io
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from rich.console import Console

from tests.unit.cli.policy_records import MOMENT, SAM, decided, transfer, write_records
from vaultsigner.audit.files.reading import Unreadable, read_intents, record_files
from vaultsigner.cli.policy.explanation import Asked, show_explanation
from vaultsigner.cli.policy.replay_report import show_replay
from vaultsigner.cli.policy.replaying import Replay
from vaultsigner.cli.policy.words import approvals_in_words, printable, span
from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.decisions import Approvals
from vaultsigner.domain.principals import Principal
from vaultsigner.policy import PolicySet, load


def rules(directory: Path, *texts: str) -> PolicySet:
    directory.mkdir(exist_ok=True)
    (directory / "a.yml").write_text("version: 1\nrules:\n" + "".join(f"  - {text}\n" for text in texts))
    return load(directory)


def explained(policies: PolicySet, width: int = 100) -> str:
    circumstances = Circumstances(ip_address("10.0.0.7"), datetime(2026, 11, 20, 10, tzinfo=UTC))
    asked = Asked(SAM, transfer("5", "6", memo="hello"), circumstances, frozenset())
    shown = io.StringIO()
    console = Console(file=shown, width=width, highlight=False)
    show_explanation(console, asked, policies.explain(SAM, asked.intent, circumstances))
    return shown.getvalue()


def replayed(tmp_path: Path, policies: PolicySet, *callers: str) -> str:
    write_records(
        tmp_path / "audit", *(decided(transfer("5"), principal=Principal("user", each)) for each in callers)
    )
    replay, shown = Replay(policies, MOMENT), io.StringIO()
    for file in record_files(tmp_path / "audit"):
        for _, record in read_intents(file, Unreadable()):
            replay.take(record)
    show_replay(Console(file=shown, width=200, highlight=False), replay, Unreadable())
    return shown.getvalue()


def test_an_explanation_names_everything_that_was_asked(tmp_path: Path) -> None:
    shown = explained(rules(tmp_path, "{id: r, effect: allow}"))
    assert "user:sam asks for transfer.sign on wallet:hot" in shown
    assert "from 10.0.0.7, at Fri 2026-11-20 10:00:00 UTC" in shown
    assert "item 2: to_address tbnb1yg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zz3yvm8, amount 6, symbol BNB" in shown
    assert "memo hello" in shown
    assert "=>  " in shown


def test_a_limit_that_one_request_breaks_is_told(tmp_path: Path) -> None:
    shown = explained(
        rules(tmp_path, '{id: r, effect: allow, limits: [{sum: amount, max: "10", every: 24h}]}')
    )
    assert "at most 10 of amount in 1d for each caller; this uses 11: more than there ever is" in shown


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_width_loses_a_rule_or_its_reason(tmp_path: Path, width: int) -> None:
    shown = explained(rules(tmp_path, '{id: r-s-t, effect: allow, when: {amount: {max: "1"}}}'), width)
    squeezed = "".join(shown.split())
    assert "r-s-t" in squeezed
    assert "Decision:deny,norulematches" in squeezed


def test_rules_for_others_do_not_hide_the_ones_that_matter(tmp_path: Path) -> None:
    others = [f"{{id: o{number}, effect: allow, principals: [user:u{number}]}}" for number in range(60)]
    shown = explained(rules(tmp_path, *others, "{id: the-one, effect: allow}"))
    assert "the-one" in shown
    assert "o59" not in shown
    assert "and 60 rules for others" in shown


def test_many_callers_are_one_row(tmp_path: Path) -> None:
    shown = replayed(
        tmp_path, rules(tmp_path / "new", "{id: r, effect: deny}"), *(f"u{n}" for n in range(30))
    )
    assert "user:u0, user:u1, user:u10 and 27 more" in shown
    assert shown.count("deny (r)") == 1
    assert "30 would be decided otherwise" in shown


def test_nothing_changed_is_said(tmp_path: Path) -> None:
    shown = replayed(tmp_path, rules(tmp_path / "new", "{id: old, effect: allow}"), "sam")
    assert "0 would be decided otherwise" in shown
    assert "1 as before\n" in shown


@pytest.mark.parametrize(
    ("seconds", "text"), [(1, "1s"), (90, "90s"), (60, "1m"), (86400, "1d"), (90000, "25h")]
)
def test_spans(seconds: int, text: str) -> None:
    assert span(seconds) == text


def test_words() -> None:
    assert approvals_in_words(Approvals(1, ("user:ann",), 3600)) == "1 approval within 1h, of user:ann"
    assert printable("a\x1b[2Jb\u202e") == "a\ufffd[2Jb\ufffd"
    assert printable("x" * 500, limit=10) == "x" * 9 + "…"
