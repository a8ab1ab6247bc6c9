"""/api/openapi.json, /docs (Swagger UI) and /redoc (Redoc): everything comes from this server, and nothing inline runs."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping

from aiohttp import web

from vaultsigner.server.assets import ASK_EACH_TIME, FOR_EVER, HTML, Asset, LoadedOnce, make_asset, send_asset
from vaultsigner.server.document_assets import ASSETS, SPECIFICATION, load_assets
from vaultsigner.server.downloads import Downloads
from vaultsigner.server.openapi import openapi_document
from vaultsigner.server.route import Route

_EMPTY_STYLE_SHA256 = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        # Redoc's styles are added by script to style elements that are empty in the page: the hash of nothing lets these in.
        f"style-src 'self' '{_EMPTY_STYLE_SHA256}'",
        "img-src 'self' data:",
        "font-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_documents(app: web.Application, routes: Iterable[Route]) -> None:
    """Add the documents' routes to the API's application, whose own routes they describe."""
    assets, downloads = LoadedOnce(load_assets), Downloads()
    specification = json.dumps(openapi_document(routes), ensure_ascii=False, separators=(",", ":"))
    openapi = make_asset(ASSETS, "openapi.json", "application/json", specification.encode())

    async def send_openapi(request: web.Request) -> web.StreamResponse:
        return await send_asset(downloads, request, openapi, policy=PAGE_POLICY, cache=ASK_EACH_TIME)

    async def send_file(request: web.Request) -> web.StreamResponse:
        asset = (await assets.get()).get(request.match_info["name"])
        if asset is None or asset.path != request.rel_url.raw_path:
            raise web.HTTPNotFound
        return await send_asset(downloads, request, asset, policy=PAGE_POLICY, cache=FOR_EVER)

    app.router.add_route("GET", SPECIFICATION, send_openapi)
    app.router.add_route("GET", "/docs", _page(assets, downloads, _swagger_page))
    app.router.add_route("GET", "/redoc", _page(assets, downloads, _redoc_page))
    app.router.add_route("GET", f"{ASSETS}/{{version}}/{{name}}", send_file)


def _page(
    assets: LoadedOnce[Mapping[str, Asset]], downloads: Downloads, write: Callable[[Mapping[str, Asset]], str]
) -> Handler:
    """A handler for one page, which is written once its assets' addresses are known."""

    async def send(request: web.Request) -> web.StreamResponse:
        page = make_asset(ASSETS, "page.html", HTML, write(await assets.get()).encode())
        return await send_asset(downloads, request, page, policy=PAGE_POLICY, cache=ASK_EACH_TIME)

    return send


def _swagger_page(assets: Mapping[str, Asset]) -> str:
    scripts = ("swagger_bundle.js", "start_swagger.js")
    tags = "".join(f'<script src="{assets[name].path}"></script>\n' for name in scripts)
    return _html(
        "vaultsigner API",
        assets["swagger_style.css"],
        assets["page.css"],
        body=f'<div id="swagger-ui"></div>\n{tags}',
    )


def _redoc_page(assets: Mapping[str, Asset]) -> str:
    tag = f'<script type="module" src="{assets["start_redoc.js"].path}"></script>\n'
    return _html("vaultsigner API reference", assets["page.css"], body=f'<div id="redoc"></div>\n{tag}')


def _html(title: str, *styles: Asset, body: str) -> str:
    links = "".join(f'<link rel="stylesheet" href="{style.path}">\n' for style in styles)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{title}</title>\n<link rel="icon" href="data:,">\n{links}</head>\n<body>\n{body}</body>\n</html>\n'
    )
