"""From a request to the pipeline, its body read: a signature covers the body whatever the method is."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.bodies import read_body
from vaultsigner.server.pipeline import Pipeline
from vaultsigner.server.received import Received
from vaultsigner.signing.calls import Call

Told = TypeVar("Told")


async def ask(
    pipeline: Pipeline,
    received: Received,
    step: Callable[[Call], Awaitable[Told | Refusal]],
    *,
    sync: bool = True,
) -> Told | Refusal:
    """Read the body and let the pipeline take the step; a body that cannot be read is a refusal with its record."""
    body = await read_body(received.request)
    if isinstance(body, Refusal):
        return await pipeline.refused(received.call(), body)
    return await step(received.call(body, sync=sync))
