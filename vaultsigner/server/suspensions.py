"""The routes of suspensions, for operators."""

from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.asking import ask
from vaultsigner.server.pipeline import Pipeline
from vaultsigner.server.received import Received
from vaultsigner.signing.calls import Answer


async def list_suspensions(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """GET /api/suspensions."""
    return await ask(pipeline, received, pipeline.suspensions)


async def suspend(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """POST /api/suspensions."""
    return await ask(pipeline, received, pipeline.suspend)


async def resume(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """DELETE /api/suspensions/{kind}/{name}."""
    named = received.request.match_info
    kind, name = named["kind"], named["name"]
    return await ask(pipeline, received, lambda call: pipeline.resume(call, kind, name))


async def resume_all(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """DELETE /api/suspensions/all, which ends the suspension of everything and none of the others."""
    return await ask(pipeline, received, lambda call: pipeline.resume(call, "all", ""))
