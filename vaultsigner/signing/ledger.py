"""What a transaction does, for whom: the words of the operations ledger, which task completion is answered from."""

from vaultsigner.domain.intents import Intent
from vaultsigner.state import Performed

TRANSFER = "transfer"


def performed_by(intent: Intent, address: str) -> tuple[Performed, ...]:
    """Every address that a message concerns, and its role.

    Args:
        address: of the account that signs.
    """
    operation = intent.operation.partition(".")[0]
    sender = Performed(operation, "sender", address)
    if operation != TRANSFER:
        return (sender,)
    receivers = dict.fromkeys(str(item["to_address"]) for item in intent.items)
    return (sender, *(Performed(operation, "recipient", receiver) for receiver in receivers))
