"""The outer fence: what the lists of a wallet and of a user have in common. Policies narrow inside it, never beyond."""

from vaultsigner.config.settings import User, Wallet
from vaultsigner.domain.permissions import Permission

_NONE: frozenset[Permission] = frozenset()


def common_permissions(wallet: Wallet, user: User) -> frozenset[Permission]:
    """What the wallet's list and the user's list for it have in common."""
    return wallet.permissions & user.wallet_permissions.get(wallet.name, _NONE)


def refuse_by_permission(wallet: Wallet, user: User, needed: Permission) -> str | None:
    """Why the fence keeps this user out, in the old service's words, the wallet's list first; None means inside it."""
    if needed not in wallet.permissions:
        return f"No permission {needed}"
    if needed not in user.wallet_permissions.get(wallet.name, _NONE):
        return f"User has no permission {needed} on wallet {wallet.name}"
    return None
