"""The wallet routes: list, look up, resynchronise."""

from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.asking import ask
from vaultsigner.server.pipeline import Pipeline
from vaultsigner.server.received import Received
from vaultsigner.signing.calls import Answer


async def list_wallets(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """GET /api/wallet."""
    return await ask(pipeline, received, pipeline.wallets)


async def show_wallet(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """GET /api/wallet/{name}, where `resync` is a name like any other."""
    name = received.request.match_info["name"]
    return await ask(pipeline, received, lambda call: pipeline.wallet(call, name))


async def resync(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """POST /api/wallet/resync."""
    return await ask(pipeline, received, pipeline.resync)
