"""Which wallet is meant, whether this caller may know of it, and the public key behind it."""

from collections.abc import Mapping

from vaultsigner.config.settings import Settings, Wallet
from vaultsigner.custody.client import CustodyClient
from vaultsigner.custody.protocol import PublicKeyAnswer
from vaultsigner.domain.names import JsonValue, WalletName
from vaultsigner.domain.refusals import Refusal
from vaultsigner.domain.targets import Target
from vaultsigner.domain.vault_reads import VaultRead
from vaultsigner.policy.permissions import common_permissions
from vaultsigner.signing.callers import Caller
from vaultsigner.signing.calls import IpAddress
from vaultsigner.signing.trail import Trail


class WalletDirectory:
    """The wallets of the configuration, and their public keys once custody has told them.

    A public key, once learnt, is kept for the life of the process: a wallet whose key changes under it is an error that custody
    and the check of each signature both notice, never a silent change of account.
    """

    def __init__(self, settings: Settings, custody: CustodyClient) -> None:
        self._wallets: Mapping[WalletName, Wallet] = settings.wallets
        self._custody = custody
        self._public_keys: dict[WalletName, PublicKeyAnswer] = {}

    def find(self, name: str, caller: Caller, trail: Trail) -> Wallet | Refusal:
        """The wallet, where this caller has any permission on it; one answer for unknown and for not theirs."""
        wallet = self._wallets.get(WalletName(name))
        if wallet is not None:
            trail.target = Target("wallet", wallet.name)
        if wallet is None or not common_permissions(wallet, caller.account):
            return Refusal(
                "wallet_not_found",
                f"Not authorised to access wallet {name[:64]}",
                reason="the wallet is unknown"
                if wallet is None
                else f"{caller.principal} shares no permission with it",
            )
        return wallet

    async def public_key(self, wallet: Wallet, trail: Trail) -> PublicKeyAnswer:
        """The wallet's public key and address; the first time, the trail gets to know of the key read.

        Raises:
            CustodyError: it is not known yet, and custody or Vault cannot tell it.
        """
        known = self._public_keys.get(wallet.name)
        if known is None:
            known = await self._custody.public_key(wallet.name)
            trail.vault_reads += (VaultRead("public_key", wallet.key.audited_path, known.vault_request_id),)
            self._public_keys[wallet.name] = known
        return known

    async def describe(self, wallet: Wallet, caller: Caller, trail: Trail) -> dict[str, JsonValue]:
        """One wallet as the wallet routes answer it (contract of the old service, section 5).

        Raises:
            CustodyError: as for `public_key`.
        """
        key = await self.public_key(wallet, trail)
        return {
            "name": wallet.name,
            "permissions": [
                str(permission) for permission in sorted(common_permissions(wallet, caller.account))
            ],
            "env": wallet.environment.name,
            "address": key.address,
            "public_key": key.public_key.hex(),
        }

    def visible_to(self, caller: Caller) -> list[Wallet]:
        """Wallets that share a permission with the caller, in the order of the configuration."""
        return [wallet for wallet in self._wallets.values() if common_permissions(wallet, caller.account)]


def refuse_by_address(wallet: Wallet, ip: IpAddress) -> Refusal | None:
    """The wallet's `ip_whitelist`: None means welcome."""
    if wallet.ip_whitelist is None or any(ip in network for network in wallet.ip_whitelist):
        return None
    return Refusal(
        "address_not_allowed",
        f"Access denied {ip}: the wallet's ip_whitelist does not name this address",
        detail=f"Access denied {ip}",
        reason="the address is not in the wallet's ip_whitelist",
    )
