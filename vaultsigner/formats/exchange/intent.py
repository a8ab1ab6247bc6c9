"""What a request to an exchange means as an intent. Server and custody build it alike. Pure."""

from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import ExchangeName
from vaultsigner.formats.exchange.meaning import Meaning


def exchange_intent(meaning: Meaning, exchange: ExchangeName) -> Intent:
    """What policies decide on.

    Args:
        meaning: of the whole request.
        exchange: its name in the configuration.
    """
    return Intent(meaning.operation, f"exchange:{exchange}", meaning.items)
