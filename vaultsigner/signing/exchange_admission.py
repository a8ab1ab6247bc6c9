"""From a call to a request to an exchange that may be decided on: who asks, what it means there, and the outer fence."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from vaultsigner.authentication.bearer import NOT_AUTHENTICATED
from vaultsigner.authentication.client_certificates import certificate_misfit
from vaultsigner.authentication.signed_requests import carries_signature
from vaultsigner.config.settings import Exchange, Settings
from vaultsigner.custody.protocol import read_forwarded
from vaultsigner.domain.names import ApiKey, ExchangeName
from vaultsigner.domain.principals import BY_API_KEY, Principal
from vaultsigner.domain.refusals import Refusal
from vaultsigner.domain.targets import Target
from vaultsigner.formats.exchange.intent import exchange_intent
from vaultsigner.formats.exchange.meaning import Meaning, meaning_of
from vaultsigner.formats.exchange.requests import ExchangeRequest
from vaultsigner.formats.exchange.sign_only import read_sign_only
from vaultsigner.policy.permissions import refuse_by_exchange
from vaultsigner.signing.authenticator import Authenticator
from vaultsigner.signing.callers import Caller
from vaultsigner.signing.calls import Call
from vaultsigner.signing.other_uses import with_the_same_key
from vaultsigner.signing.requests import Request
from vaultsigner.signing.trail import Trail

BY_KEY = frozenset({"market_data", "user_stream"})
"""Endpoints for which the exchange wants an API key and no signature, so that libraries send none."""


@dataclass(frozen=True, slots=True)
class ExchangeCall(Request):
    """A request to an exchange.

    Args:
        signed: whether the exchange wants a signature; it has the API key in any case.
    """

    exchange: Exchange
    wanted: ExchangeRequest
    meaning: Meaning
    signed: bool = True


NO_SUCH_EXCHANGE = Refusal(
    "exchange_not_found",
    "No exchange has this name: see `exchanges` in config.yml",
    reason="no exchange has this name",
)
"""Told to anybody: which exchanges there are is plain from their public endpoints, which anybody may ask."""


class ExchangeAdmission:
    """Takes the steps in the order that reveals nothing to strangers: who asks first, then what is wrong with what they ask."""

    def __init__(self, settings: Settings, authenticator: Authenticator) -> None:
        self._exchanges: Mapping[ExchangeName, Exchange] = settings.exchanges
        self._by_api_key = {client.api_key: client for client in settings.clients.values()}
        self._authenticator = authenticator

    def exchange(self, trail: Trail, name: str) -> Exchange | Refusal:
        """The exchange of this name."""
        exchange = self._exchanges.get(ExchangeName(name))
        if exchange is None:
            return NO_SUCH_EXCHANGE
        trail.target = Target("exchange", exchange.name)
        return exchange

    async def forwarded(self, trail: Trail, exchange: Exchange, path: str) -> ExchangeCall | Refusal:
        """A request as the exchange would get it, signed with the caller's own key.

        Raises:
            CustodyError, StateError: who asks cannot be found out now.
        """
        call = trail.call
        wanted = read_forwarded(call.method, path, call.query, call.body)
        return await self._admitted(trail, exchange, wanted, by_key=True)

    async def to_be_signed(self, trail: Trail, exchange: Exchange) -> ExchangeCall | Refusal:
        """A request that the body describes.

        Raises:
            CustodyError, StateError: who asks cannot be found out now.
        """
        return await self._admitted(trail, exchange, read_sign_only(trail.call.body), by_key=False)

    def with_the_same_key(self, request: ExchangeCall) -> tuple[ExchangeName, ...] | Refusal:
        """The other exchanges of the configuration where what is signed is good as well; all of them must be the caller's."""
        names = with_the_same_key(self._exchanges, request.exchange.name)
        for name in names:
            if (refused := refuse_by_exchange(name, request.caller.account)) is not None:
                return Refusal(
                    "no_permission", f"What is signed would also be good at another exchange: {refused}"
                )
        return names

    async def _admitted(
        self, trail: Trail, exchange: Exchange, wanted: ExchangeRequest | Refusal, *, by_key: bool
    ) -> ExchangeCall | Refusal:
        """A request whose caller is proved; or, where `by_key`, is named by the API key that the exchange is content with."""
        meaning = None if isinstance(wanted, Refusal) else meaning_of(wanted)
        if meaning is not None:
            trail.operation = meaning.operation
        content = by_key and meaning is not None and meaning.security in BY_KEY
        named = content and not _shows_more(trail.call)
        caller = self._by_key(trail) if named else await self._authenticator.caller(trail)
        if isinstance(caller, Refusal):
            return caller
        if isinstance(wanted, Refusal):
            return wanted
        if (refused := refuse_by_exchange(exchange.name, caller.account)) is not None:
            return Refusal("no_permission", refused)
        meaning = meaning or meaning_of(wanted)
        return ExchangeCall(
            trail=trail,
            caller=caller,
            intent=exchange_intent(meaning, exchange.name),
            target=Target("exchange", exchange.name),
            exchange=exchange,
            wanted=wanted,
            meaning=meaning,
            signed=not content,
        )

    def _by_key(self, trail: Trail) -> Caller | Refusal:
        """The client whose API key was sent. As at the exchange, nothing more is asked there; the record says that it was so."""
        client = self._by_api_key.get(ApiKey(trail.call.credentials.api_key or ""))
        if client is None:
            return NOT_AUTHENTICATED
        if (misfit := certificate_misfit(client, trail.call.client_certificate)) is not None:
            return replace(NOT_AUTHENTICATED, reason=f"client {client.name}: {misfit}")
        trail.principal = Principal("client", client.name, BY_API_KEY)
        return Caller(trail.principal, client)


def _shows_more(call: Call) -> bool:
    """Whether the caller shows who they are by more than an API key."""
    given = call.credentials
    shown = given.authorization is not None or given.open_api_token is not None
    return shown or carries_signature(call.query, call.body)
