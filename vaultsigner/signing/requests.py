"""A request that is understood: who asks for what, in the words of policy."""

from dataclasses import dataclass

from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import Operation
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.targets import Target
from vaultsigner.signing.callers import Caller
from vaultsigner.signing.calls import Call
from vaultsigner.signing.trail import Trail


@dataclass(frozen=True, slots=True)
class Request:
    """A decoded request inside the outer fence: policy has not spoken yet. What else there is to know depends on its family."""

    trail: Trail
    caller: Caller
    intent: Intent
    target: Target

    @property
    def call(self) -> Call:
        """As it was received."""
        return self.trail.call

    @property
    def principal(self) -> Principal:
        """Who asks."""
        return self.caller.principal

    @property
    def operation(self) -> Operation:
        """What it is to policy."""
        return self.intent.operation
