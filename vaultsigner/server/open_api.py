"""The Open API endpoints: tokens, decryption, and both around one request."""

from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.asking import ask
from vaultsigner.server.pipeline import Pipeline
from vaultsigner.server.received import Received
from vaultsigner.signing.calls import Answer


async def token(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """POST /api/open_api/{name}/token."""
    app = received.request.match_info["name"]
    return await ask(pipeline, received, lambda call: pipeline.open_api_token(call, app))


async def decrypt(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """POST /api/open_api/{name}/decrypt."""
    app = received.request.match_info["name"]
    return await ask(pipeline, received, lambda call: pipeline.open_api_decrypt(call, app))


async def user_data(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """GET /api/open_api/{name}/user-data."""
    app = received.request.match_info["name"]
    return await ask(pipeline, received, lambda call: pipeline.open_api_user_data(call, app))
