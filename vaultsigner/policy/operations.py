"""Everything that policies decide on, and what patterns in rules stand for."""

from vaultsigner.domain.decisions import Effect
from vaultsigner.domain.names import Operation
from vaultsigner.domain.permissions import PERMISSION_FOR_MESSAGE

NAMED_ONLY = frozenset(
    Operation(f"exchange.{name}")
    for name in ("withdraw", "transfer", "sub_account", "settings", "other", "user_stream")
)
"""What moves value out, opens doors, needs no signature, or may be anything at all: no pattern of an allow rule covers these."""

OPERATIONS: tuple[Operation, ...] = (
    *(Operation(f"{message}.{verb}") for message in PERMISSION_FOR_MESSAGE for verb in ("sign", "broadcast")),
    *(Operation(f"exchange.{name}") for name in ("order", "cancel", "amend", "query")),
    *sorted(NAMED_ONLY),
    *(Operation(f"open_api.{name}") for name in ("token", "decrypt", "user_data")),
)
FAMILIES = (*PERMISSION_FOR_MESSAGE, "exchange", "open_api")
"""What may stand before `.*`."""

TRANSFERS = frozenset(
    Operation(name)
    for name in ("transfer.sign", "transfer.broadcast", "exchange.withdraw", "exchange.transfer")
)
"""What moves value to somebody else, or to another account."""


def covered(words: list[str], effect: Effect) -> frozenset[Operation]:
    """The operations that a rule's words mean. Patterns that deny cover everything: a gap in them would be a hole."""
    prefixes = tuple(word[:-1] for word in words if word.endswith(".*"))
    return frozenset(
        operation
        for operation in OPERATIONS
        if operation in words
        or (
            (effect == "deny" or operation not in NAMED_ONLY)
            and ("*" in words or (prefixes and operation.startswith(prefixes)))
        )
    )
