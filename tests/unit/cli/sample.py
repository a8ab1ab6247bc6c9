"""Settings made by hand, for tests that need no file."""

from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path

from vaultsigner.cli.exchange_target import read_place
from vaultsigner.config.anchor_settings import DirectoryAnchor
from vaultsigner.config.settings import (
    AuditSettings,
    Client,
    Environment,
    Exchange,
    ExchangeScheme,
    KvReference,
    ListenAddress,
    OpenApiApp,
    ServerSettings,
    Settings,
    TransitReference,
    Wallet,
)
from vaultsigner.config.vault_settings import TokenFileAuth, VaultSettings
from vaultsigner.domain.names import ApiKey, ClientName, ExchangeName, WalletName
from vaultsigner.domain.permissions import Permission

TESTNET = Environment("TESTNET", "https://testnet-dex.binance.org", "Binance-Chain-Ganges", "tbnb")


def sample_wallet(name: str, path: str, *, mount: str = "secret", address: str | None = None) -> Wallet:
    """A wallet whose private key lies at mount and path."""
    return Wallet(
        name=WalletName(name),
        key=KvReference(mount, path, "private_key"),
        key_kind="private_key",
        environment=TESTNET,
        ip_whitelist=(ip_network("127.0.0.1/32"),),
        permissions=frozenset({Permission.TRADE}),
        address=address,
    )


def sample_client(name: str, path: str | None, *, mount: str = "secret") -> Client:
    """A client whose shared secret lies at mount and path; where there is no path, one with a key of its own."""
    return Client(
        name=ClientName(name),
        api_key=ApiKey(f"vs_{name}"),
        scheme="hmac" if path else "ed25519",
        wallet_permissions={},
        secret=KvReference(mount, path, "secret") if path else None,
        public_key=None if path else b"a key",
    )


def sample_exchange(name: str, secret: str, *, scheme: ExchangeScheme = "hmac") -> Exchange:
    """An exchange account whose secret lies where a reference says, as config.yml has it."""
    place = read_place(secret)
    return Exchange(ExchangeName(name), "https://api.binance.com", "vmPUZE6m", scheme, place)


def sample_app(name: str, path: str, *, opens: bool = False) -> OpenApiApp:
    """An Open API app whose secrets lie at a path, the RSA key only if it has one."""
    private_key = KvReference("secret", path, "private_key") if opens else None
    secret_key = KvReference("secret", path, "secret_key")
    return OpenApiApp(name, "1234", "AK_1", "https://api.binance.com", secret_key, private_key)


def sample_settings(
    *wallets: Wallet,
    clients: Sequence[Client] = (),
    exchanges: Sequence[Exchange] = (),
    open_api: Sequence[OpenApiApp] = (),
    vault_address: str = "http://127.0.0.1:8200",
    access_token_key: TransitReference | None = None,
) -> Settings:
    """A whole configuration around the wallets."""
    anywhere = ListenAddress("127.0.0.1", 0)
    return Settings(
        source=Path("config.yml"),
        server=ServerSettings(anywhere, anywhere, ()),
        vault=VaultSettings(vault_address, TokenFileAuth(Path("/run/vault/token"))),
        access_token_expiry_minutes=10080,
        access_token_key=access_token_key or TransitReference("transit", "access-tokens"),
        state_url="sqlite:///state/vaultsigner.db",
        audit=AuditSettings(
            Path("audit"),
            TransitReference("transit", "audit-checkpoints"),
            1000,
            anchors=(DirectoryAnchor("second-disk", Path("/mnt/anchors")),),
        ),
        policies=Path("policies"),
        environments={"TESTNET": TESTNET},
        wallets={wallet.name: wallet for wallet in wallets},
        users={},
        clients={client.name: client for client in clients},
        exchanges={exchange.name: exchange for exchange in exchanges},
        open_api={app.name: app for app in open_api},
    )
