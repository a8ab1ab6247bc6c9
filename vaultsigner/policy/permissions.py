"""The outer fence: what the lists of a wallet and of a caller have in common. Policies narrow inside it, never beyond."""

from vaultsigner.config.settings import Client, User, Wallet
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
