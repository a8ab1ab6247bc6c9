"""Builds the site as `./run docs` does, and reads what came out."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
MKDOCS = REPOSITORY / ".venv-docs" / "bin" / "mkdocs"


@dataclass(slots=True)
class HtmlPage:
    """What a page names.

    Args:
        ids: places in it that links may lead to.
        links: where a reader may go from it.
        loaded: what a browser fetches to show it: scripts, styles, pictures, frames, fonts.
    """

    path: Path
    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self, page: HtmlPage) -> None:
        super().__init__()
        self._page = page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One tag."""
        named = dict(attrs)
        self._page.ids.update(
            value for name in ("id", "name") if (value := named.get(name)) and tag != "meta"
        )
        if tag == "a" and (target := named.get("href")) is not None:
            self._page.links.append(target)
        fetched = [named.get(name) for name in ("src", "srcset", "data", "poster", "action", "background")]
        if tag == "link" and named.get("rel") not in ("canonical", "prev", "next"):
            fetched.append(named.get("href"))
        self._page.loaded += [each for each in fetched if each]


def read_pages(site: Path) -> Iterator[HtmlPage]:
    """Every page of a site."""
    for path in sorted(site.rglob("*.html")):
        page = HtmlPage(path)
        _Reader(page).feed(path.read_text())
        yield page


def build(source: Path, site: Path) -> "subprocess.CompletedProcess[str]":
    """Build the site of a checkout, strictly."""
    assert MKDOCS.exists(), "`./run test` and `./run docs` make .venv-docs"
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "VAULTSIGNER_PYTHON": sys.executable}
    return subprocess.run(
        [MKDOCS, "build", "--strict", "--site-dir", str(site)],
        cwd=source,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def copied(to: Path) -> Path:
    """All that the site is made from, for a test to change."""
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--", ":!tests", ":!vaultsigner"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in tracked:
        if (REPOSITORY / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPOSITORY / name, to / name)
    return to
