"""The wallet routes: list, look up, resynchronise."""

from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.bodies import read_body
from vaultsigner.server.pipeline import Pipeline
from vaultsigner.server.received import Received
from vaultsigner.signing.calls import Answer


async def list_wallets(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """GET /api/wallet."""
    return await pipeline.wallets(received.call())


async def show_wallet(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """GET /api/wallet/{name}, where `resync` is a name like any other."""
    return await pipeline.wallet(received.call(), received.request.match_info["name"])


async def resync(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """POST /api/wallet/resync."""
    body = await read_body(received.request)
    if isinstance(body, Refusal):
        return await pipeline.refused(received.call(), body)
    return await pipeline.resync(received.call(body))
