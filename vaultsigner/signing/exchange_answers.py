"""What callers are told of their requests to exchanges, where the exchange's own answer is not all there is to say."""

from collections.abc import AsyncGenerator, Awaitable, Callable

from vaultsigner.dispatch.exchange_body import ExchangeBody
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import AuditError, ExchangeError
from vaultsigner.signing.exchange_journal import BodyDigest

SIGN_ANEW = "Sign the request anew, with a new timestamp, and try again"
LOOK_FIRST = "Ask the exchange what became of it before you repeat it"


def not_sent(reason: str) -> Refusal:
    """The exchange could not be reached."""
    return Refusal(
        "exchange_unavailable",
        f"The exchange cannot be reached; nothing was sent to it. {SIGN_ANEW}",
        reason=reason,
    )


def unknown(reason: str, *, changes: bool) -> Refusal:
    """The exchange was asked, and gave no usable answer."""
    if changes:
        message = f"The exchange gave no usable answer: it may have done what was asked, or not. {LOOK_FIRST}"
        return Refusal("outcome_unknown", message, reason=reason)
    return Refusal("exchange_unavailable", f"The exchange gave no usable answer. {SIGN_ANEW}", reason=reason)


def unrecorded(error: AuditError, *, changes: bool) -> Refusal:
    """The exchange has answered, and nobody may hear it: what it said cannot be recorded."""
    what = f"was sent to the exchange. {LOOK_FIRST}" if changes else "changes nothing: try again later"
    return Refusal(
        error.code,
        f"What the exchange said cannot be recorded, so it may not be answered; the request {what}",
        reason=str(error),
    )


class RecordedBody:
    """A long body on its way to the caller. How it ended is on the record before the last piece of it leaves.

    Args:
        body: as it comes from the exchange.
        ended: records the end: what came, and why it is not all, if so.
    """

    def __init__(
        self, body: ExchangeBody, ended: Callable[[BodyDigest, str | None], Awaitable[None]]
    ) -> None:
        self._body = body
        self._ended = ended

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        """Every piece.

        Raises:
            ExchangeError: the rest does not come, or its end cannot be recorded.
        """
        digest, held, problem = BodyDigest(), b"", "the caller went away"
        try:
            async for piece in self._body:
                digest.add(piece)
                if held:
                    yield held
                held = piece
            problem = ""
        except ExchangeError as error:
            problem = str(error)
            raise
        finally:
            await self._record(digest, problem or None)
        if held:
            yield held

    def close(self) -> None:
        """No more of it is wanted."""
        self._body.close()

    async def _record(self, digest: BodyDigest, problem: str | None) -> None:
        try:
            await self._ended(digest, problem)
        except AuditError as error:
            raise ExchangeError(f"how the answer ended cannot be recorded: {error}") from None
