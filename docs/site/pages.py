"""What mkdocs does besides: pages of the API out of our OpenAPI document, files that pages link to, and no other hosts.

`./run docs` builds the site; `.venv-docs/bin/mkdocs build --strict` alone does the same.
"""

import json
import os
import posixpath
import re
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

from api_pages import DOCUMENT, ApiPages
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

REPOSITORY = Path(__file__).resolve().parents[2]
OF_THE_REPOSITORY = {
    "SECURITY.md": "threat-model.md",
    "CHANGELOG.md": "changelog.md",
    "README.md": "index.md",
}
"""Files above docs/ that have, or are, pages of the site."""
PLACE_OF_FILES = "files"
_INDEX = "<!-- The site has a table of all calls here. -->"
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
# What the scripts of the theme would fetch elsewhere, were it configured to: drawings, missing parts of old browsers, stars.
_ELSEWHERE = re.compile(r"https://(?:unpkg\.com|api\.github\.com|gitlab\.com)/[A-Za-z0-9@._/-]*")
_pages: ApiPages | None = None


def on_config(config: Any) -> Any:
    """The pages of the API follow `api.md` in the navigation."""
    global _pages  # noqa: PLW0603 - mkdocs keeps nothing for hooks between its events
    _pages = ApiPages(_openapi_document())
    for section in config["nav"]:
        if "API" in section:
            section["API"] = [section["API"][0], *({title: place} for title, place in _pages.titles())]
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add what is no file in docs/: pages of the API, pages of the repository, and the files that pages link to."""
    if _pages is None:
        raise PluginError("mkdocs has not told its configuration")
    for place, text in _pages.pages().items():
        files.append(File.generated(config, place, content=text))
    files.append(File.generated(config, DOCUMENT, content=_pages.document()))
    for name in ("SECURITY.md", "CHANGELOG.md"):
        text = (REPOSITORY / name).read_text()
        files.append(File.generated(config, OF_THE_REPOSITORY[name], content=_as_if_in_docs(text)))
    for path in sorted(_linked_files(files)):
        # Shown, not run, by whatever serves the site: as text.
        files.append(
            File.generated(config, f"{PLACE_OF_FILES}/{path}.txt", content=(REPOSITORY / path).read_text())
        )
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Links out of docs/ lead to what the site has of it; a directory's name stays, without a link."""
    if page.file.src_uri == "api.md" and _pages is not None:
        markdown = markdown.replace(_INDEX, _pages.index())
    return _LINK.sub(partial(_led, page.file.src_uri), markdown)


def on_post_build(config: Any) -> None:
    """No script of the site names another host, and the maps of the theme's sources stay away."""
    site = Path(config["site_dir"])
    for path in site.rglob("*.map"):
        path.unlink()
    for path in (site / "assets" / "javascripts").rglob("*.js"):
        text = path.read_text()
        path.write_text(re.sub(r"\n//# sourceMappingURL=\S+", "", _ELSEWHERE.sub("about:blank", text)))
    for path in site.rglob("*.css"):
        path.write_text(re.sub(r"\n?/\*# sourceMappingURL=\S+ \*/", "", path.read_text()))


def _led(page: str, link: re.Match[str]) -> str:
    picture, text, target = link.groups()
    name = _outside(page, target)
    if name is None:
        return link[0]
    if name in OF_THE_REPOSITORY:
        _, hash_, anchor = target.partition("#")
        return f"{picture}[{text}]({OF_THE_REPOSITORY[name]}{hash_}{anchor})"
    return f"{picture}[{text}]({PLACE_OF_FILES}/{name}.txt)" if (REPOSITORY / name).is_file() else text


def _outside(page: str, target: str) -> str | None:
    """What a link from a page to somewhere above docs/ names, from the repository on; None for every other link."""
    path = target.partition("#")[0]
    if not path or ":" in path:
        return None
    there = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), path))
    return None if there == "docs" or there.startswith("docs/") else there


def _linked_files(files: Any) -> set[str]:
    """Files above docs/ that pages link to."""
    found = set()
    for file in files.documentation_pages():
        for _, _, target in _LINK.findall(file.content_string):
            name = _outside(file.src_uri, target)
            if name is None or name in OF_THE_REPOSITORY:
                continue
            there = (REPOSITORY / name).resolve()
            if not there.exists() or not there.is_relative_to(REPOSITORY):
                raise PluginError(f"{file.src_uri} links to {target}, and there is no such file")
            if there.is_file():
                found.add(name)
    return found


def _as_if_in_docs(text: str) -> str:
    """Links of a file above docs/, as they are from inside."""

    def led(link: re.Match[str]) -> str:
        picture, shown, target = link.groups()
        if target.startswith(("#", "http:", "https:", "mailto:")):
            return link[0]
        inside = target.removeprefix("docs/") if target.startswith("docs/") else f"../{target}"
        return f"{picture}[{shown}]({inside})"

    return _LINK.sub(led, text)


def _openapi_document() -> dict[str, Any]:
    """From the program itself, which lives in another environment."""
    python = os.environ.get("VAULTSIGNER_PYTHON", str(REPOSITORY / ".venv" / "bin" / "python"))
    script = Path(__file__).with_name("openapi_document.py")
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and script
            [python, str(script)], cwd=REPOSITORY, capture_output=True, text=True, check=True
        )
    except FileNotFoundError:
        raise PluginError(f"there is no {python}: `./run docs` makes it, and then the site") from None
    except subprocess.CalledProcessError as error:
        raise PluginError(f"the OpenAPI document cannot be made: {error.stderr.strip()[-2000:]}") from None
    found: dict[str, Any] = json.loads(done.stdout)
    return found
