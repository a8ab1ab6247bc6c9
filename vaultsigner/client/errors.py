"""What can go wrong for a caller. Everything that is raised on purpose is a `SigningClientError`.

A request was done exactly where its method returns; where it raises, the class says what is known:

- `NotSentError`: the service was not reached, nothing was done;
- `OutcomeUnknownError`: it may have been done: ask before you ask again (`resync`, or the exchange);
- any other `ServiceError`: the service refused, nothing was sent to a node or an exchange but where the code says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from vaultsigner.client.reply import Reply
from vaultsigner.errors import VaultsignerError


class SigningClientError(VaultsignerError):
    """The root of what this package raises."""

    code = "client_error"


class CredentialsError(SigningClientError):
    """The credentials cannot be used: a file that is not there, a key of another kind, none where some are needed."""


class NotSentError(SigningClientError):
    """No connection: nothing was sent, so nothing was done."""

    code = "not_sent"


class ConnectionLostError(SigningClientError):
    """The whole answer did not come, on a request that changes nothing: the connection ended, or a proxy answered with a 5xx."""

    code = "connection_lost"


class UnexpectedAnswerError(SigningClientError):
    """The answer is not one of vaultsigner's: something else listens there, or stands between.

    Args:
        status: the HTTP status; 0 where there is none.
    """

    code = "unexpected_answer"

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class ErrorDocument:
    """What the service says of an error.

    Args:
        status: the HTTP status; 0 where there was no answer.
        code: which error, for programs: `policy_denied`.
        message: what is wrong and what to do, for people.
        detail: the same in the old service's words, or a list of what is wrong with each field.
        request_id: names the request in the audit record; empty where there was no answer.
        retry_after_seconds: when to try again, where the service says so.
    """

    status: int
    code: str
    message: str
    detail: Any = None
    request_id: str = ""
    retry_after_seconds: float | None = None


class ServiceError(SigningClientError):
    """The service answered with an error. Subclasses for what callers treat differently; `code` tells the rest apart."""

    def __init__(self, document: ErrorDocument) -> None:
        super().__init__(f"{document.code}: {document.message}")
        self.document = document
        self.status = document.status
        self.code = document.code
        self.message = document.message
        self.detail = document.detail
        self.request_id = document.request_id
        self.retry_after_seconds = document.retry_after_seconds

    @property
    def retry_after(self) -> float | None:
        """`retry_after_seconds`, by the header's name."""
        return self.retry_after_seconds


class MalformedRequestError(ServiceError):
    """400, 413, 415 and their like: the request has no meaning."""


class AuthenticationError(ServiceError):
    """Who asks could not be shown: a wrong password, key or token, or a clock that is off."""


class NotAllowedError(ServiceError):
    """403: permissions or an address list of config.yml say no."""


class PolicyDeniedError(NotAllowedError):
    """403 `policy_denied`: no rule allows it, or one denies it."""


class SuspendedError(NotAllowedError):
    """403 `suspended`: an operator has stopped the caller, the target or everything."""


class ApprovalNotGrantedError(NotAllowedError):
    """The approval was rejected, has expired, is used, or is not for this request."""


class NotFoundError(ServiceError):
    """404: it is not there, or not yours."""


class ConflictError(ServiceError):
    """409: `wallet_busy`, `sequence_held`, `account_not_found`, `approval_closed`."""


class ReplayedError(ConflictError):
    """409 `replayed`: these very bytes were used before, e.g. by another process with the same key in the same millisecond."""


class InvalidFieldsError(ServiceError):
    """422: `detail` lists what is wrong with each field."""


class RateLimitedError(ServiceError):
    """429 `rate_limited`: too many requests; nothing was used up."""


class LimitExceededError(RateLimitedError):
    """429 `limit_exceeded`: a limit of policy; nothing was used up, and `retry_after_seconds` says when it eases."""


class UpstreamError(ServiceError):
    """502: a node or an exchange refused, or was not reached."""


class UnavailableError(ServiceError):
    """503: Vault, state, the record or custody is not available."""


class OutcomeUnknownError(ServiceError):
    """It may have been done, or not: 504 `outcome_unknown`, or no answer (`no_answer`, status 0). Never repeated by itself."""


class PartnerError(ServiceError):
    """The partner family's envelope with another code than 000000."""


class ApprovalTimeoutError(SigningClientError):
    """Others have not agreed within the deadline. The approval stays open until it expires."""

    code = "approval_timeout"


_BY_CODE: Mapping[str, type[ServiceError]] = MappingProxyType(
    {
        "bad_credentials": AuthenticationError,
        "invalid_token": AuthenticationError,
        "policy_denied": PolicyDeniedError,
        "suspended": SuspendedError,
        "approval_not_granted": ApprovalNotGrantedError,
        "replayed": ReplayedError,
        "limit_exceeded": LimitExceededError,
        "outcome_unknown": OutcomeUnknownError,
    }
)
_BY_STATUS: Mapping[int, type[ServiceError]] = MappingProxyType(
    {
        401: AuthenticationError,
        403: NotAllowedError,
        404: NotFoundError,
        409: ConflictError,
        422: InvalidFieldsError,
        429: RateLimitedError,
        502: UpstreamError,
        503: UnavailableError,
        504: OutcomeUnknownError,
    }
)


def is_error_document(document: object) -> bool:
    """Whether a body has vaultsigner's error shape, as nothing that an exchange says has: a word for code, and a request id."""
    return (
        isinstance(document, dict)
        and isinstance(document.get("code"), str)
        and isinstance(document.get("message"), str)
        and isinstance(document.get("request_id"), str)
    )


def error_of(reply: Reply) -> SigningClientError:
    """The error that a reply tells."""
    found = reply.json_or_none()
    if not isinstance(found, dict) or not is_error_document(found):
        return _stopped_on_the_way(reply)
    document = ErrorDocument(
        reply.status,
        found["code"],
        found["message"],
        found.get("detail"),
        found["request_id"],
        reply.retry_after_seconds,
    )
    fallback = MalformedRequestError if 400 <= reply.status < 500 else ServiceError
    return _BY_CODE.get(document.code, _BY_STATUS.get(reply.status, fallback))(document)


def _stopped_on_the_way(reply: Reply) -> SigningClientError:
    """What a proxy says in its own words: too large and too many before it asks the service, any 5xx perhaps after it did."""
    status = reply.status
    unseen = "refused on the way (by a proxy, perhaps) before vaultsigner saw it: nothing was signed or sent"
    if status == 413:
        message = f"The request is too large and was {unseen}"
        return MalformedRequestError(ErrorDocument(status, "body_too_large", message))
    if status == 429:
        message = f"There are too many requests, and this one was {unseen}"
        return RateLimitedError(
            ErrorDocument(status, "rate_limited", message, retry_after_seconds=reply.retry_after_seconds)
        )
    told = f"HTTP {status} without an error document of vaultsigner's"
    if status >= 500:
        return ConnectionLostError(
            f"{told}: a proxy, perhaps, got no answer from it, and whether it had the request is unknown"
        )
    return UnexpectedAnswerError(told, status)


def no_answer(reason: Exception) -> OutcomeUnknownError:
    """The connection was lost on a request that may have done something."""
    return OutcomeUnknownError(
        ErrorDocument(0, "no_answer", f"The answer did not come, the request may have been done: {reason}")
    )
