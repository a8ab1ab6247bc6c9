"""From a checked configuration to the frozen settings that the program runs on."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from vaultsigner.config.models import ConfigModel, UserModel, WalletModel
from vaultsigner.config.settings import (
    AuditSettings,
    Environment,
    ServerSettings,
    Settings,
    TokenFileAuth,
    User,
    VaultSettings,
    Wallet,
)
from vaultsigner.domain.names import UserName, WalletName

DEFAULT_ENVIRONMENTS: Mapping[str, Environment] = MappingProxyType(
    {
        "TESTNET": Environment("TESTNET", "https://testnet-dex.binance.org", "Binance-Chain-Ganges", "tbnb"),
        "PROD": Environment("PROD", "https://dex.binance.org", "Binance-Chain-Tigris", "bnb"),
    }
)
"""The chains that need no word in the configuration."""


def build_settings(
    source: Path, config: ConfigModel, environments: Mapping[str, Environment | None]
) -> Settings:
    """Everything the configuration says. Nothing can be wrong with it any more.

    Args:
        source: the file, kept for messages.
        config: the file's content, cross-checked.
        environments: as the cross-checks completed them.
    """
    known = {name: environment for name, environment in environments.items() if environment is not None}
    wallets = {WalletName(model.name): _wallet(model, known) for model in config.wallets}
    return Settings(
        source=source,
        server=ServerSettings(
            config.server.listen, config.server.ops_listen, tuple(config.server.trusted_proxies)
        ),
        vault=VaultSettings(
            address=config.vault.address,
            auth=TokenFileAuth(config.vault.auth.path),
            namespace=config.vault.namespace,
            ca_cert=config.vault.ca_cert,
        ),
        access_token_expiry_minutes=config.access_token_expiry_minutes,
        access_token_key=config.access_token_key,
        state_url=config.state.url,
        audit=AuditSettings(
            config.audit.directory, config.audit.checkpoint_key, config.audit.checkpoint_every
        ),
        policies=config.policies,
        environments=MappingProxyType(known),
        wallets=MappingProxyType(wallets),
        users=MappingProxyType({UserName(model.username): _user(model) for model in config.users}),
    )


def _wallet(model: WalletModel, environments: Mapping[str, Environment]) -> Wallet:
    key = model.private_key or model.mnemonic
    if key is None:
        raise AssertionError("WalletModel holds exactly one key")
    networks = tuple(network for network in model.ip_whitelist if network is not None)
    return Wallet(
        name=WalletName(model.name),
        key=key,
        key_kind="private_key" if model.private_key is not None else "mnemonic",
        environment=environments[model.env_name],
        ip_whitelist=networks or None,
        permissions=frozenset(model.permissions),
        address=model.address,
    )


def _user(model: UserModel) -> User:
    return User(
        username=UserName(model.username),
        password_hash=model.password_hash,
        wallet_permissions=MappingProxyType(
            {
                WalletName(entry.wallet_name): frozenset(entry.permissions)
                for entry in model.wallet_permissions
            }
        ),
    )
