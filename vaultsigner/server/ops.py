"""Health for operators and orchestrators, on a port of its own that is never public."""

from aiohttp import web

from vaultsigner.domain.names import JsonValue
from vaultsigner.server import statuses
from vaultsigner.server.answers import PRIVATE_HEADERS, encode_json
from vaultsigner.server.pipeline import Pipeline

PIPELINE: web.AppKey[Pipeline] = web.AppKey("pipeline", Pipeline)


def create_ops_app(pipeline: Pipeline) -> web.Application:
    """Make the operations application."""
    app = web.Application()
    app[PIPELINE] = pipeline
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/readyz", _readyz)
    return app


async def _healthz(_request: web.Request) -> web.Response:
    """The process runs and its event loop turns."""
    return _answer(statuses.OK, {"status": "ok"})


async def _readyz(request: web.Request) -> web.Response:
    """Signatures can be made now, or why not."""
    readiness = await request.app[PIPELINE].ready()
    return _answer(
        statuses.OK if readiness.ok else statuses.NOT_READY,
        {
            "status": "ready" if readiness.ok else "not ready",
            "problems": list(readiness.problems),
            **({"warnings": list(readiness.warnings)} if readiness.warnings else {}),
        },
    )


def _answer(status: int, body: dict[str, JsonValue]) -> web.Response:
    return web.Response(body=encode_json(body), status=status, headers=PRIVATE_HEADERS)
