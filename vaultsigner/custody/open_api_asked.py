"""What a request asks of custody for the Open API, and whether it may: found out from the caller's own words. Pure."""

import hashlib
import json
from dataclasses import dataclass, field

from vaultsigner.authentication.parameters import read_sent_parameters
from vaultsigner.config.settings import Client, KvReference, OpenApiApp, Settings, User
from vaultsigner.custody.protocol import AuthenticateRequest
from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.names import Operation
from vaultsigner.domain.paths import open_api_at
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import CustodyError
from vaultsigner.formats.open_api.calls import OpenApiCall, user_data_call
from vaultsigner.formats.open_api.intent import DECRYPT, TOKEN, USER_DATA, open_api_intent
from vaultsigner.formats.open_api.requests import (
    read_decrypt_request,
    read_token_request,
    read_user_data_request,
)
from vaultsigner.policy import PolicySet
from vaultsigner.policy.permissions import refuse_by_open_api


@dataclass(frozen=True, slots=True)
class TokenAsked:
    """A token for one call; see `asked_for.Asked`.

    Args:
        operation: `open_api.token`; or `open_api.user_data`, whose call is always the same one.
    """

    operation: Operation
    app: OpenApiApp
    call: OpenApiCall

    @property
    def digest(self) -> bytes:
        """See `asked_for.Asked`."""
        return _digest("token", self.operation, self.app.name, self.call.digest.hex())

    @property
    def key(self) -> KvReference:
        """See `asked_for.Asked`."""
        return self.app.secret_key

    def fits_its_operation(self) -> bool:
        """Whether the operation is one that needs this call."""
        if self.operation != USER_DATA:
            return self.operation == TOKEN
        name, _, value = self.call.query.partition("=")
        own = user_data_call(self.app.app_id, "")
        same = (self.call.method, self.call.path, name, self.call.body) == (
            own.method,
            own.path,
            "openData",
            b"",
        )
        return same and bool(value) and "&" not in value

    def check_allowed(
        self,
        policies: PolicySet,
        account: User | Client,
        principal: Principal,
        circumstances: Circumstances,
    ) -> None:
        """See `asked_for.Asked`."""
        _check_listed(self.app, account)
        intent = open_api_intent(self.operation, self.app.name, self.call)
        _check_decided(policies.evaluate(principal, intent, circumstances))


@dataclass(frozen=True, slots=True)
class OpeningAsked:
    """The decryption of one ciphertext; see `asked_for.Asked`.

    Args:
        operation: `open_api.decrypt`; or `open_api.user_data`, where nobody who asked could know the ciphertext yet.
    """

    operation: Operation
    app: OpenApiApp
    ciphertext: str = field(default="", repr=False)

    @property
    def digest(self) -> bytes:
        """See `asked_for.Asked`."""
        ciphertext = "" if self.operation == USER_DATA else self.ciphertext
        return _digest("opening", self.operation, self.app.name, ciphertext)

    @property
    def key(self) -> KvReference | None:
        """See `asked_for.Asked`."""
        return self.app.private_key

    def fits_its_operation(self) -> bool:
        """Whether the operation is one that decrypts."""
        return self.operation in (DECRYPT, USER_DATA)

    def check_allowed(
        self,
        policies: PolicySet,
        account: User | Client,
        principal: Principal,
        circumstances: Circumstances,
    ) -> None:
        """See `asked_for.Asked`. User data is one thing to policies, from its call to its decryption."""
        _check_listed(self.app, account)
        call = user_data_call(self.app.app_id, "") if self.operation == USER_DATA else None
        intent = open_api_intent(self.operation, self.app.name, call)
        _check_decided(policies.evaluate(principal, intent, circumstances))


def read_open_api_asked(settings: Settings, request: AuthenticateRequest) -> TokenAsked | OpeningAsked | None:
    """What a request about the Open API asks for; None where it is none, or means another operation than it says."""
    operation, name = open_api_at(request.method, request.path) or (None, "")
    app = settings.open_api.get(name)
    if app is None or operation != request.operation:
        return None
    if operation == TOKEN:
        call = read_token_request(request.body)
        return TokenAsked(operation, app, call) if isinstance(call, OpenApiCall) else None
    if operation == DECRYPT:
        ciphertext = read_decrypt_request(request.body)
        return OpeningAsked(operation, app, ciphertext) if isinstance(ciphertext, str) else None
    open_data = _open_data(request)
    return TokenAsked(USER_DATA, app, user_data_call(app.app_id, open_data)) if open_data else None


def _open_data(request: AuthenticateRequest) -> str | None:
    sent = read_sent_parameters(request.query, request.body)
    if isinstance(sent, Refusal):
        return None
    found = read_user_data_request((parameter.name, parameter.value) for parameter in sent.parameters)
    return found if isinstance(found, str) else None


def _check_listed(app: OpenApiApp, account: User | Client) -> None:
    refused = refuse_by_open_api(app.name, account)
    if refused is not None:
        raise CustodyError("no_permission", refused)


def _check_decided(decision: Decision) -> None:
    if not decision.allowed:
        raise CustodyError("policy_denied", decision.reason)


def _digest(*parts: str) -> bytes:
    return hashlib.sha256(json.dumps(["open_api", *parts]).encode()).digest()
