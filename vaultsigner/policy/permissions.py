"""The outer fence: what the lists of a wallet and of a user have in common. Policies narrow inside it, never beyond."""

from vaultsigner.config.settings import Settings, User, Wallet
from vaultsigner.domain.names import UserName
from vaultsigner.domain.permissions import Permission
from vaultsigner.domain.principals import Principal

_NONE: frozenset[Permission] = frozenset()


def common_permissions(settings: Settings, principal: Principal, wallet: Wallet) -> frozenset[Permission]:
    """The permissions that both the wallet and the principal have for it; empty for a principal nobody knows."""
    user = settings.users.get(UserName(principal.name)) if principal.kind == "user" else None
    return _NONE if user is None else wallet.permissions & user.wallet_permissions.get(wallet.name, _NONE)


def refuse_by_permission(wallet: Wallet, user: User, needed: Permission) -> str | None:
    """Why the fence keeps this user out, in the old service's words, the wallet's list first; None means inside it."""
    if needed not in wallet.permissions:
        return f"No permission {needed}"
    if needed not in user.wallet_permissions.get(wallet.name, _NONE):
        return f"User has no permission {needed} on wallet {wallet.name}"
    return None
