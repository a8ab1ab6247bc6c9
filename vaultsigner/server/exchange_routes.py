"""The routes of exchanges: forward a request, or sign it only."""

from vaultsigner.domain.names import Operation
from vaultsigner.domain.paths import FORWARDED
from vaultsigner.server import exchange_examples, exchanges
from vaultsigner.server.error_groups import ALWAYS, AUTHENTICATED, DECIDED, KEY_TROUBLE
from vaultsigner.server.families import EXCHANGE
from vaultsigner.server.route import Documentation, Route, Variable

_COMMON = (*ALWAYS, *AUTHENTICATED, *DECIDED, *KEY_TROUBLE, "exchange_not_found", "exchange_unavailable")
_EXCHANGE = Variable("The exchange's name in config.yml.", "binance-main")
_METHODS = ("GET", "POST", "PUT", "DELETE")


def _forward_route(method: str) -> Route:
    return Route(
        method,
        (f"{FORWARDED}{{name}}/{{path}}",),
        Operation("exchange.forward"),
        exchanges.forward,
        Documentation(
            tag="Exchanges",
            summary=f"Send a {method} request to an exchange, signed with its secret",
            description="Takes a request as the exchange would, but signed with your own key for vaultsigner; `timestamp`, "
            "`signature` and the API key that it brings are replaced. Answers what the exchange answers: status, body, "
            "Content-Type, Retry-After, and the headers that tell the weight used. What the exchange serves to anybody needs no "
            "key. Errors of ours have what clients of exchanges look for, too. A connection that is cut says that the exchange's "
            "answer was; 504, and the header X-Vaultsigner-Outcome, that nobody knows what the exchange did: ask it "
            "before you ask again.",
            answer="exchange_answer",
            answer_example=exchange_examples.ORDER,
            errors=(*_COMMON, "outcome_unknown", "retry_refused"),
            form="exchange_parameters",
            decided=True,
            variables={
                "name": _EXCHANGE,
                "path": Variable("The path at the exchange, slashes included.", "api/v3/order", rest=True),
            },
        ),
        EXCHANGE,
    )


EXCHANGE_ROUTES: tuple[Route, ...] = (
    *(_forward_route(method) for method in _METHODS),
    Route(
        "POST",
        ("/api/exchange/{name}/sign",),
        Operation("exchange.sign"),
        exchanges.sign,
        Documentation(
            tag="Exchanges",
            summary="Sign a request to an exchange, for you to send",
            description="For callers at an address that the exchange has on its list. The answer is the complete request, with "
            "the exchange's API key, a fresh timestamp and the signature: send it soon, and as it is. With `ws` it is a "
            "message of the WebSocket API, e.g. `order.place`, to which you add an `id`. Policy decides as if it were "
            "sent; the exchange's signature covers the parameters alone, so policy must allow whatever else they suffice for.",
            request="exchange_sign_request",
            examples=exchange_examples.SIGN,
            answer="signed_exchange_request",
            answer_example=exchange_examples.SIGNED,
            errors=(*_COMMON, "malformed_body", "invalid_fields"),
            decided=True,
            variables={"name": _EXCHANGE},
        ),
    ),
)
