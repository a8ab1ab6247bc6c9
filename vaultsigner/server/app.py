"""The application: the routes' table made into aiohttp routes, and the pipeline opened for as long as the server runs."""

from collections.abc import AsyncIterator

from aiohttp import HttpVersion11, web

from vaultsigner.config.settings import ServerSettings
from vaultsigner.server.bodies import MAX_BODY_BYTES
from vaultsigner.server.client_address import ClientAddresses
from vaultsigner.server.documents import add_documents
from vaultsigner.server.edge import ADDRESSES, PIPELINE, endpoint_handler
from vaultsigner.server.pipeline import OpenPipeline
from vaultsigner.server.routes import ROUTES


def create_app(settings: ServerSettings, open_pipeline: OpenPipeline) -> web.Application:
    """Make the API's application.

    Args:
        settings: whose word on addresses counts.
        open_pipeline: opens what answers the requests; closed again when the server stops.
    """
    app = web.Application()
    app[ADDRESSES] = ClientAddresses(settings.trusted_proxies)

    async def hold_pipeline(held_by: web.Application) -> AsyncIterator[None]:
        async with open_pipeline() as pipeline:
            held_by[PIPELINE] = pipeline
            yield

    app.cleanup_ctx.append(hold_pipeline)
    for route in ROUTES:
        for path in route.spelled_paths():
            handler = endpoint_handler(path, route.operation, route.endpoint)
            app.router.add_route(route.method, path, handler, expect_handler=invite_body)
    add_documents(app)
    return app


async def invite_body(request: web.Request) -> None:
    """Say `100 Continue`, but not to a body that will be refused for its size: that refusal follows at once."""
    expected = request.headers.get("Expect", "").lower() == "100-continue"
    if expected and request.version == HttpVersion11 and (request.content_length or 0) <= MAX_BODY_BYTES:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
