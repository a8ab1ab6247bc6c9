"""The exchange endpoints: ask an exchange, or have a request to it signed."""

from vaultsigner.domain.paths import forwarded_place
from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.asking import ask
from vaultsigner.server.pipeline import Pipeline
from vaultsigner.server.received import Received
from vaultsigner.signing.calls import Answer, Streamed


async def forward(pipeline: Pipeline, received: Received) -> Streamed | Answer | Refusal:
    """/exchange/{name}/{path...}: the path goes on as it was sent, so that what is refused in it is refused as it was sent."""
    place = forwarded_place(received.request.rel_url.raw_path)
    if place is None:
        raise ValueError("routed here from elsewhere")
    name, path = place
    return await ask(pipeline, received, lambda call: pipeline.forward(call, name, path))


async def sign(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """POST /api/exchange/{name}/sign."""
    name = received.request.match_info["name"]
    return await ask(pipeline, received, lambda call: pipeline.sign_for_exchange(call, name))
