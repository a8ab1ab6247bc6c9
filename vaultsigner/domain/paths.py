"""Which path asks for which signature: the server routes by this table, and custody holds tokens over a path to it. Pure."""

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


def signing_paths(kind: str, verb: str) -> tuple[str, ...]:
    """The paths that ask for this, without a closing slash, which may follow."""
    return tuple(f"{path}/{verb}" for path in PATHS_OF_MESSAGES[kind])


def asked_at(method: str, path: str) -> Operation | None:
    """What a request with this method and path asks to be signed; None where it asks for no signature.

    Args:
        path: as sent. In another spelling than the table's it asks for nothing.
    """
    return _OPERATIONS.get(path.removesuffix("/")) if method == METHOD else None


def may_mean(operation: Operation, method: str, path: str) -> bool:
    """Whether a request for this operation can have been sent there. Operations that sign nothing are not told apart."""
    meant = asked_at(method, path)
    return operation not in _SIGNING if meant is None else operation == meant


_OPERATIONS = {
    path: Operation(f"{kind}.{verb}")
    for kind in PATHS_OF_MESSAGES
    for verb in VERBS
    for path in signing_paths(kind, verb)
}
_SIGNING = frozenset(_OPERATIONS.values())
