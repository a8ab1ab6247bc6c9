"""The one root of every exception that vaultsigner raises itself.

A refusal (not authenticated, not allowed, malformed) is a value, `vaultsigner.domain.refusals.Refusal`; exceptions are for
what could not be done.
"""


class VaultsignerError(Exception):
    """Something could not be done. `code` is what callers see and what `server.statuses` maps to a status."""

    code = "internal_error"


class ConfigError(VaultsignerError):
    """The configuration or a policy file cannot be used; the message lists every problem found."""

    code = "bad_configuration"


class CustodyError(VaultsignerError):
    """The custody process could not do what it was asked; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class StateError(VaultsignerError):
    """The state database cannot be read or written."""

    code = "state_unavailable"


class AuditError(VaultsignerError):
    """A record could not be made durable."""

    code = "audit_unavailable"


class NodeError(VaultsignerError):
    """A chain node could not be asked, or its answer makes no sense."""

    code = "node_unavailable"


class ExchangeError(VaultsignerError):
    """An exchange could not be asked, or its answer ended too early."""

    code = "exchange_unavailable"
