"""What a request asks custody to sign for an exchange, and whether it may be: found out from the caller's own words. Pure."""

import hashlib
import json
from dataclasses import dataclass, field

from vaultsigner.config.settings import Client, Exchange, KvReference, Settings, User
from vaultsigner.custody.protocol import AuthenticateRequest, read_forwarded
from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.names import ExchangeName
from vaultsigner.domain.paths import forwarded_place, sign_only_exchange
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import CustodyError
from vaultsigner.formats.exchange.intent import exchange_intent
from vaultsigner.formats.exchange.meaning import Meaning, meaning_of
from vaultsigner.formats.exchange.requests import ExchangeRequest
from vaultsigner.formats.exchange.reuse import uses_of_another_kind
from vaultsigner.formats.exchange.sign_only import read_sign_only
from vaultsigner.policy import PolicySet
from vaultsigner.policy.permissions import refuse_by_exchange


@dataclass(frozen=True, slots=True)
class ExchangeAsked:
    """One request to sign with one exchange's secret; see `asked_for.Asked`. What it means is found out here."""

    exchange: Exchange
    request: ExchangeRequest
    meaning: Meaning = field(init=False)

    def __post_init__(self) -> None:
        """See the class."""
        object.__setattr__(self, "meaning", meaning_of(self.request))

    @property
    def digest(self) -> bytes:
        """See `asked_for.Asked`. Whoever sends the request then, it is the same."""
        parts = ["exchange", self.exchange.name, self.request.digest.hex()]
        return hashlib.sha256(json.dumps(parts).encode()).digest()

    @property
    def key(self) -> KvReference | None:
        """See `asked_for.Asked`."""
        secret = self.exchange.secret
        return secret if isinstance(secret, KvReference) else None

    def check_allowed(
        self,
        policies: PolicySet,
        account: User | Client,
        principal: Principal,
        circumstances: Circumstances,
    ) -> None:
        """See `asked_for.Asked`. Also, whatever server has what is signed cannot do with it what policy forbids."""
        refused = refuse_by_exchange(self.exchange.name, account)
        if refused is not None:
            raise CustodyError("no_permission", refused)
        intent = exchange_intent(self.meaning, self.exchange.name)
        decision = policies.evaluate(principal, intent, circumstances)
        if not decision.allowed:
            raise CustodyError("policy_denied", decision.reason)
        for use in uses_of_another_kind(self.request):
            decision = policies.evaluate(principal, exchange_intent(use, self.exchange.name), circumstances)
            if not decision.allowed:
                what = f"{use.operation} ({use.items[0]['endpoint']})"
                raise CustodyError(
                    "policy_denied", f"what is signed would also be good for {what}: {decision.reason}"
                )


def read_exchange_asked(settings: Settings, request: AuthenticateRequest) -> ExchangeAsked | None:
    """What a request to be forwarded or signed asks for; None where it is none, or means another operation than it says."""
    forwarded, to_sign = forwarded_place(request.path), sign_only_exchange(request.path)
    asked: ExchangeRequest | Refusal
    if forwarded is not None:
        name, path = forwarded
        asked = read_forwarded(request.method, path, request.query, request.body)
    elif to_sign is not None:
        name, asked = to_sign, read_sign_only(request.body)
    else:
        return None
    exchange = settings.exchanges.get(ExchangeName(name))
    if exchange is None or isinstance(asked, Refusal):
        return None
    found = ExchangeAsked(exchange, asked)
    return found if found.meaning.operation == request.operation else None
