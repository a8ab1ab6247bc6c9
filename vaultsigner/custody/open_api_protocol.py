"""The questions about the Open API, and their answers. Pure; see `protocol`."""

from base64 import b64encode
from dataclasses import asdict, dataclass, field

from vaultsigner.custody.frames import json_bytes
from vaultsigner.domain.names import JsonValue, Operation, RequestId
from vaultsigner.domain.principals import Principal
from vaultsigner.formats.open_api.calls import OpenApiCall


@dataclass(frozen=True, slots=True)
class OpenApiTokenRequest:
    """Make a token for this call.

    Args:
        principal: who asks, as the server found out.
        operation: `open_api.token`; or `open_api.user_data`, for the one call that user data takes.
        app: its name in the configuration.
        ip: as in `AuthenticateRequest`.
        policy: as in `SignBeaconRequest`.
        access_token, ticket: what they asked with, one of them. A ticket is of a `Proof`.
    """

    request_id: RequestId
    principal: Principal
    operation: Operation
    app: str
    call: OpenApiCall
    ip: str
    policy: str
    access_token: str | None = field(default=None, repr=False)
    ticket: str | None = field(default=None, repr=False)

    def payload(self) -> bytes:
        """The payload of the question."""
        call = self.call
        return json_bytes(
            {
                **_asking(self),
                "method": call.method,
                "path": call.path,
                "query": call.query,
                "body": b64encode(call.body).decode("ascii"),
            }
        )


@dataclass(frozen=True, slots=True)
class OpenApiDecryptRequest:
    """Decrypt this with an app's private key.

    Args:
        operation: `open_api.decrypt`, or `open_api.user_data` for what came back to that call.
        ciphertext: base64url, as it was sent; anything at all.
        access_token, ticket: as in `OpenApiTokenRequest`; for user data a ticket is the one of `OpenApiToken`.
    """

    request_id: RequestId
    principal: Principal
    operation: Operation
    app: str
    ciphertext: str = field(repr=False)
    ip: str
    policy: str
    access_token: str | None = field(default=None, repr=False)
    ticket: str | None = field(default=None, repr=False)

    def payload(self) -> bytes:
        """The payload of the question."""
        return json_bytes({**_asking(self), "ciphertext": self.ciphertext})


@dataclass(frozen=True, slots=True)
class OpenApiToken:
    """A token, good for a minute.

    Args:
        ts: when it was made, seconds since 1970.
        vault_request_id: Vault's own id of the read, to be found in Vault's audit log.
        ticket: what to have the answer decrypted with, once: for user data that a client asked for; empty otherwise.
    """

    token: str = field(repr=False)
    ts: int
    vault_request_id: str
    ticket: str = field(default="", repr=False)

    def document(self) -> dict[str, JsonValue]:
        """As it stands in the answer."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class OpenApiPlaintext:
    """What a ciphertext says: text, never empty.

    Args:
        vault_request_id: as in `OpenApiToken`.
    """

    plaintext: str = field(repr=False)
    vault_request_id: str

    def document(self) -> dict[str, JsonValue]:
        """As it stands in the answer."""
        return asdict(self)


def _asking(request: OpenApiTokenRequest | OpenApiDecryptRequest) -> dict[str, JsonValue]:
    principal: dict[str, JsonValue] = {"kind": request.principal.kind, "name": request.principal.name}
    return {
        "request_id": request.request_id,
        "principal": principal,
        "access_token": request.access_token,
        "ticket": request.ticket,
        "operation": request.operation,
        "app": request.app,
        "ip": request.ip,
        "policy": request.policy,
    }
