"""Who asks, and wallets."""

from vaultsigner.client.answers.signing import Principal, Wallet, WhoAsks
from vaultsigner.client.answers.validation import reading
from vaultsigner.client.asks import Ask, segment
from vaultsigner.client.calls.documents import encoded
from vaultsigner.client.reply import Reply

_read_who = reading(WhoAsks)
_read_wallet = reading(Wallet)
_read_wallets = reading(tuple[Wallet, ...])


def check() -> Ask[Principal]:
    """Who the service takes the caller for. The request to try a new key with: it does nothing else."""
    return Ask("GET", "/api/auth/check", lambda reply: _read_who(reply).principal, operation="auth.check")


def wallets() -> Ask[tuple[Wallet, ...]]:
    """The wallets that the caller may use, in the order of config.yml."""
    return Ask("GET", "/api/wallet", _read_wallets, operation="wallet.list")


def wallet(name: str) -> Ask[Wallet]:
    """One wallet.

    Raises:
        NotFoundError: it is not there, or not the caller's.
    """
    return Ask("GET", f"/api/wallet/{segment(name)}", _read_wallet, operation="wallet.read")


def resync(wallet_name: str) -> Ask[None]:
    """Fetch a wallet's sequence from the node; settles a broadcast whose outcome is unknown, too.

    Raises:
        OutcomeUnknownError: the node does not know yet either.
    """
    body = encoded({"wallet_name": wallet_name})
    return Ask("POST", "/api/wallet/resync", _nothing, body=body, operation="wallet.resync")


def _nothing(_reply: Reply) -> None:
    """The answer is an empty object."""
