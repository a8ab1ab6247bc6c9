"""The endpoints of those who review the record."""

from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.asking import ask
from vaultsigner.server.pipeline import Pipeline
from vaultsigner.server.received import Received
from vaultsigner.signing.calls import Answer, Streamed


async def summary(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """GET /api/audit/summary."""
    return await ask(pipeline, received, pipeline.audit_summary)


async def records(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """GET /api/audit/records."""
    return await ask(pipeline, received, pipeline.audit_records)


async def csv(pipeline: Pipeline, received: Received) -> Streamed | Refusal:
    """GET /api/audit/records.csv."""
    return await ask(pipeline, received, pipeline.audit_csv)


async def record(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """GET /api/audit/records/{chain}/{seq}."""
    named = received.request.match_info
    chain, seq = named["chain"], named["seq"]
    return await ask(pipeline, received, lambda call: pipeline.audit_record(call, chain, seq))


async def chains(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """GET /api/audit/chains."""
    return await ask(pipeline, received, pipeline.audit_chains)


async def live(pipeline: Pipeline, received: Received) -> Streamed | Refusal:
    """GET /api/audit/live."""
    return await ask(pipeline, received, pipeline.audit_live)


async def limits(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """GET /api/limits."""
    return await ask(pipeline, received, pipeline.limits)
