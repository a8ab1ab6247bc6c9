"""The one module that knows HTTP statuses: every refusal code and the status it is answered with."""

from collections.abc import Mapping
from types import MappingProxyType

OK = 200
APPROVAL_REQUIRED = 202
NOT_MODIFIED = 304
NOT_READY = 503

STATUS_FOR_CODE: Mapping[str, int] = MappingProxyType(
    {
        "ok": OK,
        "approval_required": APPROVAL_REQUIRED,
        "malformed_body": 400,
        "malformed_request": 400,
        "malformed_parameters": 400,
        "missing_wallet_name": 400,
        "bad_credentials": 400,
        "decryption_failed": 400,
        "not_authenticated": 401,
        "authentication_failed": 401,
        "invalid_token": 403,
        "address_not_allowed": 403,
        "no_permission": 403,
        "policy_denied": 403,
        "approval_not_granted": 403,
        "suspended": 403,
        "wallet_not_found": 404,
        "exchange_not_found": 404,
        "open_api_app_not_found": 404,
        "approval_not_found": 404,
        "record_not_found": 404,
        "not_found": 404,
        "method_not_allowed": 405,
        "request_timeout": 408,
        "replayed": 409,
        "approval_closed": 409,
        "sequence_held": 409,
        "wallet_busy": 409,
        "account_not_found": 409,
        "body_too_large": 413,
        "unsupported_encoding": 415,
        "expectation_failed": 417,
        "invalid_fields": 422,
        "rate_limited": 429,
        "limit_exceeded": 429,
        "internal_error": 500,
        "bad_question": 500,
        "node_refused": 502,
        "node_unavailable": 502,
        "exchange_unavailable": 502,
        "open_api_unavailable": 502,
        "open_api_refused": 502,
        "retry_refused": 502,
        "custody_unavailable": 503,
        "policy_mismatch": 503,
        "vault_unavailable": 503,
        "vault_sealed": 503,
        "vault_denied": 503,
        "key_missing": 503,
        "key_malformed": 503,
        "wrong_key": 503,
        "state_unavailable": 503,
        "suspensions_unknown": 503,
        "audit_unavailable": 503,
        "documents_busy": 503,
        "record_unreadable": 503,
        "outcome_unknown": 504,
        "partner_invalid_signature": OK,
        "partner_invalid_recv_window": OK,
        "partner_invalid_timestamp": OK,
        "partner_invalid_argument": OK,
    }
)
PARTNER_OPERATIONS = "partner."
"""What the names of the partner family's operations begin with."""
_OK_IN_ENVELOPE = frozenset({"rate_limited", "replayed", "malformed_request", "malformed_parameters"})
"""What the partner specification has a code of its own for: that code is the answer, and HTTP's status says that it is one."""
_HTTP_IN_ENVELOPE = frozenset(
    {
        *("not_found", "method_not_allowed", "request_timeout"),
        *("body_too_large", "unsupported_encoding", "expectation_failed"),
    }
)
"""What the partner specification does not speak of, because it never gets as far as one of its endpoints."""

CLOSES_CONNECTION = frozenset({"malformed_request", "request_timeout", "body_too_large"})
"""After these the rest of the connection cannot be trusted to start with a new request."""

_CODE_FOR_STATUS: Mapping[int, str] = MappingProxyType(
    {404: "not_found", 405: "method_not_allowed", 413: "body_too_large", 417: "expectation_failed"}
)
_RETRY_AFTER_SECONDS: Mapping[int, int] = MappingProxyType({429: 1, 503: 1})


def status_of(code: str, operation: str = "") -> int:
    """The status a refusal code (or `ok`) is answered with; a code that nobody listed is our mistake: 500.

    Args:
        operation: what was asked for, since the partner family answers otherwise than the others.
    """
    status = STATUS_FOR_CODE.get(code, 500)
    return _partner_status(code, status) if operation.startswith(PARTNER_OPERATIONS) else status


def _partner_status(code: str, status: int) -> int:
    """5xx for our own faults alone; a refusal that this family should never come to is one of them."""
    if code in _OK_IN_ENVELOPE:
        return OK
    return status if status == OK or is_our_fault(status) or code in _HTTP_IN_ENVELOPE else 500


def is_our_fault(status: int) -> bool:
    """Whether a status says that the trouble is on this side."""
    return status >= 500


def code_of(status: int) -> str:
    """The refusal code for a status that the HTTP library chose itself."""
    return _CODE_FOR_STATUS.get(status, "malformed_request")


def retry_after_seconds(status: int, told: int | None) -> int | None:
    """When to try again: what the refusal says, else one second where the trouble passes by itself."""
    return told if told is not None else _RETRY_AFTER_SECONDS.get(status)
