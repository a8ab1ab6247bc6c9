"""Everybody can use it: with the keyboard alone, on a phone, in the dark, with a screen reader as far as axe can tell."""

from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.integration.console.browser import Browser
from tests.integration.console.desk import AUDITOR, OPERATOR, waiting
from tests.world import USERNAME, World

VIEWS = ("overview", "records", "approvals", "suspensions", "limits", "chains")


def record_address(world: World) -> str:
    found = next(each for each in world.records() if each.get("code") == "policy_denied")
    return f"?view=record&chain={found['chain']}&seq={found['seq']}"


def everything(world: World) -> list[str]:
    return [
        *(f"?view={view}" for view in VIEWS),
        record_address(world),
        "?view=nowhere",
        "?view=records&code=nothing",
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_barrier(browser: Browser, world: World, scheme: str) -> None:
    browser.media(scheme)
    browser.open()
    assert browser.barriers() == []
    browser.log_in(OPERATOR)
    for address in everything(world):
        browser.open(address)
        browser.settled()
        browser.unfold()
        assert browser.barriers() == [], address
    browser.keys("?")
    browser.one("dialog")
    assert browser.barriers() == []
    browser.keys(Keys.ESCAPE)
    browser.open("?view=suspensions")
    browser.settled()
    browser.press("Suspend …")
    assert browser.barriers() == []


def test_axe_sees_a_barrier_that_was_planted(browser: Browser) -> None:
    browser.log_in(AUDITOR)
    browser.run(
        "document.querySelector('main').append(Object.assign(document.createElement('input'), {id: 'x'}))"
    )
    assert any(found.startswith("label ") for found in browser.barriers())


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, world: World) -> None:
    browser.log_in(OPERATOR)
    browser.size(360, 740)
    for address in everything(world):
        browser.open(address)
        browser.settled()
        browser.unfold()
        wide = """const aside = ".scrolled, pre, .skip, .for-readers, .uplot";
            return [...document.querySelectorAll("body *")]
                .filter((each) => !each.closest(aside) && each.getBoundingClientRect().right > innerWidth + 1)
                .map((each) => each.outerHTML.slice(0, 120))"""
        assert browser.run("return document.documentElement.scrollWidth") <= 360, (address, browser.run(wide))
        assert browser.run(wide) == [], address


def test_dark_and_light_follow_the_system_unless_chosen(browser: Browser) -> None:
    ground = "return getComputedStyle(document.body).backgroundColor"
    browser.media("dark")
    browser.log_in(AUDITOR)
    dark = browser.run(ground)
    browser.media("light")
    light = browser.run(ground)
    assert dark != light
    browser.choose("#theme", "dark")
    assert browser.run(ground) == dark
    browser.open()
    browser.settled()
    assert browser.run(ground) == dark
    browser.choose("#theme", "light")
    browser.media("dark")
    assert browser.run(ground) == light
    browser.choose("#theme", "system")
    assert browser.run(ground) == dark


def test_the_main_path_needs_no_mouse(browser: Browser, world: World, tmp_path: Path) -> None:
    approval = waiting(world, 290_000_000)
    browser.open()
    browser.one("#username")
    browser.keys(OPERATOR, Keys.TAB, OPERATOR * 3, Keys.ENTER)
    browser.one("#log-out")
    browser.settled()
    browser.keys("r")
    browser.reads("Records", "h1")
    browser.settled()
    browser.keys("/")
    browser.keys("user:sam")
    browser.tab_to("Code")
    browser.keys("policy_denied", Keys.ENTER)
    browser.reads("Code: policy_denied", ".chosen")
    browser.settled()
    time = browser.rows()[0][0]
    browser.tab_to(time)
    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    assert browser.run(outline) == "solid"
    browser.keys(Keys.ENTER)
    browser.reads("Proof that it is in the record")
    browser.settled()
    browser.keys("a")
    browser.reads("Approvals", "h1")
    browser.one(f"[data-approval='{approval}']")
    browser.tab_to(f"Approve transfer.broadcast on wallet:hot for user:{USERNAME}")
    browser.keys(Keys.ENTER)
    browser.one("dialog")
    assert browser.focused().startswith("Comment")
    browser.keys("r?", Keys.TAB, Keys.ENTER)
    browser.until(lambda: not browser.all("dialog"), "the dialog is closed")
    assert any(each.get("details", {}).get("comment") == "r?" for each in world.records())


def test_the_first_tab_leads_past_the_navigation(browser: Browser) -> None:
    browser.log_in(AUDITOR)
    browser.open()
    browser.settled()
    browser.run("document.activeElement.blur()")
    browser.keys(Keys.TAB)
    assert browser.focused() == "Skip to the content"
    browser.keys(Keys.ENTER)
    assert browser.run("return document.activeElement.id") == "content"
    browser.reads("Overview", "h1")


def test_the_heading_is_told_when_the_view_changes(browser: Browser) -> None:
    browser.log_in(AUDITOR)
    browser.press("Limits")
    assert browser.focused() == "Limits"
    assert browser.driver.title == "Limits – vaultsigner console"


def test_times_are_in_utc_and_local_when_pointed_at(browser: Browser) -> None:
    browser.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
    try:
        browser.log_in(AUDITOR, "?view=records")
        browser.settled()
        iso, text, title = browser.run(
            "const time = document.querySelector('tbody time'); return [time.dateTime, time.innerText, time.title]"
        )
        assert text == f"{iso[:10]} {iso[11:19]} UTC"
        assert "GMT+9" in title
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})
