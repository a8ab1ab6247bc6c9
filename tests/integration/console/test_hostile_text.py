"""Whatever gets into a record is text on the page: no markup, no script, no hidden turn of direction."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.adversarial.desk import transfer
from tests.integration.console.browser import Browser
from tests.integration.console.desk import AUDITOR, HOSTILE, OPERATOR, SEND, TURNED, ask, waiting
from tests.world import USERNAME, World

CALM = "vaultsigner console"


@pytest.fixture(scope="module")
def hostile(world: World) -> Iterator[str]:
    """Text of an attacker's in every place that takes one; the approval's id."""
    approval = waiting(world, 310_000_000, memo=HOSTILE[:60])
    ask(world, OPERATOR, "POST", f"/api/approvals/{approval}/approve", {"comment": HOSTILE})
    second = waiting(world, 320_000_000, memo="paid\u202eecilA")
    assert (
        ask(world, OPERATOR, "POST", f"/api/approvals/{second}/approve", {"comment": "no\u202eon"}).status
        == 200
    )
    for name in (HOSTILE, TURNED, "\u2066ann\u2069", "a\nb", "x" * 300):
        world.ask("POST", "/api/auth/login", {"username": name, "password": "guess"}, token=None)
        ask(world, USERNAME, "POST", SEND, {**transfer(name), name: 1})
        ask(world, USERNAME, "POST", SEND, {**transfer("hot", 10), name: 1})
        ask(world, USERNAME, "GET", f"/api/wallet/{quote(name)}")
        ask(world, USERNAME, "GET", f"/api/{quote(name)}")
    world.session.get(
        f"{world.url}/api/wallet",
        headers={"User-Agent": HOSTILE, "Referer": HOSTILE, "Authorization": "Bearer x"},
    )
    suspended = {"kind": "client", "name": "bot-hmac", "reason": HOSTILE}
    assert ask(world, OPERATOR, "POST", "/api/suspensions", suspended).status == 200
    yield approval
    assert ask(world, OPERATOR, "DELETE", "/api/suspensions/client/bot-hmac").status == 200
    for each in (approval, second):
        assert ask(world, "otto", "POST", f"/api/approvals/{each}/reject").status == 200


def harmless(browser: Browser) -> None:
    """Nothing of it has become an element or has run."""
    assert browser.all("main img, main script, main iframe, main svg") == []
    assert browser.driver.title.endswith(CALM)


def unseen_in_text(browser: Browser) -> list[str]:
    """Characters on the page that nobody would see."""
    script = r"""const unseen = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g;
        return [...document.body.innerText.matchAll(unseen)].map((match) => match[0])"""
    found: list[str] = browser.run(script)
    return found


@pytest.mark.parametrize("view", ["overview", "records", "approvals", "suspensions", "limits", "chains"])
def test_a_view_shows_it_as_text(browser: Browser, hostile: str, view: str) -> None:
    browser.log_in(AUDITOR, f"?view={view}")
    browser.settled()
    harmless(browser)
    assert unseen_in_text(browser) == []


def test_markup_is_read_as_it_was_written(browser: Browser, world: World, hostile: str) -> None:
    browser.log_in(AUDITOR, "?view=approvals")
    browser.reads(HOSTILE[:60], f"[data-approval='{hostile}']")
    browser.open("?view=suspensions")
    browser.reads(HOSTILE)
    browser.open("?view=approvals")
    browser.reads("paidU+202EecilA")
    assert browser.all(".unseen[title*='U+202E']")
    harmless(browser)


def test_every_record_of_it_can_be_opened(browser: Browser, world: World, hostile: str) -> None:
    browser.log_in(AUDITOR)
    telling = [
        each
        for each in world.records()
        if any(sign in str(each) for sign in ("<img", "\\u202e", "\u202e", "\u2066", "\x1b"))
        or each.get("unknown_members")
    ]
    assert len(telling) >= 8
    for each in telling:
        address = f"?view=record&chain={each['chain']}&seq={each['seq']}"
        browser.run(
            "history.pushState(null, '', arguments[0]); dispatchEvent(new PopStateEvent('popstate'))", address
        )
        browser.settled()
        browser.reads(each["hash"])
        harmless(browser)
        assert unseen_in_text(browser) == []
    browser.reads("The record in full")


def test_an_address_with_markup_in_it_is_harmless(browser: Browser, hostile: str) -> None:
    hostile_address = quote(HOSTILE)
    browser.log_in(AUDITOR, f"?view=record&chain={hostile_address}&seq={hostile_address}")
    browser.settled()
    harmless(browser)
    browser.open(f"?view={hostile_address}&principal={hostile_address}&since={hostile_address}")
    browser.settled()
    harmless(browser)
    browser.open(f"?view=records&principal={hostile_address}")
    browser.reads("No record fits")
    assert browser.attribute("#filter-principal", "value") == HOSTILE
    harmless(browser)
