"""Which path asks for which signature: the server routes by these tables, and custody holds tokens over a path to them. Pure."""

from collections.abc import Mapping
from types import MappingProxyType

from vaultsigner.domain.names import Operation

METHOD = "POST"
VERBS = ("sign", "broadcast")
PATHS_OF_MESSAGES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "order": ("/api/order",),
        "cancel_order": ("/api/cancel_order", "/api/order/cancel"),
        "transfer": ("/api/transfer",),
        "freeze": ("/api/freeze",),
        "unfreeze": ("/api/unfreeze",),
        "vote": ("/api/vote",),
    }
)
"""By message kind; the first path is the one to use. What is done with the message follows as `/sign` or `/broadcast`."""


FORWARDED = "/exchange/"
"""What the paths of requests begin with that are forwarded to an exchange; its name follows, and the path there."""
PATHS_OF_OPEN_API: Mapping[Operation, tuple[str, str]] = MappingProxyType(
    {
        Operation("open_api.token"): ("POST", "/token"),
        Operation("open_api.decrypt"): ("POST", "/decrypt"),
        Operation("open_api.user_data"): ("GET", "/user-data"),
    }
)
"""The method, and what follows `/api/open_api/<name>`."""


def signing_paths(kind: str, verb: str) -> tuple[str, ...]:
    """The paths that ask for this, without a closing slash, which may follow."""
    return tuple(f"{path}/{verb}" for path in PATHS_OF_MESSAGES[kind])


def asked_at(method: str, path: str) -> Operation | None:
    """What a request with this method and path asks to be signed; None where it asks for no signature.

    Args:
        path: as sent. In another spelling than the table's it asks for nothing.
    """
    return _OPERATIONS.get(path.removesuffix("/")) if method == METHOD else None


def forwarded_place(path: str) -> tuple[str, str] | None:
    """The exchange's name and the path there, of a request that is to be forwarded; None where the path is none of these.

    Args:
        path: as sent, without the query: `/exchange/binance-main/api/v3/order`. Neither part is looked at any closer.
    """
    if not path.startswith(FORWARDED):
        return None
    name, slash, rest = path.removeprefix(FORWARDED).partition("/")
    return name, slash + rest


def sign_only_exchange(path: str) -> str | None:
    """The name of the exchange that a request to sign is for, which somebody else sends then; None for other paths."""
    return _name_between("/api/exchange/", path, "/sign")


def open_api_at(method: str, path: str) -> tuple[Operation, str] | None:
    """What is asked about the Open API, and the name of the app; None where the path is none of these."""
    for operation, (own_method, ending) in PATHS_OF_OPEN_API.items():
        name = _name_between("/api/open_api/", path, ending)
        if name is not None and method == own_method:
            return operation, name
    return None


def may_mean(operation: Operation, method: str, path: str) -> bool:
    """Whether a request for this operation can have been sent there. Operations that sign nothing are not told apart.

    What a request to an exchange means is more than its path: whoever signs for it decodes it and compares.
    """
    meant = asked_at(method, path)
    if meant is not None:
        return operation == meant
    family = operation.partition(".")[0]
    if forwarded_place(path) is not None or (method == METHOD and sign_only_exchange(path) is not None):
        return family == "exchange"
    open_api = open_api_at(method, path)
    if open_api is not None:
        return operation == open_api[0]
    return operation not in _SIGNING and family not in ("exchange", "open_api")


def _name_between(start: str, path: str, end: str) -> str | None:
    name = path.removeprefix(start).removesuffix("/").removesuffix(end)
    spelled = f"{start}{name}{end}"
    return name if name and "/" not in name and path in (spelled, f"{spelled}/") else None


_OPERATIONS = {
    path: Operation(f"{kind}.{verb}")
    for kind in PATHS_OF_MESSAGES
    for verb in VERBS
    for path in signing_paths(kind, verb)
}
_SIGNING = frozenset(_OPERATIONS.values())
