"""The route that does nothing but prove who asks: for trying out one's signature."""

from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.asking import ask
from vaultsigner.server.pipeline import Pipeline
from vaultsigner.server.received import Received
from vaultsigner.signing.calls import Answer


async def check(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """GET, POST, PUT, DELETE /api/auth/check."""
    return await ask(pipeline, received, pipeline.check)
