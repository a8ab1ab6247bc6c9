"""The page and its files come from this server alone, with nothing inline, under a policy that lets nothing else in."""

import re
from pathlib import Path

import pytest
import requests

from tests.integration.server.test_documents import Page
from tests.patience import PATIENCE_SECONDS
from tests.world import World
from vaultsigner.server.console.page import load_console


def get(world: World, path: str, **headers: str) -> requests.Response:
    return requests.get(
        f"{world.url}{path}", headers=headers, timeout=PATIENCE_SECONDS, allow_redirects=False
    )


def test_everything_that_the_page_loads_is_ours_and_nothing_is_inline(world: World) -> None:
    reply = get(world, "/console")
    page = Page(reply.text)
    assert (reply.status_code, page.inline) == (200, [])
    loads = [each for each in page.loads if each != "#content"]
    assert {each.rsplit("/", 1)[1] for each in loads} == {"uplot.css", "console.css", "main.js"}
    seen, folder = set(loads), loads[0].rsplit("/", 1)[0]
    todo = list(loads)
    while todo:
        asset = get(world, todo.pop())
        assert asset.status_code == 200, asset.url
        assert asset.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert asset.headers["Content-Type"] in ("text/javascript; charset=utf-8", "text/css; charset=utf-8")
        assert asset.headers["X-Content-Type-Options"] == "nosniff"
        for name in re.findall(r'(?:from|import\() ?"\./([^"]+)"', asset.text):
            if (address := f"{folder}/{name}") not in seen:
                seen.add(address)
                todo.append(address)
    assert len(seen) > 20


def test_the_policy_is_as_tight_as_it_gets(world: World) -> None:
    headers = get(world, "/console").headers
    assert dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; ")) == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-cache"
    assert "Set-Cookie" not in headers


def test_our_scripts_never_make_markup_of_text(world: World) -> None:
    for name, asset in load_console().assets.items():
        if name.endswith(".js") and name != "uplot.js":
            assert not re.search(
                rb"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", asset.body
            ), name


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_the_page_can_only_be_read(world: World, method: str) -> None:
    reply = requests.request(method, f"{world.url}/console", timeout=PATIENCE_SECONDS)
    assert reply.status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/console/",
        "/console/assets/0000000000000000/main.js",
        "/console/assets/",
        "/console/assets/x/..%2f..%2fpage.py",
    ],
)
def test_other_files_are_not_found(world: World, path: str) -> None:
    assert get(world, path).status_code == 404


def test_what_has_not_changed_is_not_sent_again(world: World) -> None:
    first = get(world, "/console")
    assert get(world, "/console", **{"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_without_the_library_for_plots_the_page_says_so_and_loads_the_rest(tmp_path: Path) -> None:
    whole, less = load_console(), load_console(vendor=tmp_path)
    assert b'data-plot="yes"' in whole.page.body
    assert b'data-plot="missing"' in less.page.body
    assert whole.assets.keys() - less.assets.keys() == {"uplot.js", "uplot.css"}
    assert b"uplot" not in less.page.body


def test_a_page_of_another_version_does_not_load_files_of_this_one() -> None:
    versions = {asset.path.split("/")[3] for asset in load_console().assets.values()}
    assert len(versions) == 1
    assert versions.pop().encode() in load_console().page.body
