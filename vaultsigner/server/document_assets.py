"""The files behind /docs and /redoc: Swagger UI and Redoc from the installed package `offapi`, and a few lines of our own."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from vaultsigner.errors import VaultsignerError
from vaultsigner.server.assets import JAVASCRIPT, STYLE, Asset, make_asset

SPECIFICATION = "/api/openapi.json"
ASSETS = "/docs/assets"

_PACKAGED: Mapping[str, str] = MappingProxyType(
    {
        "swagger_bundle.js": JAVASCRIPT,
        "swagger_style.css": STYLE,
        "redoc.js": JAVASCRIPT,
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
    assets = {name: make_asset(ASSETS, name, _PACKAGED[name], body) for name, body in packaged.items()}
    start_redoc = _START_REDOC.replace("{redoc}", assets["redoc.js"].path)
    for name, content_type, text in (
        ("start_swagger.js", JAVASCRIPT, _START_SWAGGER),
        ("start_redoc.js", JAVASCRIPT, start_redoc),
        ("page.css", STYLE, _PAGE_STYLE),
    ):
        assets[name] = make_asset(ASSETS, name, content_type, text.encode())
    return MappingProxyType(assets)


def _without_outside_images(script: bytes) -> bytes:
    """Redoc shows its maker's logo from its maker's host; the page's policy would refuse it, and say so each time."""
    for address in _OUTSIDE_IMAGES:
        script = script.replace(address, _NO_IMAGE)
    return script
