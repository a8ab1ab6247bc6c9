"""Takes the pictures of docs/console.md: python -m tests.integration.console.pictures

A whole service runs for them, with a real OpenBao; for most of a minute, so that there is something to see over time.
"""

import random
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.adversarial.desk import transfer
from tests.integration.console.browser import ROOT, Browser, running_browser
from tests.integration.console.desk import (
    AUDITOR,
    OPERATOR,
    SEND,
    SIGN,
    ask,
    paid,
    refused,
    running_console,
    waiting,
)
from tests.integration.signed.callers import HMAC
from tests.world import USERNAME, World

PICTURES = ROOT / "docs" / "images"
STEPS = 45


def _minute(world: World) -> None:
    """Now more, now less, some of it refused."""
    chance = random.Random(6)  # noqa: S311 - the same each time
    for step in range(STEPS):
        busy = 1 + step % 12 // 3
        for _ in range(chance.randint(0, busy)):
            paid(world, chance.randint(100_000, 9_000_000))
        for _ in range(chance.randint(0, busy)):
            world.signed(HMAC, "POST", SIGN, document=transfer("hot", chance.randint(100_000, 5_000_000)))
        if chance.random() < 0.25:
            refused(world)
        if chance.random() < 0.15:
            ask(world, USERNAME, "POST", SEND, transfer("nowhere"))
        if chance.random() < 0.1:
            ask(world, USERNAME, "POST", SEND, transfer("hot", to_address="tbnb1wrong"))
        if chance.random() < 0.1:
            approval = waiting(world, chance.randint(200_000_000, 900_000_000))
            ask(world, OPERATOR, "POST", f"/api/approvals/{approval}/approve")
        time.sleep(1)


def _now(world: World) -> None:
    waiting(world, 1_250_000_000, memo="invoice 4711")
    refused(world)
    suspended = {"kind": "client", "name": "bot-hmac", "reason": "its key may be in a leaked backup"}
    ask(world, OPERATOR, "POST", "/api/suspensions", suspended)
    for _ in range(10):
        paid(world, 1_000_000)


def _take(browser: Browser, world: World, since: str) -> None:
    record = [
        each for each in world.records() if each["kind"] == "outcome" and each["code"] == "policy_denied"
    ][-1]
    views = {
        "overview": f"?view=overview&since={since}",
        "records": "?view=records&target=wallet%3Acold&code=policy_denied",
        "record": f"?view=record&chain={record['chain']}&seq={record['seq']}",
        "approvals": "?view=approvals",
        "suspensions": "?view=suspensions",
        "limits": "?view=limits",
        "chains": "?view=chains",
    }
    browser.log_in(OPERATOR)
    for scheme in ("light", "dark"):
        browser.media(scheme)
        for name, address in views.items():
            if scheme == "light" or name in ("overview", "record"):
                _picture(browser, address, f"console-{name}{'-dark' if scheme == 'dark' else ''}")
    browser.media("light")
    browser.size(360, 760)
    _picture(browser, views["overview"], "console-overview-phone")
    _picture(browser, views["record"], "console-record-phone")


def _picture(browser: Browser, address: str, name: str) -> None:
    browser.open(address)
    browser.settled()
    browser.reads("Live", ".state")
    if "overview" in name:
        browser.one(".plot canvas")
    if name == "console-record-phone":
        browser.run("document.getElementById('proof').scrollIntoView()")
    browser.picture(PICTURES / f"{name}.png")


def main() -> None:
    """Take them all."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        since = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        with running_console(place / "world") as world:
            _minute(world)
            _now(world)
            ask(world, AUDITOR, "GET", "/api/limits")
            with running_browser(world.url, place / "downloads") as browser:
                browser.media()
                browser.size(1280, 900)
                _take(browser, world, since)
    sys.stdout.write(f"pictures are in {PICTURES}\n")


if __name__ == "__main__":
    main()
