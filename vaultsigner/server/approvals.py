"""The routes of approvals: what waits for others to agree, and their votes."""

from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.asking import ask
from vaultsigner.server.pipeline import Pipeline
from vaultsigner.server.received import Received
from vaultsigner.signing.calls import Answer


async def list_approvals(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """GET /api/approvals."""
    return await ask(pipeline, received, pipeline.approvals)


async def show_approval(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """GET /api/approvals/{id}."""
    approval_id = received.request.match_info["id"]
    return await ask(pipeline, received, lambda call: pipeline.approval(call, approval_id))


async def approve(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """POST /api/approvals/{id}/approve."""
    return await _decide(pipeline, received, approve=True)


async def reject(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """POST /api/approvals/{id}/reject."""
    return await _decide(pipeline, received, approve=False)


async def _decide(pipeline: Pipeline, received: Received, *, approve: bool) -> Answer | Refusal:
    approval_id = received.request.match_info["id"]
    return await ask(
        pipeline, received, lambda call: pipeline.decide_approval(call, approval_id, approve=approve)
    )
