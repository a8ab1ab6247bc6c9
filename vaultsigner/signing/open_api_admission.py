"""From a call about the Open API to a request that may be decided on: who asks, what for, and the outer fence."""

from collections.abc import Mapping
from dataclasses import dataclass

from vaultsigner.authentication.parameters import read_sent_parameters
from vaultsigner.config.settings import OpenApiApp, Settings
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.refusals import Refusal
from vaultsigner.domain.targets import Target
from vaultsigner.formats.open_api.calls import OpenApiCall, user_data_call
from vaultsigner.formats.open_api.intent import open_api_intent
from vaultsigner.formats.open_api.requests import (
    read_decrypt_request,
    read_token_request,
    read_user_data_request,
)
from vaultsigner.policy.permissions import refuse_by_open_api
from vaultsigner.signing.authenticator import Authenticator
from vaultsigner.signing.callers import Caller
from vaultsigner.signing.calls import Call
from vaultsigner.signing.requests import Request
from vaultsigner.signing.trail import Trail

NO_SUCH_APP = Refusal(
    "open_api_app_not_found", "No app of the Open API has this name: see `open_api` in config.yml"
)


@dataclass(frozen=True, slots=True)
class AppRequest(Request):
    """A request that an app's secret or private key is needed for."""

    app: OpenApiApp


@dataclass(frozen=True, slots=True)
class TokenRequest(AppRequest):
    """A request for the token of one call; for user data that call is our own to make."""

    wanted: OpenApiCall


@dataclass(frozen=True, slots=True)
class UserDataRequest(TokenRequest):
    """A request for the user data behind a data token."""

    open_data: str


@dataclass(frozen=True, slots=True)
class DecryptionRequest(AppRequest):
    """A request for what a ciphertext says."""

    ciphertext: str


@dataclass(frozen=True, slots=True)
class _Admitted:
    trail: Trail
    caller: Caller
    app: OpenApiApp

    @property
    def target(self) -> Target:
        return Target("open_api", self.app.name)

    def intent(self, call: OpenApiCall | None = None) -> Intent:
        return open_api_intent(self.trail.operation, self.app.name, call)


class OpenApiAdmission:
    """Who asks first, then what is wrong with what they ask. Every method raises CustodyError or StateError where it cannot be
    found out now who asks.
    """

    def __init__(self, settings: Settings, authenticator: Authenticator) -> None:
        self._apps: Mapping[str, OpenApiApp] = settings.open_api
        self._authenticator = authenticator

    async def token(self, trail: Trail, name: str) -> TokenRequest | Refusal:
        """For the call that the body describes."""
        admitted = await self._admitted(trail, name)
        wanted = read_token_request(trail.call.body)
        if isinstance(admitted, Refusal):
            return admitted
        if isinstance(wanted, Refusal):
            return wanted
        intent = admitted.intent(wanted)
        return TokenRequest(trail, admitted.caller, intent, admitted.target, admitted.app, wanted)

    async def decryption(self, trail: Trail, name: str) -> DecryptionRequest | Refusal:
        """Of the ciphertext in the body."""
        admitted = await self._admitted(trail, name)
        wanted = read_decrypt_request(trail.call.body)
        if isinstance(admitted, Refusal):
            return admitted
        if isinstance(wanted, Refusal):
            return wanted
        return DecryptionRequest(
            trail, admitted.caller, admitted.intent(), admitted.target, admitted.app, wanted
        )

    async def user_data(self, trail: Trail, name: str) -> UserDataRequest | Refusal:
        """For the data token in the query."""
        admitted = await self._admitted(trail, name)
        wanted = _data_token(trail.call)
        if isinstance(admitted, Refusal):
            return admitted
        if isinstance(wanted, Refusal):
            return wanted
        call = user_data_call(admitted.app.app_id, wanted)
        intent = admitted.intent(call)
        return UserDataRequest(trail, admitted.caller, intent, admitted.target, admitted.app, call, wanted)

    async def _admitted(self, trail: Trail, name: str) -> _Admitted | Refusal:
        app = self._apps.get(name)
        if app is not None:
            trail.target = Target("open_api", app.name)
        caller = await self._authenticator.caller(trail)
        if isinstance(caller, Refusal):
            return caller
        if app is None:
            return NO_SUCH_APP
        refused = refuse_by_open_api(app.name, caller.account)
        return _Admitted(trail, caller, app) if refused is None else Refusal("no_permission", refused)


def _data_token(call: Call) -> str | Refusal:
    sent = read_sent_parameters(call.query, call.body)
    if isinstance(sent, Refusal):
        return sent
    return read_user_data_request((parameter.name, parameter.value) for parameter in sent.parameters)
