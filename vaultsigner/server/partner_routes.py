"""The routes of the partner family, under the prefix that config.yml gives it."""

from vaultsigner.domain.names import Operation
from vaultsigner.server import partner
from vaultsigner.server.families import PARTNER
from vaultsigner.server.route import Documentation, Route

_TAG = "Partner"
_BROKEN = ("malformed_request", "unsupported_encoding", "internal_error", "audit_unavailable")
_SIGNED = (
    *("partner_invalid_signature", "partner_invalid_recv_window", "partner_invalid_timestamp"),
    *("partner_invalid_argument", "replayed", "rate_limited", "state_unavailable", "custody_unavailable"),
    *("body_too_large", "request_timeout"),
)
_METHODS = ("GET", "POST", "PUT", "DELETE")


def partner_routes(prefix: str) -> tuple[Route, ...]:
    """The family's table.

    Args:
        prefix: begins with a slash and does not end with one.
    """
    return (_time(f"{prefix}/v1/time"), *(_completion(method, prefix) for method in _METHODS))


def _time(path: str) -> Route:
    return Route(
        "GET",
        (path,),
        Operation("partner.time"),
        partner.server_time,
        Documentation(
            tag=_TAG,
            summary="Tell the server's time",
            description="In milliseconds since 1970, for setting one's clock by. Needs no signature.",
            answer="partner_time",
            answer_example=1704786904123,
            errors=(*_BROKEN, "rate_limited"),
            authenticated=False,
        ),
        PARTNER,
    )


def _completion(method: str, prefix: str) -> Route:
    return Route(
        method,
        (f"{prefix}/v1/task/completion",),
        Operation("partner.task_completion"),
        partner.task_completion,
        Documentation(
            tag=_TAG,
            summary=f"Say which tasks a wallet has done ({method})",
            description="The header `signature` is the base64 RSASSA-PKCS1-v1_5 signature with SHA-256 over the parameters as "
            "decoded, `name=value` joined by `&` in the order sent. They stand in the query, or in a form body, never in both.",
            answer="partner_tasks",
            answer_example={"deposit": True, "withdrawal": False},
            errors=(*_BROKEN, *_SIGNED),
            form="partner_tasks_request",
        ),
        PARTNER,
    )
