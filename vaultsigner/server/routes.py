"""Every route of the signing-service family, in one table: aiohttp's routes and the OpenAPI document both come from it."""

from vaultsigner.domain.names import Operation
from vaultsigner.domain.paths import METHOD, PATHS_OF_MESSAGES, signing_paths
from vaultsigner.domain.refusals import Refusal
from vaultsigner.server import examples, log_in, proving, signing_service, wallets
from vaultsigner.server.audit_routes import AUDIT_ROUTES
from vaultsigner.server.control_routes import CONTROL_ROUTES
from vaultsigner.server.error_groups import ALWAYS, AUTHENTICATED, BEHIND, DECIDED, KEY_TROUBLE, READ
from vaultsigner.server.exchange_routes import EXCHANGE_ROUTES
from vaultsigner.server.open_api_routes import OPEN_API_ROUTES
from vaultsigner.server.pipeline import Pipeline
from vaultsigner.server.received import Received
from vaultsigner.server.route import Documentation, Route, Variable
from vaultsigner.signing.calls import Answer

_WITH_BODY = ("malformed_body", *READ)
_ONE_WALLET = (
    *("missing_wallet_name", "wallet_not_found", "address_not_allowed", "invalid_fields"),
    *("account_not_found", "wallet_busy", "node_unavailable"),
    *KEY_TROUBLE,
)
_SIGN = (
    "malformed_body",
    *AUTHENTICATED,
    *_ONE_WALLET,
    *ALWAYS,
    *DECIDED,
    "sequence_held",
)
_BROADCAST = (*_SIGN, "node_refused", "outcome_unknown")


async def _greet(_pipeline: Pipeline, _received: Received) -> Answer | Refusal:
    """GET /: an empty object, as the old service answered."""
    return Answer({})


def _sign_route(kind: str) -> Route:
    return Route(
        METHOD,
        signing_paths(kind, "sign"),
        Operation(f"{kind}.sign"),
        signing_service.sign,
        Documentation(
            tag="Sign",
            summary=f"Sign {examples.TITLES[kind]}",
            description="Answers the signed transaction in hex. The account's sequence stays as it is, so the same request "
            "gives the same answer.",
            request=f"{kind}_request",
            examples=examples.REQUESTS[kind],
            answer="signed_transaction",
            answer_example={"signed_msg": examples.SIGNED},
            errors=_SIGN,
            decided=True,
        ),
        closing_slash=True,
    )


def _broadcast_route(kind: str) -> Route:
    return Route(
        METHOD,
        signing_paths(kind, "broadcast"),
        Operation(f"{kind}.broadcast"),
        signing_service.broadcast,
        Documentation(
            tag="Sign and broadcast",
            summary=f"Sign and broadcast {examples.TITLES[kind]}",
            description="Takes the account's next sequence number, signs, sends the transaction to the node and answers what "
            "the node said. When the node does not answer, the outcome is unknown (504): ask for a resync.",
            request=f"{kind}_request",
            examples=examples.REQUESTS[kind],
            answer="node_answer",
            answer_example=examples.NODE_ANSWER,
            errors=_BROADCAST,
            decided=True,
            sync=True,
        ),
        closing_slash=True,
    )


def _check_route(method: str) -> Route:
    return Route(
        method,
        ("/api/auth/check",),
        Operation("auth.check"),
        proving.check,
        Documentation(
            tag="Log in",
            summary=f"Say who asks, of a {method} request",
            description="For trying out a signature, or an access token: does nothing, and counts a signature as used. "
            "Parameters of any names may stand in the query, or in a body that is a form or JSON.",
            answer="who_asks",
            answer_example={"principal": {"type": "client", "name": "bot-1", "scheme": "hmac"}},
            errors=(*ALWAYS, *AUTHENTICATED),
        ),
    )


ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        ("/api/auth/login",),
        Operation("auth.login"),
        log_in.log_in,
        Documentation(
            tag="Log in",
            summary="Exchange a user name and a password for an access token",
            description="Send the token with every other request: `Authorization: Bearer <access_token>`. "
            "Clients that sign their requests need none.",
            request="credentials",
            examples={"A user of config.yml": {"username": "sam", "password": "what only Sam knows"}},
            answer="access_token",
            answer_example={"access_token": examples.ACCESS_TOKEN, "token_type": "bearer"},
            errors=(
                "bad_credentials",
                *_WITH_BODY,
                *ALWAYS,
                "invalid_fields",
                "rate_limited",
                "state_unavailable",
                "suspended",
                "suspensions_unknown",
                *BEHIND,
            ),
            authenticated=False,
        ),
    ),
    *(_check_route(method) for method in ("GET", "POST", "PUT", "DELETE")),
    *(_sign_route(kind) for kind in PATHS_OF_MESSAGES),
    *(_broadcast_route(kind) for kind in PATHS_OF_MESSAGES),
    Route(
        "POST",
        ("/api/wallet/resync",),
        Operation("wallet.resync"),
        wallets.resync,
        Documentation(
            tag="Wallets",
            summary="Fetch a wallet's sequence from the node",
            description="Settles a broadcast whose outcome is unknown, too.",
            request="wallet_request",
            examples={"One wallet": {"wallet_name": "wallet_1"}},
            answer="empty",
            answer_example={},
            errors=(
                *("malformed_body", "no_permission", "outcome_unknown"),
                *AUTHENTICATED,
                *_ONE_WALLET,
                *ALWAYS,
            ),
        ),
    ),
    Route(
        "GET",
        ("/api/wallet",),
        Operation("wallet.list"),
        wallets.list_wallets,
        Documentation(
            tag="Wallets",
            summary="List the wallets you may use",
            description="In the order of config.yml, each with the permissions that you and the wallet have in common.",
            answer="wallets",
            answer_example=[examples.WALLET],
            errors=(*ALWAYS, *AUTHENTICATED, *KEY_TROUBLE),
        ),
    ),
    Route(
        "GET",
        ("/api/wallet/{name}",),
        Operation("wallet.read"),
        wallets.show_wallet,
        Documentation(
            tag="Wallets",
            summary="Look up one wallet",
            description="A wallet that does not exist and one that is not yours are answered alike.",
            answer="wallet",
            answer_example=examples.WALLET,
            errors=(
                *ALWAYS,
                *AUTHENTICATED,
                "wallet_not_found",
                *KEY_TROUBLE,
            ),
            variables={"name": Variable("The wallet's name in config.yml.", "wallet_1")},
        ),
    ),
    *EXCHANGE_ROUTES,
    *OPEN_API_ROUTES,
    *CONTROL_ROUTES,
    *AUDIT_ROUTES,
    Route(
        "GET",
        ("/",),
        Operation("root.read"),
        _greet,
        Documentation(
            tag="Service",
            summary="Say that somebody is here",
            description="Whether signatures can be made is told by /readyz on the operations port.",
            answer="empty",
            answer_example={},
            errors=("malformed_request", "unsupported_encoding", "internal_error"),
            authenticated=False,
        ),
    ),
)
