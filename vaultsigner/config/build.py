"""From a checked configuration to the frozen settings that the program runs on."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from vaultsigner.config.anchor_settings import AnchorSettings, BucketAnchor, DirectoryAnchor, WitnessAnchor
from vaultsigner.config.auth_methods import build_auth
from vaultsigner.config.models import (
    AnchorModel,
    AuditModel,
    ClientModel,
    ConfigModel,
    EnvironmentModel,
    ExchangeModel,
    OpenApiAppModel,
    PartnerModel,
    RateLimitsModel,
    TracesModel,
    UserModel,
    WalletModel,
    WalletPermissionModel,
)
from vaultsigner.config.settings import (
    AuditSettings,
    Client,
    Environment,
    Exchange,
    OpenApiApp,
    Partner,
    PartnerTask,
    RateLimit,
    RateLimits,
    ServerSettings,
    Settings,
    StateOptions,
    TraceSettings,
    User,
    Wallet,
)
from vaultsigner.config.vault_settings import OverriddenAddress, VaultSettings
from vaultsigner.domain.names import ApiKey, ClientName, ExchangeName, UserName, WalletName
from vaultsigner.domain.permissions import Permission

DEFAULT_ENVIRONMENTS: Mapping[str, Environment] = MappingProxyType(
    {
        "TESTNET": Environment("TESTNET", "https://testnet-dex.binance.org", "Binance-Chain-Ganges", "tbnb"),
        "PROD": Environment("PROD", "https://dex.binance.org", "Binance-Chain-Tigris", "bnb"),
    }
)
"""The chains that need no word in the configuration."""
_BYTES_PER_MEGABYTE = 1_000_000


def build_settings(
    source: Path, config: ConfigModel, overridden: OverriddenAddress | None = None
) -> Settings:
    """Everything the configuration says. Nothing can be wrong with it any more.

    Args:
        source: the file, kept for messages.
        config: the file's content, cross-checked.
        overridden: the file's own Vault address, where a variable gave the one in `config`.
    """
    environments = dict(DEFAULT_ENVIRONMENTS)
    for name, model in config.environments.items():
        environments[name] = _environment(name, model)
    wallets = {WalletName(model.name): _wallet(model, environments) for model in config.wallets}
    return Settings(
        source=source,
        server=ServerSettings(
            config.server.listen, config.server.ops_listen, tuple(config.server.trusted_proxies)
        ),
        vault=VaultSettings(
            address=config.vault.address,
            auth=build_auth(config.vault.auth),
            namespace=config.vault.namespace,
            ca_cert=config.vault.ca_cert,
            overridden=overridden,
        ),
        access_token_expiry_minutes=config.access_token_expiry_minutes,
        access_token_key=config.access_token_key,
        state_url=config.state.url,
        state_options=StateOptions(
            aws_region=config.state.aws_iam.region if config.state.aws_iam else None,
            synchronous=config.state.replication == "synchronous",
        ),
        audit=_audit(config.audit),
        policies=config.policies,
        environments=MappingProxyType(environments),
        wallets=MappingProxyType(wallets),
        users=MappingProxyType({UserName(model.username): _user(model) for model in config.users}),
        clients=MappingProxyType({ClientName(model.name): _client(model) for model in config.clients}),
        exchanges=MappingProxyType(
            {ExchangeName(model.name): _exchange(model) for model in config.exchanges}
        ),
        open_api=MappingProxyType({model.name: _open_api_app(model) for model in config.open_api}),
        partner=_partner(config.partner) if config.partner else None,
        rate_limits=_rate_limits(config.rate_limits),
        traces=_traces(config.telemetry.traces) if config.telemetry.traces else None,
    )


def _audit(model: AuditModel) -> AuditSettings:
    return AuditSettings(
        directory=model.directory,
        checkpoint_key=model.checkpoint_key,
        checkpoint_every=model.checkpoint_every,
        rotate_bytes=model.rotate_megabytes * _BYTES_PER_MEGABYTE,
        anchors=tuple(_anchor(anchor) for anchor in model.anchors),
        accepted_rollbacks=frozenset(model.accepted_rollbacks),
        replica=model.replica,
    )


def _anchor(model: AnchorModel) -> AnchorSettings:
    if model.directory is not None:
        return DirectoryAnchor(model.name, model.directory, model.required)
    if model.url is not None:
        return WitnessAnchor(model.name, model.url, model.ca_cert, model.required)
    return BucketAnchor(
        name=model.name,
        bucket=model.bucket or "",
        retain_days=model.retain_days or 1,
        prefix="vaultsigner/" if model.prefix is None else model.prefix,
        mode=model.mode or "compliance",
        region=model.region,
        endpoint_url=model.endpoint_url,
        required=model.required,
    )


def _environment(name: str, model: EnvironmentModel) -> Environment:
    """What the file leaves out is the default's; the cross-checks have seen to it that only defaults leave anything out."""
    default = DEFAULT_ENVIRONMENTS.get(name, Environment(name, "", "", ""))
    return Environment(
        name=name,
        node_url=model.node_url or default.node_url,
        chain_id=model.chain_id or default.chain_id,
        address_prefix=model.address_prefix or default.address_prefix,
    )


def _wallet(model: WalletModel, environments: Mapping[str, Environment]) -> Wallet:
    networks = tuple(network for network in model.ip_whitelist if network is not None)
    return Wallet(
        name=WalletName(model.name),
        key=model.key(),
        key_kind="mnemonic" if model.private_key is None else "private_key",
        environment=environments[model.env_name],
        ip_whitelist=networks or None,
        permissions=frozenset(model.permissions),
        address=model.address,
    )


def _user(model: UserModel) -> User:
    return User(
        username=UserName(model.username),
        password_hash=model.password_hash,
        wallet_permissions=_wallet_permissions(model.wallet_permissions),
        roles=frozenset(model.roles),
        exchanges=tuple(model.exchanges),
        open_api=tuple(model.open_api),
        certificates=frozenset(model.certificates),
    )


def _client(model: ClientModel) -> Client:
    return Client(
        name=ClientName(model.name),
        api_key=ApiKey(model.api_key),
        scheme=model.scheme,
        wallet_permissions=_wallet_permissions(model.wallet_permissions),
        secret=model.secret,
        public_key=model.public_key.der if model.public_key else None,
        exchanges=tuple(model.exchanges),
        key_file=model.public_key.file if model.public_key else None,
        open_api=tuple(model.open_api),
        certificates=frozenset(model.certificates),
    )


def _exchange(model: ExchangeModel) -> Exchange:
    return Exchange(
        name=ExchangeName(model.name),
        base_url=model.base_url,
        api_key=model.api_key,
        scheme=model.scheme,
        secret=model.secret,
        public_key=model.public_key.der if model.public_key else None,
        key_file=model.public_key.file if model.public_key else None,
    )


def _open_api_app(model: OpenApiAppModel) -> OpenApiApp:
    return OpenApiApp(
        name=model.name,
        app_id=model.app_id,
        access_key_id=model.access_key_id,
        base_url=model.base_url,
        secret_key=model.secret_key,
        private_key=model.private_key,
    )


def _wallet_permissions(
    entries: Sequence[WalletPermissionModel],
) -> Mapping[WalletName, frozenset[Permission]]:
    return MappingProxyType(
        {WalletName(entry.wallet_name): frozenset(entry.permissions) for entry in entries}
    )


def _partner(model: PartnerModel) -> Partner:
    tasks = {name: PartnerTask(task.operation, task.wallet_is) for name, task in model.tasks.items()}
    key = model.public_key
    return Partner(model.url_prefix, key.der, key.bits, MappingProxyType(tasks), key.file)


def _traces(model: TracesModel) -> TraceSettings:
    return TraceSettings(model.otlp_endpoint, model.sample_percent, model.ca_cert)


def _rate_limits(model: RateLimitsModel) -> RateLimits:
    given = {name: getattr(model, name) for name in RateLimitsModel.model_fields}
    return replace(
        RateLimits(), **{name: RateLimit(limit.count, limit.every) for name, limit in given.items() if limit}
    )
