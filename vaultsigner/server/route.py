"""What the tables of routes are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vaultsigner.domain.names import JsonValue, Operation
from vaultsigner.server.edge import Endpoint
from vaultsigner.server.families import BARE, Family


@dataclass(frozen=True, slots=True)
class Variable:
    """A part of a path, or a query parameter, that callers fill in.

    Args:
        rest: it is the rest of the path, slashes included.
        optional: it may be left out.
    """

    description: str
    example: str
    rest: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Documentation:
    """What the OpenAPI document says of a route.

    Args:
        request: name of the request's schema in `schemas.SCHEMAS`; None where there is no JSON body.
        optional_body: whether that body may be left out.
        examples: title to example body.
        form: name of the schema of what may come in the query, or, where the method has a body, as a form.
        answer: name of the answer's schema.
        answer_example: an answer as it is sent.
        errors: the refusal codes that the route can answer with.
        variables: the path's.
        query: the parameters that the query has to have, or may have.
        media_type: the answer's.
        users_only: no client that signs its requests may ask, so that only access tokens are worth mentioning.
        decided: policy decides; the answer may also be that others have to approve first.
    """

    tag: str
    summary: str
    description: str
    answer: str
    answer_example: JsonValue
    errors: tuple[str, ...]
    request: str | None = None
    examples: Mapping[str, JsonValue] = field(default_factory=dict)
    form: str | None = None
    authenticated: bool = True
    decided: bool = False
    sync: bool = False
    optional_body: bool = False
    variables: Mapping[str, Variable] = field(default_factory=dict)
    query: Mapping[str, Variable] = field(default_factory=dict)
    media_type: str = "application/json"
    users_only: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """One thing that can be asked for, under all its spellings; the first path is the one to use.

    Args:
        closing_slash: whether each path is served with one, too.
    """

    method: str
    paths: tuple[str, ...]
    operation: Operation
    endpoint: Endpoint
    documentation: Documentation
    family: Family = BARE
    closing_slash: bool = False

    def spelled_paths(self) -> tuple[str, ...]:
        """Every path that is served. The old service wanted a closing slash at some routes and refused it at others."""
        if not self.closing_slash:
            return self.paths
        return tuple(spelled for path in self.paths for spelled in (path, f"{path}/"))

    def served_paths(self) -> tuple[str, ...]:
        """The same, as the router takes them."""
        return tuple(map(self._routed, self.spelled_paths()))

    def _routed(self, path: str) -> str:
        for name, variable in self.documentation.variables.items():
            if variable.rest:
                path = path.replace(f"{{{name}}}", f"{{{name}:.*}}")
        return path
