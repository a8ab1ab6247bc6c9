"""The words for limits: a limit as state counts it, and what those are told who are over one."""

from vaultsigner.config.settings import RateLimit
from vaultsigner.domain.refusals import Refusal
from vaultsigner.signing.approval_refusals import not_granted
from vaultsigner.state import NotCounted, Rate


def rate_of(key: str, limit: RateLimit) -> Rate:
    """A limit of config.yml in state's words. `key` says in words what is counted, for the record."""
    return Rate(key, limit.count, limit.every_seconds * 1000)


def refusal_of(refused: NotCounted) -> Refusal:
    """Why something could not be counted, for the caller."""
    if refused.why == "replayed":
        return Refusal(
            "replayed",
            "This signature was used already: each counts once. Sign the request anew, with a new timestamp",
            reason="the signature was used already",
        )
    if refused.why == "clock":
        return Refusal(
            "state_unavailable",
            "The clock of this server is behind what it knows; nothing signed is accepted until that is over",
            reason="state has forgotten signatures of this time already: a clock has stepped back, or one runs ahead",
        )
    if refused.approval is not None:
        return not_granted(refused.approval)
    return too_many(refused.key or "requests", refused.retry_after_ms or 0)


def too_many(what: str, left_ms: int) -> Refusal:
    """The answer to whoever asks too often. The wait is told in whole seconds: the next that are enough."""
    seconds = max(-(-left_ms // 1000), 1)
    return Refusal(
        "rate_limited",
        f"Too many requests: try again in {seconds} s",
        reason=f"over the limit: {what}",
        retry_after_seconds=seconds,
    )
