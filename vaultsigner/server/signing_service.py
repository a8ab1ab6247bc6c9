"""The signing routes: sign one message, or sign it and send it to the node."""

from collections.abc import Sequence

from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.asking import ask
from vaultsigner.server.pipeline import Pipeline
from vaultsigner.server.received import Received
from vaultsigner.signing.calls import Answer

TRUE_WORDS = ("true", "1", "yes", "on", "t", "y")
FALSE_WORDS = ("false", "0", "no", "off", "n", "f")

TWO_SYNCS = Refusal("malformed_request", "The query parameter sync is there more than once")
_NO_BOOLEAN: list[JsonValue] = [
    {"loc": ["query", "sync"], "msg": "value could not be parsed to a boolean", "type": "type_error.bool"}
]
UNKNOWN_SYNC_WORD = Refusal(
    "invalid_fields", "sync is one of true, 1, yes, on, t, y or false, 0, no, off, n, f", detail=_NO_BOOLEAN
)


async def sign(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """POST /api/<message>/sign."""
    return await ask(pipeline, received, pipeline.sign)


async def broadcast(pipeline: Pipeline, received: Received) -> Answer | Refusal:
    """POST /api/<message>/broadcast."""
    query = received.request.rel_url.query
    sync = read_sync(query.getall("sync", ())) if query else True
    if isinstance(sync, Refusal):
        return await pipeline.refused(received.call(), sync)
    return await ask(pipeline, received, pipeline.broadcast, sync=sync)


def read_sync(values: Sequence[str]) -> bool | Refusal:
    """The `sync` query parameter: true unless it says otherwise.

    The old service took every unknown word for false, or, for cancels, every word for true: whoever mistypes it is told so.
    """
    if not values:
        return True
    if len(values) > 1:
        return TWO_SYNCS
    word = values[0].lower()
    if word in TRUE_WORDS:
        return True
    return False if word in FALSE_WORDS else UNKNOWN_SYNC_WORD
