"""The site is built without a warning, no link in it is broken, and nothing in it comes from another host."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.unit.docs.built_site import REPOSITORY, HtmlPage, build, copied, read_pages
from vaultsigner.server.openapi import openapi_document
from vaultsigner.server.partner_routes import partner_routes
from vaultsigner.server.routes import ROUTES

SECTIONS = ["Start", "Operate", "Integrate", "Policies", "Audit", "Security", "API"]
_ABSOLUTE = re.compile(r"(?:https?:)?//[A-Za-z0-9]")
# Words of comments, licences and namespaces may stand in scripts; what would be fetched begins a text of its own.
_FETCHED_BY_SCRIPT = re.compile(r"""["'`](?:https?:)?//(?!www\.w3\.org/)[a-z0-9.-]+\.[a-z]{2,}""")
_FETCHED_BY_STYLE = re.compile(r"""(?:@import\s+|url\(\s*)["']?(?:https?:)?//""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("site")
    done = build(REPOSITORY, directory)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return directory


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, HtmlPage]:
    return {page.path: page for page in read_pages(site)}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(openapi_document((*ROUTES, *partner_routes("/web3")))))
    return made


def test_no_link_is_broken(site: Path, pages: dict[Path, HtmlPage]) -> None:
    broken = []
    for page in pages.values():
        for target in page.links:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            there = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
            # The page for what is not found stands for any place, and begins its links at the root.
            if page.path.name == "404.html":
                there = site / unquote(parts.path).lstrip("/")
            there = there / "index.html" if there.is_dir() else there
            anchor = unquote(parts.fragment)
            if (
                not there.is_file()
                or not there.is_relative_to(site)
                or (anchor and anchor not in pages[there].ids)
            ):
                broken.append((str(page.path.relative_to(site)), target))
    assert broken == []


def test_nothing_is_loaded_from_another_host(site: Path, pages: dict[Path, HtmlPage]) -> None:
    loaded = {target for page in pages.values() for target in page.loaded}
    assert loaded
    assert [target for target in loaded if _ABSOLUTE.match(target)] == []
    for path in site.rglob("*.js"):
        assert _FETCHED_BY_SCRIPT.findall(path.read_text()) == [], path
    for path in (*site.rglob("*.css"), *pages):
        assert _FETCHED_BY_STYLE.findall(path.read_text()) == [], path


def test_every_page_forbids_other_hosts_to_the_browser(pages: dict[Path, HtmlPage]) -> None:
    for path in pages:
        text = path.read_text()
        assert "Content-Security-Policy" in text, path
        assert "default-src 'none'" in text, path


def test_all_sections_are_in_the_navigation(site: Path) -> None:
    start = (site / "index.html").read_text()
    tabs = re.findall(r'class="md-tabs__link">\s*([^<]+?)\s*</a>', start)
    assert [each for each in tabs if each in SECTIONS] == SECTIONS


def test_every_call_of_the_api_has_its_place(
    site: Path, pages: dict[Path, HtmlPage], document: dict[str, Any]
) -> None:
    ids = {place for path, page in pages.items() if path.parent.name == "api" for place in page.ids}
    index = (site / "api.html").read_text()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert operation["operationId"] in ids
            assert f"{method.upper()} {path}" in index


def test_every_error_and_every_object_is_explained(
    pages: dict[Path, HtmlPage], site: Path, document: dict[str, Any]
) -> None:
    assert set(document["components"]["schemas"]) <= pages[site / "api" / "objects.html"].ids
    answered = {
        reference.rpartition("/")[2]
        for reference in re.findall(
            r'"\$ref": "#/components/examples/([^"]+)"', json.dumps(document["paths"])
        )
    }
    assert answered <= pages[site / "api" / "errors.html"].ids


def test_the_document_itself_is_there_for_programs(site: Path, document: dict[str, Any]) -> None:
    assert json.loads((site / "api" / "openapi.json").read_text()) == document


def test_the_threat_model_and_files_that_pages_name_are_in_it(site: Path) -> None:
    assert "What holds against whom" in (site / "threat-model.html").read_text()
    assert (site / "files" / "config" / "config.yml.txt").read_text() == (
        REPOSITORY / "config/config.yml"
    ).read_text()


@pytest.mark.parametrize(
    "words",
    ["[nowhere](nowhere.md)", "[nowhere](start.md#nowhere)", "[nowhere](../nowhere.yml)"],
    ids=["page", "anchor", "file"],
)
def test_a_broken_link_breaks_the_build(tmp_path: Path, words: str) -> None:
    checkout = copied(tmp_path / "checkout")
    page = checkout / "docs" / "start.md"
    page.write_text(f"{page.read_text()}\n{words}\n")
    done = build(checkout, tmp_path / "site")
    assert done.returncode != 0
    assert "nowhere" in done.stderr


def test_a_page_that_the_navigation_lacks_breaks_the_build(tmp_path: Path) -> None:
    checkout = copied(tmp_path / "checkout")
    (checkout / "docs" / "forgotten.md").write_text("# Forgotten\n")
    done = build(checkout, tmp_path / "site")
    assert done.returncode != 0
    assert "forgotten.md" in done.stderr
