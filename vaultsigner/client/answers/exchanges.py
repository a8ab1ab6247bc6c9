"""Answers of the routes of exchanges, Open API apps and the partner."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from vaultsigner.client.answers.validation import Decided, unexpected
from vaultsigner.client.errors import (
    ErrorDocument,
    OutcomeUnknownError,
    PartnerError,
    SigningClientError,
    UnexpectedAnswerError,
    error_of,
)
from vaultsigner.client.reply import Reply

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeAnswer(Decided):
    """What the exchange answered.

    Args:
        headers: those of the exchange's that matter, and the service's own, by their names in lower case.
        body: the JSON document; numbers that are not whole are Decimal. None where it is no JSON.
        content: the body, byte for byte.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: Any
    content: bytes = field(repr=False)


class ExchangeRefusedError(SigningClientError):
    """The exchange itself answered with an error; nothing was done there.

    Args:
        answer: the whole of it.
    """

    code = "exchange_refused"

    def __init__(self, answer: ExchangeAnswer) -> None:
        body = answer.body if isinstance(answer.body, dict) else {}
        number, words = body.get("code"), body.get("msg")
        self.answer = answer
        self.status = answer.status
        self.request_id = answer.request_id
        self.exchange_code: int | None = number if isinstance(number, int) else None
        self.exchange_message: str = words if isinstance(words, str) else ""
        super().__init__(f"The exchange answered {answer.status}: {number} {self.exchange_message}")


class ExchangeOutcomeUnknownError(OutcomeUnknownError):
    """The exchange answered in a way that leaves open whether it did what was asked (5xx, -1006, -1007).

    Args:
        answer: the whole of it.
    """

    def __init__(self, answer: ExchangeAnswer) -> None:
        super().__init__(
            ErrorDocument(
                answer.status,
                "outcome_unknown",
                f"The exchange answered {answer.status}, and nobody knows whether it did what was asked: ask it",
                answer.body,
                answer.request_id,
            )
        )
        self.answer = answer


def read_exchange_answer(reply: Reply) -> ExchangeAnswer:
    """The exchange's answer, where it is a good one.

    Raises:
        ExchangeRefusedError, ExchangeOutcomeUnknownError: it is another.
    """
    answer = ExchangeAnswer(
        status=reply.status,
        headers=reply.headers,
        body=reply.json_or_none(),
        content=reply.body,
        request_id=reply.request_id,
        decision=reply.decision,
    )
    if reply.headers.get("x-vaultsigner-outcome") == "unknown":
        raise ExchangeOutcomeUnknownError(answer)
    if not 200 <= reply.status < 300:
        raise ExchangeRefusedError(answer)
    return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedExchangeRequest(Decided):
    """A request to an exchange, complete: send it soon, and as it is."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeMessage:
    """A message of an exchange's WebSocket API, to which an `id` is added before it is sent."""

    method: str
    params: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedExchangeMessage(Decided):
    """The answer's one member."""

    message: ExchangeMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenApiToken(Decided):
    """A token for one request of an Open API app, with the headers and the URL to send it with."""

    token: str = field(repr=False)
    header: str
    headers: Mapping[str, str] = field(repr=False)
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plaintext(Decided):
    """What was decrypted."""

    plaintext: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Envelope:
    code: str
    message: str
    data: Any = None


_ENVELOPE = TypeAdapter(_Envelope)
_TIME, _TASKS = TypeAdapter(int), TypeAdapter(dict[str, bool])


def read_partner_time(reply: Reply) -> int:
    """The service's time, in milliseconds since 1970."""
    return _data(reply, _TIME)


def read_partner_tasks(reply: Reply) -> dict[str, bool]:
    """Which tasks are complete."""
    return _data(reply, _TASKS)


def _data(reply: Reply, adapter: TypeAdapter[T]) -> T:
    try:
        found = _ENVELOPE.validate_python(reply.json_or_none())
    except ValidationError as error:
        told = error_of(reply) if reply.status != 200 else unexpected(reply, error)
        raise told from None
    if found.code != "000000":
        raise PartnerError(
            ErrorDocument(
                reply.status,
                found.code,
                found.message,
                None,
                reply.request_id,
                reply.retry_after_seconds,
            )
        )
    try:
        return adapter.validate_python(found.data)
    except ValidationError:
        raise UnexpectedAnswerError("The partner family's data is of another kind", reply.status) from None
