"""Operators approve, reject, suspend and resume in the console; others are told that they may not."""

import pytest

from tests.integration.console.browser import Browser
from tests.integration.console.desk import AUDITOR, OPERATOR, SEND, ask, waiting
from tests.world import USERNAME, World

SUSPENSIONS = "/api/suspensions"


def card(browser: Browser, approval: str) -> str:
    """The selector of one that waits, once it is there."""
    css = f"[data-approval='{approval}']"
    browser.one(css)
    return css


def status(world: World, approval: str) -> str:
    found: str = ask(world, OPERATOR, "GET", f"/api/approvals/{approval}").body["status"]
    return found


def votes(world: World, approval: str) -> list[tuple[str, str, str | None]]:
    """As they are on record."""
    details = [each["details"] for each in world.records() if each.get("event") == "approval"]
    return [(each["by"], each["vote"], each["comment"]) for each in details if each["id"] == approval]


@pytest.mark.parametrize(
    ("word", "outcome"), [("Approve", "granted"), ("Reject", "rejected")], ids=["approve", "reject"]
)
def test_a_request_that_waits_is_decided_with_a_comment(
    browser: Browser, world: World, word: str, outcome: str
) -> None:
    units = 250_000_000 if word == "Approve" else 260_000_000
    approval = waiting(world, units, memo="invoice 9")
    browser.log_in(OPERATOR)
    browser.press("Approvals")
    place = card(browser, approval)
    for words in (
        "invoice 9",
        f"{units / 10**8:.8f}",
        f"user:{USERNAME}",
        "large-transfers",
        "user:olga, user:otto",
    ):
        browser.reads(words, place)
    browser.press(f"{word} transfer.broadcast on wallet:hot for user:{USERNAME}", place)
    browser.reads("invoice 9", "dialog")
    browser.press("Cancel", "dialog")
    assert status(world, approval) == "open"
    browser.press(f"{word} transfer.broadcast on wallet:hot for user:{USERNAME}", place)
    browser.type_at("#vote-comment", "called back,\nby phone")
    browser.press(word, "dialog")
    browser.until(lambda: not browser.all("dialog"), "the dialog is closed")
    assert status(world, approval) == outcome
    assert votes(world, approval) == [(f"user:{OPERATOR}", word.lower(), "called back, by phone")]


def test_what_was_closed_meanwhile_is_told_in_the_dialog(browser: Browser, world: World) -> None:
    approval = waiting(world, 270_000_000)
    browser.log_in(OPERATOR, "?view=approvals")
    place = card(browser, approval)
    browser.press(f"Approve transfer.broadcast on wallet:hot for user:{USERNAME}", place)
    assert ask(world, "otto", "POST", f"/api/approvals/{approval}/reject").status == 200
    browser.press("Approve", "dialog")
    browser.reads("decided already", "dialog [role='alert']")
    browser.press("Cancel", "dialog")


def test_an_auditor_sees_what_waits_and_has_no_vote(browser: Browser, world: World) -> None:
    approval = waiting(world, 280_000_000)
    browser.log_in(AUDITOR, "?view=approvals")
    browser.reads("You have no vote on this", card(browser, approval))
    assert browser.all(f"{card(browser, approval)} button") == []
    assert ask(world, OPERATOR, "POST", f"/api/approvals/{approval}/reject").status == 200


def test_an_operator_suspends_and_resumes(browser: Browser, world: World) -> None:
    browser.log_in(OPERATOR, "?view=suspensions")
    browser.reads("Nothing is suspended")
    browser.press("Suspend …")
    browser.choose("#suspend-kind", "wallet")
    browser.type_at("#suspend-name", "hot")
    browser.type_at("#suspend-reason", "a drill")
    browser.press("Suspend", "dialog")
    browser.reads("1 suspended")
    [row] = browser.rows()
    assert row[:3] == ["wallet:hot", "a drill", f"user:{OPERATOR}"]
    assert ask(world, USERNAME, "POST", SEND, {}).status in (400, 422)
    [found] = ask(world, OPERATOR, "GET", SUSPENSIONS).body["suspensions"]
    assert (found["kind"], found["name"], found["reason"]) == ("wallet", "hot", "a drill")
    browser.press("Resume wallet:hot")
    browser.press("Resume", "dialog")
    browser.reads("Nothing is suspended")
    assert ask(world, OPERATOR, "GET", SUSPENSIONS).body == {"suspensions": []}


def test_everything_is_suspended_without_a_name(browser: Browser, world: World) -> None:
    browser.log_in(OPERATOR, "?view=suspensions")
    browser.press("Suspend …")
    browser.choose("#suspend-kind", "all")
    assert not browser.one("#suspend-name").is_displayed()
    browser.type_at("#suspend-reason", "a drill")
    browser.press("Suspend", "dialog")
    browser.reads("everything", "main table")
    browser.press("Resume everything")
    browser.press("Resume", "dialog")
    browser.reads("Nothing is suspended")
    assert ask(world, OPERATOR, "GET", SUSPENSIONS).body == {"suspensions": []}


def test_what_the_service_does_not_know_stays_in_the_dialog(browser: Browser, world: World) -> None:
    browser.log_in(OPERATOR, "?view=suspensions")
    browser.press("Suspend …")
    browser.type_at("#suspend-name", "no-such-wallet")
    browser.type_at("#suspend-reason", "x")
    browser.press("Suspend", "dialog")
    browser.until(lambda: browser.text("dialog [role='alert']"), "the dialog says why")
    browser.keys("\ue00c")
    browser.until(lambda: not browser.all("dialog"), "Escape closes it")
    assert ask(world, OPERATOR, "GET", SUSPENSIONS).body == {"suspensions": []}


def test_an_auditor_may_look_and_not_suspend(browser: Browser, world: World) -> None:
    browser.log_in(AUDITOR, "?view=suspensions")
    browser.reads("Nothing is suspended")
    browser.press("Suspend …")
    browser.type_at("#suspend-name", "hot")
    browser.type_at("#suspend-reason", "x")
    browser.press("Suspend", "dialog")
    browser.reads("403: This is for users with the role operator", "dialog [role='alert']")
    assert ask(world, OPERATOR, "GET", SUSPENSIONS).body == {"suspensions": []}


def test_limits_tell_how_full_they_are(browser: Browser, world: World) -> None:
    browser.log_in(AUDITOR, "?view=limits")
    browser.settled()
    [row] = [each for each in browser.rows() if each[2] == "wallet:hot"]
    assert row[0] == "pocket-money"
    assert "25 amount every day per target" in row[1]
    used = float(row[3].split(" of ")[0])
    assert 4.5 <= used <= 25
    assert f"{round(used * 4)} %" in row[4]


def test_chains_tell_their_last_checkpoint(browser: Browser, world: World) -> None:
    browser.log_in(AUDITOR, "?view=chains")
    browser.settled()
    [row] = browser.rows()
    assert row[0] == f"{world.records()[0]['chain']} (this server's)"
    assert "records, 20" in row[3]
    browser.reads("no problem is known")
    browser.reads("Anchors")
