"""Sets vaultsigner up on one machine the way its README tells people to: keys into Vault, least policy, token file, config.yml.

Everything goes through the product's own set-up code; only the operator's typing is missing.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import yaml

from vaultsigner import config
from vaultsigner.authentication.passwords import hash_password
from vaultsigner.cli.key_material import KeyMaterial
from vaultsigner.cli.key_store import look_up, store
from vaultsigner.cli.token_file import make_token_file
from vaultsigner.cli.vault_admin import OperatorVault
from vaultsigner.cli.vault_setup import set_up
from vaultsigner.config.settings import (
    ClientScheme,
    KvReference,
    ListenAddress,
    PartnerTask,
    RateLimit,
    Settings,
)
from vaultsigner.dev.beacon_transactions import address_of, hash160
from vaultsigner.dev.openbao import OpenBao
from vaultsigner.dev.planned_exchanges import PlannedExchange, PlannedOpenApiApp
from vaultsigner.dev.ports import free_port
from vaultsigner.domain.permissions import Permission

EVERY_PERMISSION = tuple(permission.value for permission in Permission)
ALLOW_EVERYTHING = """\
version: 1
rules:
  - id: within-permissions
    effect: allow
"""
TOKEN_PERIOD = "24h"  # noqa: S105 (a duration)


@dataclass(frozen=True, slots=True)
class PlannedWallet:
    """A wallet to plant: its key goes to Vault at `secret/wallets/<name>`, the rest into config.yml.

    Args:
        address_in_config: note the key's address in config.yml, where custody compares it before every use.
    """

    name: str
    material: KeyMaterial
    env_name: str = "TESTNET"
    permissions: tuple[str, ...] = EVERY_PERMISSION
    ip_whitelist: tuple[str, ...] = ()
    address_in_config: str | None = None

    def address(self, prefix: str) -> str:
        """On a chain whose addresses begin so."""
        return address_of(self.material.public_key, prefix)

    @property
    def account_hash(self) -> bytes:
        """The 20 bytes that an address spells."""
        return hash160(self.material.public_key)

    @property
    def reference(self) -> KvReference:
        """Where the key lies."""
        return KvReference("secret", f"wallets/{self.name}", self.material.kind)


@dataclass(frozen=True, slots=True)
class PlannedUser:
    """Somebody who may log in. `password_hash` saves making one, which takes a fifth of a second."""

    username: str
    password: str = field(repr=False)
    wallet_permissions: Mapping[str, tuple[str, ...]]
    password_hash: str | None = None
    roles: tuple[str, ...] = ()
    exchanges: tuple[str, ...] = ()
    open_api: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedClient:
    """A caller that signs its requests. A shared secret goes to Vault at `secret/clients/<name>`, the rest into config.yml.

    Args:
        secret: for the schemes `hmac` and `open_api`.
        public_key: PEM, for the schemes `rsa` and `ed25519`.
    """

    name: str
    api_key: str
    scheme: ClientScheme
    wallet_permissions: Mapping[str, tuple[str, ...]]
    secret: str | None = field(default=None, repr=False)
    public_key: str | None = None
    exchanges: tuple[str, ...] = ()
    open_api: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()

    @property
    def reference(self) -> KvReference:
        """Where a shared secret lies."""
        return KvReference("secret", f"clients/{self.name}", "secret")


@dataclass(frozen=True, slots=True)
class PlannedPartner:
    """Who may ask which tasks are completed; `public_key` is PEM."""

    url_prefix: str
    public_key: str
    tasks: Mapping[str, PartnerTask]


@dataclass(frozen=True, slots=True)
class Plan:
    """What an installation is to be.

    Args:
        nodes: URL of the node for each environment name.
        policy: the text of its one policy file.
        listen_port: of the API; 0 takes a free one.
        listen_host: of the API and the ops port.
        ops_port: 0 takes a free one.
        trusted_proxies: whose word on addresses and certificates counts.
        rate_limits: those that are not as usual, by their names in config.yml.
        state_url: None: a SQLite database in the installation's own directory.
        audit_directory: None: in the installation's own directory.
        audit: more of that section of config.yml, or other than usual.
    """

    wallets: tuple[PlannedWallet, ...]
    users: tuple[PlannedUser, ...]
    nodes: Mapping[str, str]
    policy: str = ALLOW_EVERYTHING
    listen_port: int = 0
    clients: tuple[PlannedClient, ...] = ()
    partner: PlannedPartner | None = None
    rate_limits: Mapping[str, RateLimit] = field(default_factory=dict)
    state_url: str | None = None
    audit_directory: Path | None = None
    exchanges: tuple[PlannedExchange, ...] = ()
    open_api: tuple[PlannedOpenApiApp, ...] = ()
    audit: Mapping[str, object] = field(default_factory=dict)
    listen_host: str = "127.0.0.1"
    ops_port: int = 0
    trusted_proxies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Installation:
    """A directory that `vaultsigner serve` can run on."""

    directory: Path
    settings: Settings

    @property
    def config_file(self) -> Path:
        """config.yml."""
        return self.settings.source

    @property
    def audit_directory(self) -> Path:
        """Where the records are."""
        return self.settings.audit.directory

    @property
    def token_path(self) -> Path:
        """The file with custody's Vault token."""
        return self.directory / "vault-token"

    @property
    def url(self) -> str:
        """Of the API."""
        return _url(self.settings.server.listen)

    @property
    def ops_url(self) -> str:
        """Of /healthz and /readyz."""
        return _url(self.settings.server.ops_listen)


def install(directory: Path, openbao: OpenBao, plan: Plan, *, planting: bool = True) -> Installation:
    """Plant the keys and write every file. Blocks for about a second, most of it Argon2id.

    Args:
        planting: False where another installation that shares this Vault has planted the same keys.

    Raises:
        ConfigError: the plan makes no valid configuration.
        VaultAccessError: OpenBao did not do its part.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directory / "policies").mkdir()
    (directory / "policies" / "policy.yml").write_text(plan.policy)
    config_file = directory / "config.yml"
    config_file.write_text(config_text(directory, openbao.address, plan))
    settings = config.load(config_file, {})
    installation = Installation(directory, settings)
    operator = OperatorVault(openbao.address, openbao.root_token)
    for _ in set_up(operator, settings):
        pass
    if planting:
        plant(operator, plan)
    make_token_file(
        operator,
        installation.token_path,
        period=TOKEN_PERIOD,
        read_token=lambda path: path.read_text(),
        as_holder=lambda token: OperatorVault(openbao.address, token),
    )
    return installation


def plant(operator: OperatorVault, plan: Plan) -> None:
    """Write every wallet's key and everybody's secret into Vault, over whatever is there."""
    for wallet in plan.wallets:
        store(operator, wallet.reference, wallet.material, replacing=look_up(operator, wallet.reference))
    for client in plan.clients:
        if client.secret is not None:
            reference = client.reference
            operator.write(
                f"{reference.mount}/data/{reference.path}", {"data": {reference.field: client.secret}}
            )
    for exchange in plan.exchanges:
        exchange.plant(operator)
    for app in plan.open_api:
        app.plant(operator)


def config_text(directory: Path, vault_address: str, plan: Plan) -> str:
    """config.yml, as a person would write it."""
    document: dict[str, object] = {
        "server": {
            "listen": f"{plan.listen_host}:{plan.listen_port or free_port()}",
            "ops_listen": f"{plan.listen_host}:{plan.ops_port or free_port()}",
            "trusted_proxies": list(plan.trusted_proxies),
        },
        "vault": {
            "address": vault_address,
            "auth": {"method": "token_file", "path": str(directory / "vault-token")},
        },
        "access_token_key": "transit:transit/access-tokens",
        "state": {"url": plan.state_url or f"sqlite:///{directory / 'state' / 'vaultsigner.db'}"},
        "audit": {
            "directory": str(plan.audit_directory or directory / "audit"),
            "checkpoint_key": "transit:transit/audit-checkpoints",
            **plan.audit,
        },
        "policies": str(directory / "policies"),
        "environments": {name: {"node_url": url} for name, url in plan.nodes.items()},
        "wallets": [_wallet(wallet) for wallet in plan.wallets],
        "users": [_user(user) for user in plan.users],
        **_callers(plan),
    }
    text: str = yaml.dump(
        document,
        Dumper=_PlainDumper,
        sort_keys=False,
        default_flow_style=None,
        width=110,
    )
    return text


def _wallet(wallet: PlannedWallet) -> dict[str, object]:
    entry: dict[str, object] = {
        "name": wallet.name,
        wallet.material.kind: str(wallet.reference),
        "env_name": wallet.env_name,
        "permissions": list(wallet.permissions),
    }
    if wallet.ip_whitelist:
        entry["ip_whitelist"] = list(wallet.ip_whitelist)
    if wallet.address_in_config:
        entry["address"] = wallet.address_in_config
    return entry


def _user(user: PlannedUser) -> dict[str, object]:
    return {
        "username": user.username,
        "password_hash": user.password_hash or hash_password(user.password),
        "wallet_permissions": _wallet_permissions(user.wallet_permissions),
        **({"roles": list(user.roles)} if user.roles else {}),
        **_uses(user),
    }


def _wallet_permissions(granted: Mapping[str, tuple[str, ...]]) -> list[dict[str, object]]:
    return [{"wallet_name": name, "permissions": list(permissions)} for name, permissions in granted.items()]


def _callers(plan: Plan) -> dict[str, object]:
    """The sections that only some installations have."""
    sections: dict[str, object] = {}
    if plan.clients:
        sections["clients"] = [_client(client) for client in plan.clients]
    if plan.exchanges:
        sections["exchanges"] = [exchange.entry() for exchange in plan.exchanges]
    if plan.open_api:
        sections["open_api"] = [app.entry() for app in plan.open_api]
    if plan.partner:
        tasks = {name: asdict(task) for name, task in plan.partner.tasks.items()}
        sections["partner"] = {
            "url_prefix": plan.partner.url_prefix,
            "public_key": plan.partner.public_key,
            "tasks": tasks,
        }
    if plan.rate_limits:
        sections["rate_limits"] = {
            name: {"count": limit.count, "every": f"{limit.every_seconds}s"}
            for name, limit in plan.rate_limits.items()
        }
    return sections


def _client(client: PlannedClient) -> dict[str, object]:
    proof = {"public_key": client.public_key} if client.secret is None else {"secret": str(client.reference)}
    return {
        "name": client.name,
        "api_key": client.api_key,
        "scheme": client.scheme,
        **proof,
        "wallet_permissions": _wallet_permissions(client.wallet_permissions),
        **_uses(client),
    }


def _uses(caller: PlannedUser | PlannedClient) -> dict[str, object]:
    named = {
        "exchanges": list(caller.exchanges),
        "open_api": list(caller.open_api),
        "certificates": list(caller.certificates),
    }
    return {section: names for section, names in named.items() if names}


def _url(listen: ListenAddress) -> str:
    return f"http://{listen}"


class _PlainDumper(yaml.SafeDumper):
    """Repeats what occurs twice: our own loader refuses aliases."""

    def ignore_aliases(self, data: object) -> bool:
        """Always."""
        return True
