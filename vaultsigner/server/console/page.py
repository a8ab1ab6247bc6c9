"""Serves the console's page and its files, which come from this server alone; everything that they show comes from the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from aiohttp import web

from vaultsigner.errors import VaultsignerError
from vaultsigner.server.assets import (
    ASK_EACH_TIME,
    FOR_EVER,
    HTML,
    JAVASCRIPT,
    STYLE,
    Asset,
    LoadedOnce,
    make_asset,
    send_asset,
    version_of,
)
from vaultsigner.server.downloads import Downloads

ADDRESS = "/console"
ASSETS = "/console/assets"
PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        # No text can become markup or script, not even by a mistake of ours: browsers refuse it where it would happen.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
_OWN = Path(__file__).parent / "web"
_VENDOR = Path(__file__).parent / "vendor"
_PLOT_SCRIPT, _PLOT_STYLE = "uplot.js", "uplot.css"
_TYPES: Mapping[str, str] = MappingProxyType({".js": JAVASCRIPT, ".css": STYLE})


class ConsoleFilesError(VaultsignerError):
    """The package lacks the console's files."""


@dataclass(frozen=True, slots=True)
class ConsoleFiles:
    """The page, and by their names the files that it loads."""

    page: Asset
    assets: Mapping[str, Asset]


def add_console(app: web.Application) -> None:
    """Add the console's routes to the API's application."""
    files, downloads = LoadedOnce(load_console), Downloads()

    async def send_page(request: web.Request) -> web.StreamResponse:
        page = (await files.get()).page
        return await send_asset(downloads, request, page, policy=PAGE_POLICY, cache=ASK_EACH_TIME)

    async def send_file(request: web.Request) -> web.StreamResponse:
        asset = (await files.get()).assets.get(request.match_info["name"])
        if asset is None or asset.path != request.rel_url.raw_path:
            raise web.HTTPNotFound
        return await send_asset(downloads, request, asset, policy=PAGE_POLICY, cache=FOR_EVER)

    app.router.add_route("GET", ADDRESS, send_page)
    app.router.add_route("GET", f"{ASSETS}/{{version}}/{{name}}", send_file)


def load_console(vendor: Path = _VENDOR) -> ConsoleFiles:
    """Read all files. Without the library for plots the console works, and says how to get it.

    Scripts import each other by relative addresses: all have the version of the whole set in theirs.

    Args:
        vendor: where the library for plots is, or is not.

    Raises:
        ConsoleFilesError: the package lacks its own files.
    """
    try:
        bodies = {path.name: path.read_bytes() for path in sorted(_OWN.iterdir()) if path.suffix in _TYPES}
        template = (_OWN / "index.html").read_text(encoding="utf-8")
    except OSError as error:
        raise ConsoleFilesError(f"the console's files cannot be read: {error.filename}") from None
    bodies |= _plot_files(vendor)
    version = version_of(*(part for name, body in bodies.items() for part in (name.encode(), body)))
    assets = {
        name: make_asset(ASSETS, name, _TYPES[Path(name).suffix], body, version)
        for name, body in bodies.items()
    }
    styles = [assets[name].path for name in (_PLOT_STYLE, "console.css") if name in assets]
    text = (
        template.replace("{folder}", f"{ASSETS}/{version}")
        .replace("{styles}", "".join(f'<link rel="stylesheet" href="{path}">\n' for path in styles))
        .replace("{plot}", "yes" if _PLOT_SCRIPT in assets else "missing")
    )
    return ConsoleFiles(make_asset(ASSETS, "page.html", HTML, text.encode()), MappingProxyType(assets))


def _plot_files(vendor: Path) -> dict[str, bytes]:
    """uPlot, where `./run` has put it; both files or neither."""
    try:
        return {name: (vendor / name).read_bytes() for name in (_PLOT_SCRIPT, _PLOT_STYLE)}
    except OSError:
        return {}
