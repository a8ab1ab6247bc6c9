"""The outer fence: what the lists of a wallet and of a caller have in common. Policies narrow inside it, never beyond."""

from vaultsigner.config.settings import Client, User, Wallet
from vaultsigner.domain.names import ExchangeName
from vaultsigner.domain.permissions import Permission

Caller = User | Client
_NONE: frozenset[Permission] = frozenset()


def common_permissions(wallet: Wallet, caller: Caller) -> frozenset[Permission]:
    """What the wallet's list and the caller's list for it have in common."""
    return wallet.permissions & caller.wallet_permissions.get(wallet.name, _NONE)


def refuse_by_permission(wallet: Wallet, caller: Caller, needed: Permission) -> str | None:
    """Why the fence keeps this caller out, in the old service's words, the wallet's list first; None means inside it."""
    if needed not in wallet.permissions:
        return f"No permission {needed}"
    if needed not in caller.wallet_permissions.get(wallet.name, _NONE):
        who = "User" if isinstance(caller, User) else "Client"
        return f"{who} has no permission {needed} on wallet {wallet.name}"
    return None


def refuse_by_exchange(exchange: ExchangeName, caller: Caller) -> str | None:
    """Why the fence keeps this caller from an exchange; None means inside it."""
    return None if exchange in caller.exchanges else _not_listed("exchanges", caller, f"exchange {exchange}")


def refuse_by_open_api(app: str, caller: Caller) -> str | None:
    """Why the fence keeps this caller from an app of the Open API; None means inside it."""
    return None if app in caller.open_api else _not_listed("open_api", caller, f"Open API app {app}")


def _not_listed(section: str, caller: Caller, what: str) -> str:
    who = "User" if isinstance(caller, User) else "Client"
    return f"{who} may not use {what}: it is not in the list {section} of config.yml"
