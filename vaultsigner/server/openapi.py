"""The OpenAPI 3.1 document, made from the table of routes: what is served and what is documented cannot differ."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import vaultsigner
from vaultsigner.domain.names import JsonValue
from vaultsigner.server import openapi_partner, openapi_security, statuses
from vaultsigner.server.answers import CHALLENGES
from vaultsigner.server.control_examples import APPROVAL_REQUIRED
from vaultsigner.server.error_examples import ERROR_EXAMPLES
from vaultsigner.server.examples import SIGNED_DECISION
from vaultsigner.server.exchange_errors import for_exchange_clients
from vaultsigner.server.exchange_examples import MESSAGES
from vaultsigner.server.families import EXCHANGE, PARTNER
from vaultsigner.server.received import APPROVAL
from vaultsigner.server.route import Route
from vaultsigner.server.schemas import SCHEMAS
from vaultsigner.server.signing_service import FALSE_WORDS, TRUE_WORDS

Object = dict[str, JsonValue]

ABOUT = """\
Signs messages of the BNB Beacon Chain and requests to exchanges with keys that stay in Vault, as far as policy allows, and
keeps a record of everything.

1. Log in: `POST /api/auth/login` answers an access token.
2. Send it with every other request: `Authorization: Bearer <access_token>`. Or be a client that signs its requests, or that sends
   an Open API token: no log-in then, one way at a time, and `/api/auth/check` to try it out.
3. `sign` answers a signed transaction; `broadcast` also sends it to the node and answers what the node said.
4. Where policy wants others to approve first, the answer is 202 with an approval's id: once it is granted, send the same request
   again with that id in `X-Vaultsigner-Approval`.

5. Or have requests to exchanges signed: under `/exchange/<name>` clients of exchanges find what they know, and need no secret.

Every error has the same shape: `code` for programs, `message` for people, `detail` as the older Binance Chain signing service
told it, and `request_id`, which finds the record. 503 and 429 say in `Retry-After` when to try again.

The paths of the signing service (`sign`, `broadcast`) work with a closing slash, too. There members of a body that are not
known are ignored, and named in the record, as the older service had it.
"""
EXCHANGE_ERROR = "forwarded_"
"""What the names of errors' examples begin with where exchanges are expected to answer."""


def openapi_document(routes: Iterable[Route]) -> Object:
    """Describe the routes.

    Returns:
        An OpenAPI 3.1.0 document, ready for `json.dumps`.
    """
    routes = tuple(routes)
    methods = Counter((route.operation, path) for route in routes for path in route.paths)
    paths: dict[str, Object] = defaultdict(dict)
    for route in routes:
        for path in route.paths:
            alone = methods[route.operation, path] == 1
            paths[path][route.method.lower()] = _operation(route, path, alone=alone)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "vaultsigner",
            "version": vaultsigner.__version__,
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": dict(paths),
        "components": _components(routes),
    }


def _components(routes: tuple[Route, ...]) -> Object:
    with_partner = any(route.family is PARTNER for route in routes)
    forwarded = {code for route in routes if route.family is EXCHANGE for code in route.documentation.errors}
    examples: Object = {code: {"value": body} for code, body in ERROR_EXAMPLES.items()}
    for code in sorted(forwarded):
        examples[f"{EXCHANGE_ERROR}{code}"] = {"value": for_exchange_clients(_at_exchanges(code))}
    return {
        "schemas": {**SCHEMAS, **(openapi_partner.SCHEMAS if with_partner else {})},
        "examples": {**examples, **(openapi_partner.EXAMPLES if with_partner else {})},
        "headers": _HEADERS,
        "parameters": openapi_security.PARAMETERS,
        "securitySchemes": {
            **openapi_security.SCHEMES,
            **(openapi_security.PARTNER_SCHEMES if with_partner else {}),
        },
    }


def _at_exchanges(code: str) -> Object:
    """An error's example as it would be where an exchange is asked."""
    message = MESSAGES.get(code)
    return ERROR_EXAMPLES[code] | ({"message": message, "detail": message} if message else {})


_HEADERS: Object = {
    "X-Request-Id": {"description": "Names the request in the audit record.", "schema": {"type": "string"}},
    "X-Vaultsigner-Decision": {
        "description": "The rule that allowed it, of which policy, and where the record stands.",
        "schema": {"type": "string", "examples": [SIGNED_DECISION]},
    },
    "X-Vaultsigner-Outcome": {
        "description": "There, and `unknown`, where nobody knows whether the exchange did it.",
        "schema": {"type": "string", "enum": ["unknown"]},
    },
    "Retry-After": {"description": "Seconds until it is worth trying again.", "schema": {"type": "integer"}},
    "WWW-Authenticate": {
        "description": "How to show who asks.",
        "schema": {"type": "string", "enum": [*CHALLENGES.values()]},
    },
}


def _operation(route: Route, path: str, *, alone: bool) -> Object:
    told = route.documentation
    main_path = route.paths[0]
    other_spelling = f"\n\nAnother spelling of `{main_path}`." if path != main_path else ""
    operation: Object = {
        "operationId": _operation_id(route, path, alone=alone),
        "tags": [told.tag],
        "summary": told.summary,
        "description": told.description + other_spelling,
        "parameters": _parameters(route),
        "responses": _responses(route),
        "security": _security(route),
    }
    if told.request is not None:
        operation["requestBody"] = {
            "required": not told.optional_body,
            "content": _json(
                told.request, {title: {"value": value} for title, value in told.examples.items()}
            ),
        }
    if told.form is not None and route.method != "GET":
        operation["requestBody"] = openapi_partner.form(told.form)
    return operation


def _responses(route: Route) -> Object:
    if route.family is PARTNER:
        return openapi_partner.responses(route)
    told = route.documentation
    required = {str(statuses.APPROVAL_REQUIRED): _approval_required()} if told.decided else {}
    schema, prefix = ("exchange_error", EXCHANGE_ERROR) if route.family is EXCHANGE else ("error", "")
    return {str(statuses.OK): _answer(route), **required, **_errors(told.errors, schema, prefix)}


def _security(route: Route) -> list[JsonValue]:
    if not route.documentation.authenticated:
        return []
    if route.family is PARTNER:
        return openapi_security.PARTNER_SECURITY
    if route.documentation.users_only:
        return openapi_security.USERS_SECURITY
    # What the table of an exchange's endpoints has as public is asked without showing who asks.
    return [*openapi_security.SECURITY, {}] if route.family is EXCHANGE else openapi_security.SECURITY


def _operation_id(route: Route, path: str, *, alone: bool) -> str:
    """Unique, and steady over releases: code generators make method names of it."""
    if not alone:
        return f"{route.operation.replace('.', '_')}_{route.method.lower()}"
    if path == route.paths[0]:
        return route.operation.replace(".", "_")
    return path.removeprefix("/api/").replace("/", "_")


def _parameters(route: Route) -> list[JsonValue]:
    told = route.documentation
    if route.family is PARTNER:
        return openapi_partner.query_parameters() if told.form is not None and route.method == "GET" else []
    parameters: list[JsonValue] = [
        {
            "name": name,
            "in": place,
            "required": not variable.optional,
            "description": variable.description,
            "schema": {"type": "string"},
            "example": variable.example,
        }
        for place, variables in (("path", told.variables), ("query", told.query))
        for name, variable in variables.items()
    ]
    if told.sync:
        parameters.append(
            {
                "name": "sync",
                "in": "query",
                "description": f"Whether the node checks the transaction before it answers. {_one_of(TRUE_WORDS)} mean yes, "
                f"{_one_of(FALSE_WORDS)} no, in any letter case; anything else is refused. (The older service took unknown "
                "words for no.)",
                "schema": {"type": "boolean", "default": True},
            }
        )
    if told.decided:
        parameters.append(
            {
                "name": APPROVAL,
                "in": "header",
                "description": "The id of the approval that was granted for this very request; it is good once.",
                "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            }
        )
    shown_by_parameters = told.authenticated and not told.users_only
    return parameters + (openapi_security.parameter_references() if shown_by_parameters else [])


def _one_of(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _answer(route: Route) -> Object:
    told = route.documentation
    headers = ["X-Request-Id", *(["X-Vaultsigner-Decision"] if told.decided else [])]
    if route.family is EXCHANGE:
        headers.append("X-Vaultsigner-Outcome")
    return {
        "description": "Done.",
        "headers": _header_references(headers),
        "content": _content(told.media_type, told.answer, {"answer": {"value": told.answer_example}}),
    }


def _approval_required() -> Object:
    return {
        "description": "Nothing is done yet: the rule wants others to approve first. Send the same request again, with the "
        f"approval's id as {APPROVAL}, once they have.",
        "headers": _header_references(("X-Request-Id", "X-Vaultsigner-Decision")),
        "content": _json("approval_required", {"approval_required": {"value": APPROVAL_REQUIRED}}),
    }


def _errors(codes: Iterable[str], schema: str, prefix: str) -> Object:
    codes_of_status: dict[int, list[str]] = defaultdict(list)
    for code in codes:
        codes_of_status[statuses.status_of(code)].append(code)
    return {
        str(status): _error(status, codes_of_status[status], schema, prefix)
        for status in sorted(codes_of_status)
    }


def _error(status: int, codes: list[str], schema: str, prefix: str) -> Object:
    headers = ["X-Request-Id"]
    if statuses.retry_after_seconds(status, None) is not None:
        headers.append("Retry-After")
    if any(code in CHALLENGES for code in codes):
        headers.append("WWW-Authenticate")
    return {
        "description": f"{' or '.join(codes)}.",
        "headers": _header_references(headers),
        "content": _json(schema, {code: {"$ref": f"#/components/examples/{prefix}{code}"} for code in codes}),
    }


def _header_references(names: Iterable[str]) -> Object:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _json(schema: str, examples: Mapping[str, JsonValue]) -> Object:
    return _content("application/json", schema, examples)


def _content(media_type: str, schema: str, examples: Mapping[str, JsonValue]) -> Object:
    return {
        media_type: {
            "schema": {"$ref": f"#/components/schemas/{schema}"},
            # Names of examples are map keys, which some importers want free of blanks.
            "examples": {title.lower().replace(" ", "_"): value for title, value in examples.items()},
        }
    }
