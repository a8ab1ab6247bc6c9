"""One admitted request, its parameters read by name."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from vaultsigner.dev.exchange.refusals import RefusedError, illegal, missing, unread
from vaultsigner.dev.exchange.signatures import Account

LEGAL_CLIENT_ORDER_ID = "^[a-zA-Z0-9-_]{1,36}$"
LEGAL_FUTURES_ORDER_ID = "^[\\.A-Z\\:/a-z0-9_-]{1,36}$"
NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
LEGAL_NUMBER = "^([0-9]{1,20})(\\.[0-9]{1,20})?$"
WHOLE_NUMBER = re.compile(r"[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked, by whom, when.

    Args:
        parameters: names and decoded values, without signature, timestamp and recvWindow.
        now_ms: the exchange's clock.
        caller: whose API key it is; None where the endpoint asks for none.
    """

    parameters: Mapping[str, str]
    now_ms: int
    caller: Account | None = None

    @property
    def account(self) -> Account:
        """Who asks, at an endpoint that wants to know."""
        if self.caller is None:
            raise RefusedError(-1002, "You are not authorized to execute this request.")
        return self.caller

    def optional(self, name: str) -> str | None:
        """The parameter's text, or None."""
        value = self.parameters.get(name)
        if value == "":
            raise RefusedError(-1105, f"Parameter '{name}' was empty.")
        return value

    def text(self, name: str) -> str:
        """The parameter's text, which must be there."""
        value = self.parameters.get(name)
        if not value:
            raise missing(name)
        return value

    def optional_decimal(self, name: str) -> Decimal | None:
        """A number without a sign."""
        value = self.optional(name)
        if value is None:
            return None
        if not NUMBER.fullmatch(value):
            raise illegal(name, LEGAL_NUMBER)
        try:
            return Decimal(value)
        except InvalidOperation:
            raise illegal(name, LEGAL_NUMBER) from None

    def decimal(self, name: str) -> Decimal:
        """A number that must be there."""
        self.text(name)
        value = self.optional_decimal(name)
        if value is None:
            raise missing(name)
        return value

    def optional_integer(self, name: str) -> int | None:
        """A whole number without a sign."""
        value = self.optional(name)
        if value is None:
            return None
        if not WHOLE_NUMBER.fullmatch(value):
            raise illegal(name, "^[0-9]{1,20}$")
        return int(value)

    def choice(self, name: str, values: Collection[str], refusal: RefusedError) -> str:
        """One of these."""
        value = self.text(name)
        if value not in values:
            raise refusal
        return value

    def optional_name(self, name: str, legal: str) -> str | None:
        """A name that the caller gave an order, of the characters that `legal` allows."""
        value = self.optional(name)
        if value is not None and not re.fullmatch(legal, value):
            raise illegal(name, legal)
        return value

    def renamed(self, names: Mapping[str, str]) -> "Call":
        """As if the parameters had the names on the right: a leg of an order list as an order of its own."""
        found = {new: self.parameters[old] for old, new in names.items() if old in self.parameters}
        return Call(found, self.now_ms, self.caller)

    def with_parameters(self, parameters: Mapping[str, str]) -> "Call":
        """The same caller asks something else: a member of a batch."""
        return Call(parameters, self.now_ms, self.caller)


def refuse_unread(sent: Iterable[str], known: frozenset[str] | None) -> None:
    """Binance's spot API reads every parameter or refuses the request; `known` None: anything goes."""
    names = list(sent)
    if known is not None and not known.issuperset(names):
        raise unread(sum(1 for name in names if name in known), len(names))
