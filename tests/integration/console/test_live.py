"""What happens is seen as it happens, and it is seen when it cannot be."""

from pathlib import Path

from tests.integration.console.browser import Browser, running_browser
from tests.integration.console.desk import AUDITOR, OPERATOR, ask, paid, refused, running_console, waiting
from tests.world import World


def reasons(world: World) -> int:
    """How many records there are that are not of a page's own reading."""
    return sum(not str(each.get("operation", "")).startswith("audit.") for each in world.records())


def one_more(browser: Browser, world: World) -> None:
    """A refusal more, until its record is on the page."""
    before = len(browser.rows())
    refused(world)
    browser.until(lambda: len(browser.rows()) == before + 1, "the new one is there")


def test_new_records_come_by_themselves(browser: Browser, world: World) -> None:
    browser.log_in(AUDITOR, "?view=records&code=policy_denied&since=all")
    browser.reads("Live", ".state")
    browser.settled()
    one_more(browser, world)


def test_new_records_leave_a_table_in_the_order_that_was_chosen(browser: Browser, world: World) -> None:
    browser.log_in(AUDITOR, "?view=records&code=policy_denied&since=all")
    browser.reads("Live", ".state")
    browser.settled()
    for order in ("ascending", "descending"):
        browser.press("Time")
        assert browser.attribute("th[aria-sort]", "aria-sort") == order
        one_more(browser, world)
        times = [row[0] for row in browser.rows()]
        assert times == sorted(times, reverse=order == "descending")
        assert browser.attribute("th[aria-sort]", "aria-sort") == order


def test_an_approval_comes_and_goes_by_itself(browser: Browser, world: World) -> None:
    browser.log_in(OPERATOR, "?view=approvals")
    browser.reads("Live", ".state")
    browser.settled()
    approval = waiting(world, 330_000_000)
    browser.one(f"[data-approval='{approval}']")
    assert ask(world, "otto", "POST", f"/api/approvals/{approval}/reject").status == 200
    browser.until(lambda: not browser.all(f"[data-approval='{approval}']"), "it is gone")


def test_an_open_page_does_not_fill_the_record_by_itself(browser: Browser, world: World) -> None:
    browser.log_in(AUDITOR, "?view=overview")
    browser.reads("Live", ".state")
    browser.settled()
    before = len(world.records())
    summaries = (
        "return performance.getEntriesByType('resource').filter((e) => e.name.includes('summary')).length"
    )
    seen = browser.run(summaries)
    paid(world)
    browser.until(lambda: len(world.records()) >= before + 3, "it is on record")
    browser.until(lambda: browser.run(summaries) > seen, "it is fetched again")
    browser.settled()
    seen, caused = browser.run(summaries), reasons(world)
    # Twice the time after which it would be fetched again, were its own reading a reason to.
    browser.run("window.later = false; setTimeout(() => { window.later = true }, 11000)")
    browser.until(lambda: browser.run("return window.later"), "time goes by")
    # One may be for what came meanwhile, on a slow machine; those who review are no reason, but checkpoints are.
    assert browser.run(summaries) <= seen + 1 + reasons(world) - caused


def test_paused_is_paused(browser: Browser, world: World) -> None:
    browser.log_in(AUDITOR, "?view=records&code=policy_denied&since=all")
    browser.reads("Live", ".state")
    browser.settled()
    browser.keys("p")
    browser.reads("Paused", ".state")
    before = len(browser.rows())
    refused(world)
    browser.press("Go on with live updates")
    browser.reads("Live", ".state")
    browser.until(lambda: len(browser.rows()) == before + 1, "it is there after the pause")


def test_a_service_that_is_gone_is_seen_and_found_again(tmp_path: Path) -> None:
    with (
        running_console(tmp_path / "world") as world,
        running_browser(world.url, tmp_path / "downloads") as browser,
    ):
        browser.log_in(AUDITOR, "?view=records&code=policy_denied&since=all")
        browser.reads("Live", ".state")
        world.service.stop()
        browser.reads("Not connected", ".state")
        browser.keys("f")
        browser.reads("The service does not answer")
        world.service.start()
        browser.reads("Live", ".state")
        refused(world)
        browser.until(lambda: browser.all("main table") and len(browser.rows()) == 1, "the new one is there")
