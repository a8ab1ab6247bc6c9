"""The route that tells why policy decides as it does."""

from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.asking import ask
from vaultsigner.server.pipeline import Pipeline
from vaultsigner.server.received import Received
from vaultsigner.signing.calls import Answer


async def explain(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """POST /api/policy/explain."""
    return await ask(pipeline, received, pipeline.explain)
