"""A refusal is a value: what the caller is told, and what the record keeps."""

from dataclasses import dataclass

from vaultsigner.domain.names import JsonValue


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing was done.

    Args:
        code: machine word, mapped to an HTTP status by `server.statuses` alone.
        message: for people: what is wrong and what to do next.
        detail: the `detail` member of the answer; None means: the same text as `message`.
        reason: what the record says, for failures that must look alike from outside; None means: the message.
        retry_after_seconds: when to try again, where that is known.
    """

    code: str
    message: str
    detail: JsonValue = None
    reason: str | None = None
    retry_after_seconds: int | None = None
