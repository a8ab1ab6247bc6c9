"""Making a request one that an exchange takes: with its API key, its time, and a signature of its secret.

Custody encodes the request itself, from what it asks for; nothing that is signed comes from the server as bytes, but a JSON
body, which is covered as the caller sent it and means `exchange.other` to policies.
"""

import hashlib
from collections.abc import Callable
from functools import partial

from vaultsigner.authentication.windows import in_exchange_window
from vaultsigner.config.settings import Exchange, Settings
from vaultsigner.custody.admission import Admission
from vaultsigner.custody.exchange_asked import ExchangeAsked
from vaultsigner.custody.exchange_protocol import ExchangeSignature, SignExchangeRequest
from vaultsigner.custody.exchange_secrets import ExchangeSecrets
from vaultsigner.custody.tickets import SignedBefore, Ticket, Tickets
from vaultsigner.domain.names import ExchangeName
from vaultsigner.errors import CustodyError
from vaultsigner.formats.exchange.encoding import finish, prepare

LARGEST_SIGNED_BYTES = 160 * 1024
"""Of a request as it is to be sent: with base64 around it, it still is one frame."""


class ExchangeSigner:
    """Signs what policy allows with the secrets of the configuration's exchanges.

    Args:
        tickets: those that `admission` knows.
        clock_ms: milliseconds since 1970.
    """

    def __init__(
        self,
        settings: Settings,
        admission: Admission,
        secrets: ExchangeSecrets,
        tickets: Tickets,
        clock_ms: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._admission = admission
        self._secrets = secrets
        self._tickets = tickets
        self._clock_ms = clock_ms

    async def sign(self, request: SignExchangeRequest) -> ExchangeSignature:
        """Sign, if everything that the server should have checked holds here too.

        Raises:
            CustodyError: bad_question, retry_refused, whatever `Admission.admitted` raises, or the secret cannot be had or is of
                another scheme.
        """
        async with self._admission.admitted(request, partial(self._asked, request)) as admitted:
            asked, exchange = admitted.asked, admitted.asked.exchange
            timestamp_ms = self._clock_ms() + request.clock_offset_ms
            _check_retry(admitted.ticket, timestamp_ms)
            unsigned = prepare(asked.request, timestamp_ms=timestamp_ms, api_key=exchange.api_key)
            made = await self._secrets.sign(exchange, unsigned.payload, admitted)
            signed = finish(unsigned, made.text)
            if len(signed.target) + len(signed.body) > LARGEST_SIGNED_BYTES:
                raise CustodyError(
                    "bad_question", "the request is too large, once its parameters are percent-encoded"
                )
            return ExchangeSignature(
                signed=signed,
                payload_sha256=hashlib.sha256(unsigned.payload).hexdigest(),
                timestamp_ms=timestamp_ms,
                vault_request_id=made.vault_request_id,
                retry_ticket=self._retry_ticket(admitted.ticket, asked, timestamp_ms),
            )

    async def check(self, name: ExchangeName) -> bool:
        """Return once it is sure that requests to this exchange could be signed: whether Transit would give the secret out.

        Raises:
            CustodyError: there is none of that name, or its secret cannot be had or is of another scheme.
        """
        return await self._secrets.check(self._exchange(name))

    def _exchange(self, name: ExchangeName) -> Exchange:
        exchange = self._settings.exchanges.get(name)
        if exchange is None:
            raise CustodyError("bad_question", "custody's configuration has no exchange of that name")
        return exchange

    def _asked(self, request: SignExchangeRequest) -> ExchangeAsked:
        asked = ExchangeAsked(self._exchange(request.exchange), request.request)
        if asked.meaning.operation != request.operation:
            raise CustodyError("bad_question", "the operation is not the one of the request")
        return asked

    def _retry_ticket(self, ticket: Ticket | None, asked: ExchangeAsked, timestamp_ms: int) -> str:
        """For a client whose one signature may be used once more; see `_check_retry`."""
        if ticket is None or ticket.before is not None:
            return ""
        before = SignedBefore(timestamp_ms, asked.request.recv_window_ms)
        return self._tickets.issue(
            Ticket(
                ticket.client,
                ticket.asked,
                ticket.nonce,
                ticket.expires_at_ms,
                ticket.good_from_ms,
                ticket.ip,
                ahead=None,
                counted=True,
                before=before,
            )
        )


def _check_retry(ticket: Ticket | None, timestamp_ms: int) -> None:
    """An exchange says that a time is wrong where, by its own clock, what was signed before is not good now.

    The new time is read off that clock. If the first request would be good at it, there was no such answer. Of a server that lies
    about the clock this cannot make an honest one: it may have each client's signature signed for twice, at different times.
    """
    before = None if ticket is None else ticket.before
    if before is not None and in_exchange_window(before.timestamp_ms, before.recv_window_ms, timestamp_ms):
        raise CustodyError(
            "retry_refused",
            "what was signed before may still be good at the exchange: nothing is signed in its place",
        )
