"""The families of routes, and how each tells what came of a request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from vaultsigner.domain.names import RequestId
from vaultsigner.domain.paths import FORWARDED
from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.answers import answer_response, refusal_response
from vaultsigner.server.exchange_errors import exchange_answer, exchange_refusal
from vaultsigner.server.partner_envelope import enveloped_answer, enveloped_refusal
from vaultsigner.signing.calls import Answer


@dataclass(frozen=True, slots=True)
class Family:
    """What routes have in common.

    Args:
        answer: makes a good answer's response.
        refusal: makes a refusal's response, with these headers on top.
        signature_header: whether signatures travel in the header `signature`.
    """

    answer: Callable[[Answer, RequestId], web.Response]
    refusal: Callable[[Refusal, RequestId, Mapping[str, str]], web.Response]
    signature_header: bool = False


BARE = Family(answer_response, refusal_response)
"""Bare objects, and errors in our own shape."""
EXCHANGE = Family(exchange_answer, exchange_refusal)
"""What exchanges answer, as they answer it; our errors with a member more, for exchanges' clients."""
PARTNER = Family(enveloped_answer, enveloped_refusal, signature_header=True)


class Families:
    """Finds a path's family, which every path has, whether anything is served there or not.

    Args:
        partner_prefix: where the partner family is; None where there is none.
    """

    def __init__(self, partner_prefix: str | None = None) -> None:
        self._partner_prefix = partner_prefix

    def at(self, path: str) -> Family:
        """The family that answers for a path.

        Args:
            path: decoded, so that another spelling of the prefix is answered as the prefix is.
        """
        if self._is_partners(path):
            return PARTNER
        return EXCHANGE if path.startswith(FORWARDED) else BARE

    def on_record(self, path: str) -> bool:
        """Whether a request for a path that nobody serves is on the record: strangers' guesses elsewhere would fill it."""
        return path.startswith(("/api/", FORWARDED)) or self._is_partners(path)

    def _is_partners(self, path: str) -> bool:
        prefix = self._partner_prefix
        return prefix is not None and (path == prefix or path.startswith(f"{prefix}/"))
