"""From a reply's JSON to the frozen answer that a caller gets. Members that this version does not know are left alone."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from vaultsigner.client.errors import UnexpectedAnswerError
from vaultsigner.client.reply import Decision, Reply

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Every answer that is one object.

    Args:
        request_id: names the request in the audit record.
    """

    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided(Answered):
    """An answer that a rule allowed.

    Args:
        decision: which one, and where the record stands.
    """

    decision: Decision | None = None


def reading(kind: type[T]) -> Callable[[Reply], T]:
    """What reads answers of a kind.

    The function that is returned raises UnexpectedAnswerError where members are missing or of another kind.
    """
    adapter: TypeAdapter[T] = TypeAdapter(kind)

    def read(reply: Reply) -> T:
        try:
            answer = adapter.validate_python(reply.json_or_none())
        except ValidationError as error:
            raise unexpected(reply, error) from None
        return with_place(answer, reply)

    return read


def with_place(answer: T, reply: Reply) -> T:
    """The answer with what the headers say of it: its request id, and what decided."""
    if isinstance(answer, Decided):
        return replace(answer, request_id=reply.request_id, decision=reply.decision)
    return replace(answer, request_id=reply.request_id) if isinstance(answer, Answered) else answer


def unexpected(reply: Reply, error: ValidationError) -> UnexpectedAnswerError:
    """Says where an answer is not as it should be, and not what stands there, which may be a secret."""
    places = sorted(
        {".".join(map(str, each["loc"])) or "the whole" for each in error.errors(include_url=False)}
    )
    return UnexpectedAnswerError(
        f"HTTP {reply.status}, but not an answer as vaultsigner gives it: {', '.join(places[:5])}",
        reply.status,
    )
