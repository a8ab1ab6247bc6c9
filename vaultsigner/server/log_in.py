"""The log-in route. Its body holds a password: it goes on to custody unread, and every copy made here is wiped."""

from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.bodies import read_secret_body
from vaultsigner.server.pipeline import Pipeline
from vaultsigner.server.received import Received
from vaultsigner.server.wiping import wipe
from vaultsigner.signing.calls import Answer


async def log_in(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """POST /api/auth/login."""
    body = await read_secret_body(received.request)
    if isinstance(body, Refusal):
        return await pipeline.refused(received.call(), body)
    try:
        return await pipeline.log_in(received.call(), body)
    finally:
        wipe(body)
