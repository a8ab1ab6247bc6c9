"""A real Chromium without a window, driven as a person would: by what is on the page, and by the keyboard."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    NoSuchElementException,
    StaleElementReferenceException,
)
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select

from tests.integration.console.desk import password
from tests.patience import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).parents[3]
AXE = ROOT / ".venv-accessibility" / "node_modules" / "axe-core" / "axe.min.js"
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # it refuses to run as root with one, and loads nothing but our own page
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--lang=en-US",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
# What a page is refused is told by an event; each document keeps its own, and hands them over when asked.
_COLLECT_VIOLATIONS = """
window.violations = JSON.parse(sessionStorage.getItem("violations") ?? "[]");
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push([event.effectiveDirective, event.blockedURI, event.sample]);
  sessionStorage.setItem("violations", JSON.stringify(window.violations));
});
"""

# A live page replaces what is on it, and then it is looked for again; what lies above it goes.
_PASSING = (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    NoSuchElementException,
    StaleElementReferenceException,
)


def require(what: bool, words: str) -> None:
    """Skip where a program is missing; in CI that is a failure."""
    if not what:
        assert not os.environ.get("CI"), words
        pytest.skip(words)


@dataclass(frozen=True, slots=True)
class Browser:
    """One tab."""

    driver: webdriver.Chrome
    url: str
    downloads: Path

    def open(self, address: str = "") -> None:
        """The console, at an address that begins with a question mark."""
        self.driver.get(f"{self.url}/console{address}")

    def log_in(self, who: str, address: str = "") -> None:
        """Open it, and type name and password."""
        self.open(address)
        self.type_at("#username", who)
        self.type_at("#password", password(who))
        self.press("Log in")
        self.until(lambda: self.all("#log-out"), "the log-in is taken")
        self.settled()

    def forget(self) -> None:
        """As a new tab of a new person. The page is loaded anew: it knows who was logged in as long as it is there."""
        self.open()
        self.run("sessionStorage.clear(); localStorage.clear()")
        self.open()
        self.media()
        self.size(1280, 900)

    # What is there

    def all(self, css: str) -> list[WebElement]:
        """Everything that a selector finds."""
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css: str) -> WebElement:
        """The first, once it is there."""
        found: WebElement = self.until(lambda: next(iter(self.all(css)), None), f"{css} is there")
        return found

    def text(self, css: str = "body") -> str:
        """What can be read there now."""
        return str(self.run("return document.querySelector(arguments[0])?.innerText ?? ''", css))

    def attribute(self, css: str, name: str) -> str | None:
        """A property or attribute of the first that a selector finds, once it is there."""

        def read() -> list[str | None]:
            return [self.driver.find_element(By.CSS_SELECTOR, css).get_attribute(name)]

        found: list[str | None] = self.until(read, f"{css} is there")
        return found[0]

    def until(self, outcome: Callable[[], Any], what: str) -> Any:
        """Wait; what is replaced meanwhile is looked for again."""

        def tried() -> Any:
            try:
                return outcome()
            except _PASSING:
                return None

        return wait_until(tried, what, poll_seconds=0.05)

    def reads(self, words: str, css: str = "body") -> None:
        """Wait for words."""
        try:
            self.until(lambda: words in self.text(css), words)
        except AssertionError as error:
            raise AssertionError(f"{words!r} is not in: {self.text(css)}") from error

    def settled(self) -> None:
        """Wait until nothing is being fetched for the page."""
        self.until(lambda: self.all("h1") and not self.all("[aria-busy='true']"), "the page is complete")

    def rows(self, css: str = "main table") -> list[list[str]]:
        """A table's cells; none while there is no table."""
        script = """return [...document.querySelector(arguments[0])?.querySelectorAll("tbody tr") ?? []].map(
            (row) => [...row.querySelectorAll("th, td")].map((cell) => cell.innerText))"""
        found: list[list[str]] = self.run(script, css)
        return found

    # What is done

    def press(self, label: str, within: str = "body") -> None:
        """A button or a link, by what is on it or what it is called."""
        name = json.dumps(label, ensure_ascii=False)
        path = (
            f".//*[self::button or self::a or self::summary][normalize-space(.)={name} or @aria-label={name}]"
        )

        def pressed() -> bool:
            place = self.driver.find_element(By.CSS_SELECTOR, within)
            return self._takes_click(place.find_element(By.XPATH, path))

        self.until(pressed, f"{label} can be pressed")

    def click(self, css: str) -> None:
        """The first that a selector finds, once it is there."""

        def clicked() -> bool:
            return self._takes_click(self.driver.find_element(By.CSS_SELECTOR, css))

        self.until(clicked, f"{css} can be clicked")

    def back(self) -> None:
        """To the address before this one, and what is there."""
        self._travel(self.driver.back)

    def forward(self) -> None:
        """The other way."""
        self._travel(self.driver.forward)

    def unfold(self) -> None:
        """Open everything that is folded; in one step, for a live page may replace what was found meanwhile."""
        self.run("document.querySelectorAll('details').forEach((each) => { each.open = true })")

    def type_at(self, css: str, words: str) -> None:
        """Into a field, in place of what is there."""

        def typed() -> bool:
            field = self.driver.find_element(By.CSS_SELECTOR, css)
            field.clear()
            field.send_keys(words)
            return True

        self.until(typed, f"{css} takes what is typed")

    def choose(self, css: str, value: str) -> None:
        """In a list."""

        def chosen() -> bool:
            Select(self.driver.find_element(By.CSS_SELECTOR, css)).select_by_value(value)
            return True

        self.until(chosen, f"{value} can be chosen at {css}")

    def keys(self, *keys: str) -> None:
        """To whatever has the keyboard at the moment of each."""
        for key in keys:
            webdriver.ActionChains(self.driver, duration=0).send_keys(key).perform()

    def tab_to(self, label: str, *, most: int = 80) -> None:
        """Press Tab until what is called so has the keyboard."""
        for _ in range(most):
            self.keys(Keys.TAB)
            if self.focused() == label:
                return
        raise AssertionError(f"{label} cannot be reached with the keyboard")

    def focused(self) -> str:
        """What has the keyboard is called."""
        script = """const e = document.activeElement;
            return (e.getAttribute("aria-label") ?? e.labels?.[0]?.innerText ?? e.innerText ?? "").trim()"""
        return str(self.run(script))

    def run(self, script: str, *arguments: object) -> Any:
        """A script in the page, which its policy does not bind."""
        return self.driver.execute_script(script, *arguments)

    # How it is shown

    def size(self, width: int, height: int) -> None:
        """Of the page, not of the window around it."""
        self._cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )

    def media(self, scheme: str = "light") -> None:
        """What the system prefers. Nothing moves: colours on their way to others are no finding of axe's."""
        preferred = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in preferred.items()]
        self._cdp("Emulation.setEmulatedMedia", features=features)

    def picture(self, file: Path) -> None:
        """Of what is in sight."""
        assert self.driver.save_screenshot(str(file))

    # What must not happen

    def violations(self) -> list[Any]:
        """What the page's policy has refused since the last look, by the page's own account and by the browser's."""
        told: list[Any] = self.run("return JSON.parse(sessionStorage.getItem('violations') ?? '[]')")
        self.run("sessionStorage.removeItem('violations'); window.violations = []")
        return told + [message for message in self._log("browser") if "Security Policy" in message]

    def requested(self) -> list[str]:
        """The addresses that were asked for since the last look."""
        messages = [json.loads(message)["message"] for message in self._log("performance")]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]

    def barriers(self) -> list[str]:
        """What axe finds that keeps people from using the page: serious and critical findings."""
        require(AXE.is_file(), "axe-core is not installed: ./run test installs it")
        self.run(AXE.read_text())
        found = self.driver.execute_async_script(
            "const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then((r) => done(r.violations))"
        )
        return [
            f"{each['id']} ({each['impact']}): {node['html'][:200]} {node['failureSummary'][:300]}"
            for each in found
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]

    def _takes_click(self, found: WebElement) -> bool:
        """Click, and tell whether it came there: what is replaced while the button is down gets no click, nor does its heir."""
        listen = """window.taken = false;
            arguments[0].addEventListener("click", () => { window.taken = true }, {capture: true, once: true})"""
        self.run(listen, found)
        found.click()
        return bool(self.run("return window.taken ?? true"))  # a new document knows nothing of it

    def _travel(self, go: Callable[[], None]) -> None:
        """The browser says that it goes, and goes a little later."""
        left = self.run("return location.href")
        go()
        self.until(lambda: self.run("return location.href") != left, "another address is shown")
        self.settled()

    def _log(self, kind: str) -> list[str]:
        lines = self.driver.get_log(kind)  # type: ignore[no-untyped-call] # selenium has no types for it
        return [str(line["message"]) for line in lines]

    def _cdp(self, command: str, **parameters: object) -> None:
        self.driver.execute_cdp_cmd(command, parameters)


@contextmanager
def running_browser(url: str, downloads: Path, *options: str) -> Iterator[Browser]:
    """Chromium, for as long as the context lasts."""
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    require(
        bool(chromium and chromedriver),
        "chromium and chromedriver are needed: apt-get install chromium chromium-driver",
    )
    downloads.mkdir(exist_ok=True)
    settings = webdriver.ChromeOptions()
    settings.binary_location = str(chromium)
    for each in (*_OPTIONS, *options, f"--user-data-dir={downloads.parent / 'profile'}"):
        settings.add_argument(each)
    settings.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(settings, Service(executable_path=str(chromedriver)))
    try:
        driver.set_script_timeout(PATIENCE_SECONDS)
        browser = Browser(driver, url, downloads)
        for command, parameters in _preparations(downloads):
            browser._cdp(command, **parameters)
        yield browser
    finally:
        driver.quit()


def _preparations(downloads: Path) -> Sequence[tuple[str, dict[str, object]]]:
    return (
        ("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)}),
        ("Page.addScriptToEvaluateOnNewDocument", {"source": _COLLECT_VIOLATIONS}),
    )
