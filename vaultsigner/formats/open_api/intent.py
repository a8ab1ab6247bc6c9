"""What requests about the Open API mean, in the words of policies. Server and custody build it alike. Pure."""

from typing import Literal

from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import Operation
from vaultsigner.formats.open_api.calls import OpenApiCall

TOKEN = Operation("open_api.token")
DECRYPT = Operation("open_api.decrypt")
USER_DATA = Operation("open_api.user_data")
OpenApiOperation = Literal["open_api.token", "open_api.decrypt", "open_api.user_data"]


def open_api_intent(operation: Operation, app: str, call: OpenApiCall | None = None) -> Intent:
    """One item: the endpoint that the token is for; nothing where something is decrypted.

    Args:
        operation: one of the three above.
        app: its name in the configuration.
        call: what a token is for; None for the decryption of what the caller sends.
    """
    return Intent(operation, f"open_api:{app}", ({} if call is None else {"endpoint": call.endpoint},))
