"""The files behind /docs and /redoc: Swagger UI and Redoc from the installed package `offapi`, and a few lines of our own."""

import asyncio
import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from vaultsigner.errors import VaultsignerError

SPECIFICATION = "/api/openapi.json"
ASSETS = "/docs/assets"

_JAVASCRIPT = "text/javascript; charset=utf-8"
_STYLE = "text/css; charset=utf-8"
_PACKAGED: Mapping[str, str] = MappingProxyType(
    {
        "swagger_bundle.js": _JAVASCRIPT,
        "swagger_style.css": _STYLE,
        "redoc.js": _JAVASCRIPT,
    }
)
# Without the bar that would load any other specification: it is of no use here, and has inline styles.
_START_SWAGGER = f"""\
SwaggerUIBundle({{
  url: "{SPECIFICATION}",
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  validatorUrl: null,
}});
"""
# Redoc loads as a module, and modules are named by address: the version of the other file is put in when it is known.
_START_REDOC = f"""\
import {{ init }} from "{{redoc}}";
init("{SPECIFICATION}", {{ disableTelemetry: true }}, document.getElementById("redoc"));
"""
_PAGE_STYLE = "body { margin: 0; }\n"
_OUTSIDE_IMAGES = (
    b"https://cdn.redoc.ly/redoc/logo-mini-full.svg",
    b"https://cdn.redoc.ly/redoc/logo-mini.svg",
)
_NO_IMAGE = b"data:,"


class AssetsError(VaultsignerError):
    """The package with the documents' assets is missing or incomplete."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent.

    Args:
        path: with the content's hash in it, so that it may be kept for ever.
        compressed: the same in gzip.
    """

    path: str
    content_type: str
    body: bytes
    compressed: bytes
    etag: str


def make_asset(name: str, content_type: str, body: bytes) -> Asset:
    """Hash and compress one file."""
    version = hashlib.sha256(body).hexdigest()[:16]
    return Asset(
        path=f"{ASSETS}/{version}/{name}",
        content_type=content_type,
        body=body,
        compressed=gzip.compress(body, mtime=0),
        etag=f'"{version}"',
    )


class DocumentAssets:
    """Reads and compresses the files when the first of them is wanted, off the event loop, and once."""

    def __init__(self) -> None:
        self._loading: asyncio.Task[Mapping[str, Asset]] | None = None

    async def by_name(self) -> Mapping[str, Asset]:
        """Every asset by its plain name.

        Raises:
            AssetsError: the package `offapi` is not as expected.
        """
        if self._loading is None or (self._loading.done() and self._loading.exception() is not None):
            self._loading = asyncio.create_task(asyncio.to_thread(load_assets))
        return await asyncio.shield(self._loading)


def load_assets() -> Mapping[str, Asset]:
    """Read all files; takes some tenths of a second.

    Raises:
        AssetsError: the package `offapi` is not as expected.
    """
    spec = find_spec("offapi")  # found, not imported: importing it would build pages with inline scripts
    if spec is None or not spec.submodule_search_locations:
        raise AssetsError("the package offapi, which has Swagger UI and Redoc, is not installed")
    folder = Path(spec.submodule_search_locations[0])
    try:
        packaged = {name: (folder / name).read_bytes() for name in _PACKAGED}
    except OSError as error:
        raise AssetsError(f"the package offapi lacks a file: {error.filename}") from None
    packaged["redoc.js"] = _without_outside_images(packaged["redoc.js"])
    assets = {name: make_asset(name, _PACKAGED[name], body) for name, body in packaged.items()}
    start_redoc = _START_REDOC.replace("{redoc}", assets["redoc.js"].path)
    for name, content_type, text in (
        ("start_swagger.js", _JAVASCRIPT, _START_SWAGGER),
        ("start_redoc.js", _JAVASCRIPT, start_redoc),
        ("page.css", _STYLE, _PAGE_STYLE),
    ):
        assets[name] = make_asset(name, content_type, text.encode())
    return MappingProxyType(assets)


def _without_outside_images(script: bytes) -> bytes:
    """Redoc shows its maker's logo from its maker's host; the page's policy would refuse it, and say so each time."""
    for address in _OUTSIDE_IMAGES:
        script = script.replace(address, _NO_IMAGE)
    return script
