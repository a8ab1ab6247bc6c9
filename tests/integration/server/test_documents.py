"""The documents come from this server alone, with nothing inline, and travel compressed and cacheable."""

import gzip
import re
from html.parser import HTMLParser

import pytest

from tests.integration.server.conftest import Service
from vaultsigner.server.openapi import openapi_document
from vaultsigner.server.routes import ROUTES

PLAIN = {"Accept-Encoding": "identity"}


class Page(HTMLParser):
    """Collects what a page would load, and what would run inline."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.inline: list[str] = []
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note addresses, style attributes and event handlers."""
        self._open = tag
        for name, value in attrs:
            if name in ("src", "href") and value is not None and not value.startswith("data:,"):
                self.loads.append(value)
            if name == "style" or name.startswith("on"):
                self.inline.append(name)

    def handle_data(self, data: str) -> None:
        """Note scripts and styles with a body."""
        if self._open in ("script", "style") and data.strip():
            self.inline.append(data)


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_a_page_loads_from_here_alone_and_runs_nothing_inline(service: Service, path: str) -> None:
    reply = await service.request("GET", path)
    page = Page(reply.body.decode())
    assert (reply.status, page.inline) == (200, [])
    assert len(page.loads) >= 2
    for address in page.loads:
        asset = await service.request("GET", address)
        assert asset.status == 200
        assert asset.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert asset.headers["Content-Type"] in ("text/javascript; charset=utf-8", "text/css; charset=utf-8")
        assert asset.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_the_policy_lets_nothing_else_in(service: Service, path: str) -> None:
    headers = (await service.request("GET", path)).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert len(headers["X-Request-Id"]) == 26


async def test_the_scripts_start_with_our_specification(service: Service) -> None:
    for path, call in (("/docs", 'url: "/api/openapi.json"'), ("/redoc", 'init("/api/openapi.json"')):
        page = Page((await service.request("GET", path)).body.decode())
        start = await service.request("GET", page.loads[-1])
        assert call in start.body.decode()
        for address in re.findall(r'from "([^"]+)"', start.body.decode()):
            assert (await service.request("GET", address)).status == 200


async def test_redoc_neither_reports_home_nor_fetches_its_makers_logo(service: Service) -> None:
    page = Page((await service.request("GET", "/redoc")).body.decode())
    start = (await service.request("GET", page.loads[-1])).body.decode()
    assert "disableTelemetry: true" in start
    [address] = re.findall(r'from "([^"]+)"', start)
    assert b"cdn.redoc.ly" not in (await service.request("GET", address)).body


async def test_the_specification_is_the_one_of_the_routes(service: Service) -> None:
    reply = await service.request("GET", "/api/openapi.json")
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.json() == openapi_document(ROUTES)


async def test_compressed_and_plain_are_the_same(service: Service) -> None:
    reader = await service.raw(
        b"GET /api/openapi.json HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n",
        end=False,
    )
    head, _, body = reader.partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    plain = await service.request("GET", "/api/openapi.json", headers=PLAIN)
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(body) == plain.body
    assert len(body) < len(plain.body) / 5


@pytest.mark.parametrize("path", ["/docs", "/api/openapi.json"])
async def test_what_has_not_changed_is_not_sent_again(service: Service, path: str) -> None:
    first = await service.request("GET", path)
    again = await service.request("GET", path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/docs/assets/0000000000000000/redoc.js",
        "/docs/assets/0000000000000000/..%2f..%2fetc%2fpasswd",
        "/docs/",
        "/docs/assets/",
    ],
)
async def test_other_files_are_not_found(service: Service, path: str) -> None:
    reply = await service.request("GET", path)
    assert (reply.status, reply.json()["code"]) == (404, "not_found")
