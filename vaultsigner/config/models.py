"""The shape of config.yml. Only this edge knows pydantic; the rest of the program sees `settings`."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from vaultsigner.config import anchor_fields, auth_fields, caller_fields, exchange_fields, fields
from vaultsigner.config.fields import StrictModel, transit_key
from vaultsigner.config.problems import UnusableValueError
from vaultsigner.config.settings import KvReference, ListenAddress, Network, TransitReference
from vaultsigner.config.state_options import check_state_options


def _star_alone(entries: list[Network | None]) -> list[Network | None]:
    if None in entries and len(entries) > 1:
        message = "a star beside addresses: it would let every address in"
        raise UnusableValueError(message, "remove the star, or the addresses")
    return entries


def _nothing_is_empty(value: Any) -> Any:
    """`exchanges:` with nothing behind it."""
    return [] if value is None else value


def _empty_is_none(value: Any) -> Any:
    return None if value == {} else value


Whitelist = Annotated[list[fields.WhitelistEntry], AfterValidator(_star_alone)]
Names = Annotated[list[fields.Name], Field(default_factory=list)]
"""Of exchanges or apps that a caller may use; the cross-checks see to it that there are such."""


class ServerModel(StrictModel):
    """Section `server`."""

    listen: fields.Listen = ListenAddress("127.0.0.1", 8000)
    ops_listen: fields.Listen = ListenAddress("127.0.0.1", 9100)
    trusted_proxies: list[fields.TrustedNetwork] = Field(default_factory=list)

    @model_validator(mode="after")
    def _two_listeners(self) -> Self:
        if self.listen == self.ops_listen and self.listen.port != 0:
            raise UnusableValueError(
                "listen and ops_listen are the same", "give ops_listen another port, e.g. 9100"
            )
        return self


class AuthModel(StrictModel):
    """`vault.auth`: each member but `method` belongs to some methods alone; `auth_checks` says which."""

    method: auth_fields.Method = "token_file"
    path: fields.FilePath | None = None
    mount: auth_fields.Mount | None = None
    role: auth_fields.Role | None = None
    role_id: auth_fields.RoleId | None = None
    secret_id_file: fields.FilePath | None = None
    wrapped: bool | None = None
    token_file: fields.FilePath | None = None
    certificate: fields.FilePath | None = None
    private_key: fields.FilePath | None = None
    region: anchor_fields.Region | None = None
    server_id: auth_fields.ServerId | None = None
    sts_endpoint: auth_fields.StsEndpoint | None = None


class VaultModel(StrictModel):
    """Section `vault`."""

    address: fields.VaultAddress = "http://127.0.0.1:8200"
    namespace: fields.VaultNamespace | None = None
    ca_cert: fields.FilePath | None = None
    auth: AuthModel = AuthModel()


class AwsIamModel(StrictModel):
    """`state.aws_iam`."""

    region: anchor_fields.Region


class StateModel(StrictModel):
    """Section `state`."""

    url: fields.StateUrl = Field(default="sqlite:///state/vaultsigner.db", repr=False)
    aws_iam: AwsIamModel | None = None
    replication: fields.Replication = "asynchronous"

    @model_validator(mode="after")
    def _fits_the_url(self) -> Self:
        check_state_options(self.url, aws_iam=self.aws_iam is not None, replication=self.replication)
        return self


class AnchorModel(StrictModel):
    """One of `audit.anchors`: exactly one of directory, url and bucket says where it is; the others belong to one kind each."""

    name: fields.Name
    directory: fields.FilePath | None = None
    url: anchor_fields.WitnessUrl | None = None
    ca_cert: fields.FilePath | None = None
    bucket: anchor_fields.BucketName | None = None
    prefix: anchor_fields.KeyPrefix | None = None
    region: anchor_fields.Region | None = None
    endpoint_url: anchor_fields.EndpointUrl | None = None
    retain_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    mode: anchor_fields.Mode | None = None
    required: bool = True

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        places = [self.directory, self.url, self.bucket]
        if places.count(None) != len(places) - 1:
            problem = "it is not said where" if not any(places) else "one anchor is in one place"
            raise UnusableValueError(problem, "write exactly one of directory, url and bucket")
        if self.bucket and self.retain_days is None:
            hint = "write for how many days nobody may delete a checkpoint, e.g. `retain_days: 3650`"
            raise UnusableValueError("retain_days is missing", hint)
        return self


class AuditModel(StrictModel):
    """Section `audit`."""

    directory: fields.FilePath = Path("audit")
    checkpoint_key: Annotated[TransitReference, transit_key("transit:transit/audit-checkpoints")] | None = (
        None
    )
    checkpoint_every: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    replica: fields.Name | None = None
    rotate_megabytes: Annotated[int, Field(ge=1, le=10_240)] = 256
    anchors: Annotated[list[AnchorModel], BeforeValidator(_nothing_is_empty)] = Field(default_factory=list)
    accepted_rollbacks: Annotated[
        list[anchor_fields.AcceptedRollback], BeforeValidator(_nothing_is_empty)
    ] = Field(default_factory=list)


class EnvironmentModel(StrictModel):
    """One of `environments`; what is left out comes from the environment of that name that we know, if we do."""

    node_url: fields.NodeUrl | None = None
    chain_id: fields.ChainId | None = None
    address_prefix: fields.AddressPrefix | None = None


class WalletModel(StrictModel):
    """One of `wallets`."""

    name: fields.Name
    private_key: fields.KeyReference | None = None
    mnemonic: fields.KeyReference | None = None
    address: fields.WalletAddress | None = None
    env_name: fields.Name = "PROD"
    ip_whitelist: Whitelist = Field(default_factory=list)
    permissions: list[fields.PermissionWord]

    def key(self) -> KvReference:
        """Where the key lies: exactly one of private_key and mnemonic says it.

        Raises:
            UnusableValueError: both do, or none.
        """
        if self.private_key is not None and self.mnemonic is not None:
            raise UnusableValueError(
                "both private_key and mnemonic are given", "keep the one that signs for this wallet"
            )
        key = self.private_key or self.mnemonic
        if key is None:
            how = f"`private_key: vault:secret/wallets/{self.name}#private_key`, or mnemonic"
            raise UnusableValueError("there is no key", f"write {how}")
        return key

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        self.key()
        return self


class WalletPermissionModel(StrictModel):
    """One of a user's or a client's `wallet_permissions`."""

    wallet_name: fields.Name
    permissions: list[fields.PermissionWord]


class UserModel(StrictModel):
    """One of `users`."""

    username: fields.Name
    password_hash: fields.PasswordHash
    wallet_permissions: list[WalletPermissionModel] = Field(default_factory=list)
    roles: list[caller_fields.UserRoleWord] = Field(default_factory=list)
    exchanges: Names
    open_api: Names
    certificates: caller_fields.Certificates = Field(default_factory=list)


class ClientModel(StrictModel):
    """One of `clients`. The scheme is read first: it says what the others must be."""

    name: fields.Name
    scheme: caller_fields.Scheme
    api_key: caller_fields.ApiKeyText
    secret: caller_fields.ClientSecret = Field(default=None, validate_default=True)
    public_key: caller_fields.ClientKey = Field(default=None, validate_default=True)
    wallet_permissions: list[WalletPermissionModel] = Field(default_factory=list)
    exchanges: Names
    open_api: Names
    certificates: caller_fields.Certificates = Field(default_factory=list)


class ExchangeModel(StrictModel):
    """One of `exchanges`. The scheme is read before the key, which must be of its type."""

    name: fields.Name
    base_url: exchange_fields.BaseUrl
    api_key: exchange_fields.Identifier
    scheme: exchange_fields.Scheme
    secret: exchange_fields.ExchangeSecret
    public_key: exchange_fields.VerifyingKey = None


class OpenApiAppModel(StrictModel):
    """One of `open_api`."""

    name: fields.Name
    app_id: exchange_fields.Identifier
    access_key_id: exchange_fields.Identifier
    base_url: exchange_fields.BaseUrl
    secret_key: exchange_fields.AppSecret
    private_key: exchange_fields.AppSecret | None = None


class PartnerTaskModel(StrictModel):
    """One of `partner.tasks`."""

    operation: caller_fields.OperationWord
    wallet_is: caller_fields.Role


class PartnerModel(StrictModel):
    """Section `partner`."""

    url_prefix: caller_fields.UrlPrefix
    public_key: caller_fields.PartnerKey
    tasks: dict[fields.Name, PartnerTaskModel] = Field(default_factory=dict)


class RateLimitModel(StrictModel):
    """One of `rate_limits`."""

    count: Annotated[int, Field(ge=1, le=1_000_000)]
    every: caller_fields.EverySeconds


class RateLimitsModel(StrictModel):
    """Section `rate_limits`; what is left out keeps its default."""

    log_ins_per_user: RateLimitModel | None = None
    log_ins_per_address: RateLimitModel | None = None
    failed_signatures_per_address: RateLimitModel | None = None
    requests_per_client: RateLimitModel | None = None
    public_calls_per_address: RateLimitModel | None = None


class TracesModel(StrictModel):
    """`telemetry.traces`."""

    otlp_endpoint: fields.CollectorUrl
    sample_percent: Annotated[int, Field(ge=1, le=100)] = 100
    ca_cert: fields.FilePath | None = None


class TelemetryModel(StrictModel):
    """Section `telemetry`."""

    traces: TracesModel | None = None


class ConfigModel(StrictModel):
    """All of config.yml."""

    server: ServerModel = ServerModel()
    vault: VaultModel = VaultModel()
    access_token_expiry_minutes: Annotated[int, Field(ge=1, le=525_600)] = 10_080
    access_token_key: Annotated[TransitReference, transit_key("transit:transit/access-tokens")] = (
        TransitReference("transit", "access-tokens")
    )
    state: StateModel = StateModel()
    audit: AuditModel = AuditModel()
    policies: fields.FilePath = Path("policies")
    environments: dict[fields.Name, EnvironmentModel] = Field(default_factory=dict)
    wallets: list[WalletModel] = Field(default_factory=list)
    users: list[UserModel] = Field(default_factory=list)
    clients: list[ClientModel] = Field(default_factory=list)
    exchanges: Annotated[list[ExchangeModel], BeforeValidator(_nothing_is_empty)] = Field(
        default_factory=list
    )
    open_api: Annotated[list[OpenApiAppModel], BeforeValidator(_nothing_is_empty)] = Field(
        default_factory=list
    )
    partner: Annotated[PartnerModel | None, BeforeValidator(_empty_is_none)] = None
    rate_limits: RateLimitsModel = RateLimitsModel()
    telemetry: TelemetryModel = TelemetryModel()
