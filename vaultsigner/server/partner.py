"""The partner family's endpoints, after the Binance Web3 API Specification V0.0.6 (2024-01-09), developers.binance.com."""

from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.asking import ask
from vaultsigner.server.pipeline import Pipeline
from vaultsigner.server.received import Received
from vaultsigner.signing.calls import Answer


async def server_time(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """GET {prefix}/v1/time: unsigned, whatever else was sent along."""
    return await pipeline.partner_time(received.call())


async def task_completion(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """GET, POST, PUT, DELETE {prefix}/v1/task/completion."""
    return await ask(pipeline, received, pipeline.task_completion)
