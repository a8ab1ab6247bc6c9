"""The application: the routes' table made into aiohttp routes, and the pipeline opened for as long as the server runs."""

from collections.abc import AsyncIterator

from aiohttp import HttpVersion11, web

from vaultsigner.config.settings import Partner, ServerSettings
from vaultsigner.server.bodies import MAX_BODY_BYTES
from vaultsigner.server.client_address import ClientAddresses
from vaultsigner.server.console.page import add_console
from vaultsigner.server.documents import add_documents
from vaultsigner.server.edge import ADDRESSES, FAMILIES, PIPELINE, endpoint_handler
from vaultsigner.server.families import Families
from vaultsigner.server.measuring import METER, TRACING, Tracing, request_meter
from vaultsigner.server.partner_routes import partner_routes
from vaultsigner.server.pipeline import OpenPipeline
from vaultsigner.server.routes import ROUTES


def create_app(
    settings: ServerSettings,
    open_pipeline: OpenPipeline,
    partner: Partner | None = None,
    *,
    tracing: Tracing | None = None,
) -> web.Application:
    """Make the API's application.

    Args:
        settings: whose word on addresses counts.
        open_pipeline: opens what answers the requests; closed again when the server stops.
        partner: where the partner family is served; None where it is not.
        tracing: follows requests; None where nobody is to.
    """
    app = web.Application()
    app[ADDRESSES] = ClientAddresses(settings.trusted_proxies)
    app[FAMILIES] = Families(None if partner is None else partner.url_prefix)

    async def hold_pipeline(held_by: web.Application) -> AsyncIterator[None]:
        async with open_pipeline() as pipeline:
            held_by[PIPELINE] = pipeline
            yield

    async def hang_up(held_by: web.Application) -> None:
        held_by[PIPELINE].hang_up()

    app.cleanup_ctx.append(hold_pipeline)
    app.on_shutdown.append(hang_up)
    routes = ROUTES if partner is None else (*ROUTES, *partner_routes(partner.url_prefix))
    app[METER] = request_meter({route.operation for route in routes})
    if tracing is not None:
        app[TRACING] = tracing
    for route in routes:
        for path in route.served_paths():
            handler = endpoint_handler(path, route.operation, route.endpoint, route.family)
            app.router.add_route(route.method, path, handler, expect_handler=invite_body)
    add_documents(app, routes)
    add_console(app)
    return app


async def invite_body(request: web.Request) -> None:
    """Say `100 Continue`, but not to a body that will be refused for its size: that refusal follows at once."""
    expected = request.headers.get("Expect", "").lower() == "100-continue"
    if expected and request.version == HttpVersion11 and (request.content_length or 0) <= MAX_BODY_BYTES:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
