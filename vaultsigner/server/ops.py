"""Health for operators and orchestrators, and numbers for Prometheus, on a port of its own that is never public."""

from aiohttp import web

from vaultsigner.domain.names import JsonValue
from vaultsigner.server import statuses
from vaultsigner.server.answers import PRIVATE_HEADERS, encode_json
from vaultsigner.server.measuring import METER
from vaultsigner.server.metrics import exposition
from vaultsigner.server.pipeline import Pipeline, Readiness
from vaultsigner.telemetry.requests import RequestMeter

_PLURALS = {"wallet": "wallets", "exchange": "exchanges", "open_api": "open_api"}
PIPELINE: web.AppKey[Pipeline] = web.AppKey("pipeline", Pipeline)


def create_ops_app(pipeline: Pipeline, meter: RequestMeter) -> web.Application:
    """Make the operations application.

    Args:
        pipeline: tells how it is.
        meter: has counted the requests.
    """
    app = web.Application()
    app[PIPELINE] = pipeline
    app[METER] = meter
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/readyz", _readyz)
    app.router.add_get("/metrics", _metrics)
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
            **_standings(readiness),
        },
    )


async def _metrics(request: web.Request) -> web.Response:
    """Everything that is counted, for Prometheus to fetch."""
    told = await request.app[PIPELINE].metrics()
    body, media_type = exposition(
        [*request.app[METER].metrics(), *told], ",".join(request.headers.getall("Accept", ()))
    )
    return web.Response(body=body, headers={**PRIVATE_HEADERS, "Content-Type": media_type})


def _standings(readiness: Readiness) -> dict[str, JsonValue]:
    """What there is none of is left out."""
    return {
        _PLURALS[kind]: {
            name: {"ready": standing.ready, **({} if standing.ready else {"reason": standing.reason})}
            for name, standing in named.items()
        }
        for kind, named in readiness.standings.items()
        if named
    }


def _answer(status: int, body: dict[str, JsonValue]) -> web.Response:
    return web.Response(body=encode_json(body), status=status, headers=PRIVATE_HEADERS)
