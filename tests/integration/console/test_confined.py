"""The page's policy holds, no cookie is set, and the log-in is gone when it is over."""

from typing import Any

from tests.integration.console.browser import Browser
from tests.integration.console.desk import AUDITOR
from tests.world import World


def test_what_the_policy_refuses_is_seen_by_the_check(shared_browser: Browser) -> None:
    browser = shared_browser
    browser.forget()
    browser.violations()
    browser.run(
        "document.body.insertAdjacentElement('beforeend', Object.assign(document.createElement('img'), {src: 'http://127.0.0.1:1/x.png'}))"
    )
    told: list[Any] = []

    def told_twice() -> bool:
        told.extend(browser.violations())
        by_the_page = any(each[0] == "img-src" for each in told if isinstance(each, list))
        return by_the_page and any(isinstance(each, str) and "img-src" in each for each in told)

    browser.until(told_twice, "it is refused, and both tell")
    assert browser.violations() == []
    browser.requested()


def test_text_cannot_become_markup_even_by_a_script_of_ours(shared_browser: Browser) -> None:
    browser = shared_browser
    browser.forget()
    refused = browser.run(
        "try { document.body.innerHTML = '<b>x</b>'; return 'let in' } catch (e) { return e.name }"
    )
    assert refused == "TypeError"
    assert browser.run("return document.querySelector('b')") is None
    browser.until(lambda: browser.run("return window.violations.length"), "the page tells")
    assert [each[0] for each in browser.violations() if isinstance(each, list)] == [
        "require-trusted-types-for"
    ]
    browser.requested()


def test_no_inline_script_runs_and_no_other_host_is_asked(shared_browser: Browser) -> None:
    browser = shared_browser
    browser.forget()
    browser.violations()
    browser.run(
        """const script = document.createElement("script"); script.append("window.ran = 1");
        try { document.body.append(script) } catch {}
        const handler = document.createElement("p"); try { handler.setAttribute("onclick", "window.ran = 1") } catch {}
        document.body.append(handler); handler.click();
        fetch("http://127.0.0.1:1/").catch(() => {})"""
    )
    told = "return window.violations.map((each) => each[0])"
    browser.until(lambda: len(found := browser.run(told)) >= 2 and "connect-src" in found, "they are refused")
    assert browser.run("return window.ran ?? null") is None
    browser.requested()


def test_the_token_is_in_this_tab_alone(browser: Browser, world: World) -> None:
    browser.log_in(AUDITOR)
    assert browser.driver.get_cookies() == []
    assert browser.run("return document.cookie") == ""
    assert browser.run("return JSON.stringify(localStorage)") == "{}"
    token = browser.run("return sessionStorage.getItem('vaultsigner.token')")
    assert token
    assert token not in browser.driver.current_url
    browser.open("?view=limits")
    browser.reads("Limits", "h1")
    browser.press("Log out")
    browser.reads("You have logged out")
    assert browser.run("return sessionStorage.getItem('vaultsigner.token')") is None
    browser.open("?view=limits")
    browser.reads("Log in", "h1")
    assert not [each for each in browser.requested() if token in each]


def test_a_log_in_that_the_service_no_longer_knows_ends(browser: Browser) -> None:
    browser.log_in(AUDITOR, "?view=limits")
    token = browser.run("return sessionStorage.getItem('vaultsigner.token')")
    head, claims, signature = token.split(".")
    forged = ".".join((head, claims, signature[:-4] + ("AAAA" if signature[-4:] != "AAAA" else "BBBB")))
    browser.run("sessionStorage.setItem('vaultsigner.token', arguments[0])", forged)
    browser.open("?view=limits")
    browser.reads("no longer accepts this log-in")
    browser.type_at("#username", AUDITOR)
    browser.type_at("#password", AUDITOR * 3)
    browser.press("Log in")
    browser.reads("Limits", "h1")


def test_a_late_refusal_of_an_old_log_in_does_not_end_the_next_one(browser: Browser) -> None:
    browser.log_in(AUDITOR, "?view=limits")
    browser.run(
        """const honest = window.fetch;
        window.fetch = async (address, options) => {
          if (address !== "/api/limits") return honest(address, options);
          window.fetch = honest;
          await new Promise((resolve) => { window.refuse = resolve });
          window.refused = true;
          return new Response('{"code": "invalid_token"}', {status: 401});
        };"""
    )
    browser.keys("f")
    browser.until(lambda: browser.run("return window.refuse !== undefined"), "it is asked")
    browser.press("Log out")
    browser.type_at("#username", AUDITOR)
    browser.type_at("#password", AUDITOR * 3)
    browser.press("Log in")
    browser.one("#log-out")
    browser.run("window.refuse()")
    browser.until(lambda: browser.run("return window.refused"), "it is answered")
    browser.press("Chains")
    browser.reads("Anchors")
    assert browser.run("return sessionStorage.getItem('vaultsigner.token')")


def test_an_expired_log_in_ends_by_itself(browser: Browser) -> None:
    browser.open()
    expired = "e30.eyJ1c2VybmFtZSI6ImFubiIsImV4cCI6MX0.e30"  # {"username":"ann","exp":1}
    browser.run("sessionStorage.setItem('vaultsigner.token', arguments[0])", expired)
    browser.open()
    browser.reads("Log in", "h1")
    assert not [each for each in browser.requested() if "/api/" in each]


def test_a_wrong_password_is_told(browser: Browser) -> None:
    browser.open()
    browser.type_at("#username", AUDITOR)
    browser.type_at("#password", "guess")
    browser.press("Log in")
    browser.reads("The user name or the password is wrong")
    assert browser.run("return sessionStorage.length") == 0
