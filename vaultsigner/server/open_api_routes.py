"""The routes of Open API apps (Binance mini-programs): tokens, decryption, and a user's data."""

from vaultsigner.domain.names import Operation
from vaultsigner.domain.paths import PATHS_OF_OPEN_API
from vaultsigner.server import exchange_examples, open_api
from vaultsigner.server.edge import Endpoint
from vaultsigner.server.error_groups import ALWAYS, AUTHENTICATED, DECIDED, KEY_TROUBLE
from vaultsigner.server.route import Documentation, Route, Variable

_COMMON = (*ALWAYS, *AUTHENTICATED, *DECIDED, *KEY_TROUBLE, "open_api_app_not_found")
_WRITTEN = (*_COMMON, "malformed_body", "invalid_fields")
_APP = {"name": Variable("The app's name in config.yml.", "mini-app")}
_OPEN_DATA = {"openData": Variable("The data token that the mini-program was given.", "8f1c2d3e4f5a6b7c")}


def _route(operation: str, endpoint: Endpoint, documentation: Documentation) -> Route:
    method, ending = PATHS_OF_OPEN_API[Operation(operation)]
    return Route(method, (f"/api/open_api/{{name}}{ending}",), Operation(operation), endpoint, documentation)


OPEN_API_ROUTES: tuple[Route, ...] = (
    _route(
        "open_api.token",
        open_api.token,
        Documentation(
            tag="Open API",
            summary="Make a token for one request to the Open API",
            description="The token covers method, path, query and body byte for byte: send exactly these, with the headers "
            "that the answer has.",
            request="open_api_token_request",
            examples=exchange_examples.OPEN_API_TOKEN,
            answer="open_api_token",
            answer_example=exchange_examples.OPEN_API_TOKEN_ANSWER,
            errors=_WRITTEN,
            decided=True,
            variables=_APP,
        ),
    ),
    _route(
        "open_api.decrypt",
        open_api.decrypt,
        Documentation(
            tag="Open API",
            summary="Decrypt what the Open API encrypted for the app",
            description="RSA with PKCS#1 v1.5 padding. Whatever is wrong with the data, the answer is the same.",
            request="open_api_decrypt_request",
            examples={"Base64url": {"data": exchange_examples.CIPHERTEXT}},
            answer="open_api_plaintext",
            answer_example={"plaintext": exchange_examples.PLAINTEXT},
            errors=(*_WRITTEN, "decryption_failed"),
            decided=True,
            variables=_APP,
        ),
    ),
    _route(
        "open_api.user_data",
        open_api.user_data,
        Documentation(
            tag="Open API",
            summary="Fetch what a user shares with the mini-program",
            description="The whole round: token, request, decryption.",
            answer="open_api_plaintext",
            answer_example={"plaintext": exchange_examples.PLAINTEXT},
            errors=(*_COMMON, "decryption_failed", "open_api_unavailable", "open_api_refused"),
            decided=True,
            variables=_APP,
            query=_OPEN_DATA,
        ),
    ),
)
