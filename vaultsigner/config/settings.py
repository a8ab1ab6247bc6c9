"""What a valid config.yml means, frozen. Secrets are references; none of these values is one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal

from vaultsigner.config.anchor_settings import AnchorSettings
from vaultsigner.config.vault_settings import VaultSettings
from vaultsigner.domain.names import ApiKey, CertificateDigest, ClientName, ExchangeName, UserName, WalletName
from vaultsigner.domain.permissions import Permission

Network = IPv4Network | IPv6Network
ClientScheme = Literal["hmac", "rsa", "ed25519", "open_api"]
ExchangeScheme = Literal["hmac", "rsa", "ed25519"]
WalletRole = Literal["sender", "recipient"]
UserRole = Literal["operator", "auditor"]


@dataclass(frozen=True, slots=True)
class KvReference:
    """`vault:<mount>/<path>#<field>`: one field of a KV version 2 secret."""

    mount: str
    path: str
    field: str

    def __str__(self) -> str:
        return f"vault:{self.mount}/{self.path}#{self.field}"

    @property
    def audited_path(self) -> str:
        """The path that Vault reads, as its audit log has it."""
        return f"{self.mount}/data/{self.path}"


@dataclass(frozen=True, slots=True)
class TransitReference:
    """`transit:<mount>/<key>`: a key that never leaves Vault."""

    mount: str
    key: str

    def __str__(self) -> str:
        return f"transit:{self.mount}/{self.key}"

    @property
    def audited_path(self) -> str:
        """The key's mount and name, which stand in the paths of all its uses."""
        return f"{self.mount}/{self.key}"


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """A host and a TCP port; port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where to listen, and whose X-Forwarded-For counts."""

    listen: ListenAddress
    ops_listen: ListenAddress
    trusted_proxies: tuple[Network, ...]


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """Where records go, the key that signs checkpoints of them, and where else those are kept.

    Args:
        checkpoint_key: None: no checkpoints, and no anchors.
        checkpoint_every: how many records there are between two checkpoints, at most.
        rotate_bytes: a file that is larger is closed.
        accepted_rollbacks: `CHAIN:SIZE` of each anchored checkpoint that the record may be behind, `state:CHAIN:SIZE` of each
            that the state may be behind.
        replica: what the state calls this directory, where several have one each; None: the state cannot tell whose a chain is.
    """

    directory: Path
    checkpoint_key: TransitReference | None
    checkpoint_every: int
    rotate_bytes: int = 256_000_000
    anchors: tuple[AnchorSettings, ...] = ()
    accepted_rollbacks: frozenset[str] = frozenset()
    replica: str | None = None


@dataclass(frozen=True, slots=True)
class StateOptions:
    """How a PostgreSQL state is opened.

    Args:
        aws_region: where tokens take the place of a password, made by AWS IAM for each connection.
        synchronous: whatever server is promoted has all that was committed, says whoever runs the servers. Else a promotion is
            taken for a loss until an operator has accepted it.
    """

    aws_region: str | None = None
    synchronous: bool = False


USUAL_STATE = StateOptions()


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """Where traces of requests go.

    Args:
        otlp_endpoint: of a collector that speaks OTLP over HTTP; no trailing slash.
        sample_percent: of all requests, how many are followed.
        ca_cert: PEM file of a private authority; None: those of the system.
    """

    otlp_endpoint: str
    sample_percent: int = 100
    ca_cert: Path | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """A Beacon chain: its node, its id (which signatures cover) and its address prefix. `node_url` has no trailing slash."""

    name: str
    node_url: str
    chain_id: str
    address_prefix: str


@dataclass(frozen=True, slots=True)
class Wallet:
    """A signing key by reference. `key_kind` says what the referenced field holds.

    `address`, where given, is compared with the key's own before every use.
    """

    name: WalletName
    key: KvReference
    key_kind: Literal["private_key", "mnemonic"]
    environment: Environment
    ip_whitelist: tuple[Network, ...] | None
    """None: every address may ask (no list, an empty one, or one that holds `*`)."""
    permissions: frozenset[Permission]
    address: str | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A person or bot that logs in with a password. Argon2id or bcrypt hash.

    Args:
        roles: what they may do beside using wallets: an `operator` stops and resumes what is served, and explains policy for
            others; an `auditor` reads what was recorded.
        exchanges, open_api: names of what they may use of `Settings.exchanges` and `Settings.open_api`.
        certificates: one of these must have been shown to a trusted proxy; empty: none need be.
    """

    username: UserName
    password_hash: str = field(repr=False)
    wallet_permissions: Mapping[WalletName, frozenset[Permission]]
    roles: frozenset[UserRole] = frozenset()
    exchanges: tuple[str, ...] = ()
    open_api: tuple[str, ...] = ()
    certificates: frozenset[CertificateDigest] = frozenset()


@dataclass(frozen=True, slots=True)
class Client:
    """A caller that signs its requests.

    Args:
        secret: where the shared secret lies; for `hmac` and `open_api` alone.
        public_key: DER, SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7); for `rsa` and `ed25519` alone.
        exchanges, open_api: names of what it may use of `Settings.exchanges` and `Settings.open_api`.
        key_file: where the public key was read from; None where the configuration holds it.
        certificates: as of a user.
    """

    name: ClientName
    api_key: ApiKey
    scheme: ClientScheme
    wallet_permissions: Mapping[WalletName, frozenset[Permission]]
    secret: KvReference | None = None
    public_key: bytes | None = None
    exchanges: tuple[str, ...] = ()
    key_file: Path | None = None
    open_api: tuple[str, ...] = ()
    certificates: frozenset[CertificateDigest] = frozenset()


@dataclass(frozen=True, slots=True)
class Exchange:
    """An account at an exchange, whose requests custody signs with the exchange's secret.

    Args:
        base_url: where it answers, no trailing slash; https, but for this machine's own.
        api_key: the exchange's name for the account; sent with each request, no secret.
        scheme: of the signatures.
        secret: HMAC's shared secret, or the private half of a key pair. What lies in Transit never leaves Vault.
        public_key: DER, SubjectPublicKeyInfo: new signatures are verified with it. For `rsa` and `ed25519` alone.
        key_file: where that was read from; None where the configuration holds it.
    """

    name: ExchangeName
    base_url: str
    api_key: str
    scheme: ExchangeScheme
    secret: KvReference | TransitReference
    public_key: bytes | None = None
    key_file: Path | None = None


@dataclass(frozen=True, slots=True)
class OpenApiApp:
    """A mini-program's account at Binance's Open API.

    Args:
        app_id: the mini-program's.
        access_key_id: the issuer of its tokens; no secret.
        base_url: as for an exchange.
        secret_key: signs its tokens.
        private_key: RSA: opens what Binance encrypts for it; None where nothing is to be opened.
    """

    name: str
    app_id: str
    access_key_id: str
    base_url: str
    secret_key: KvReference
    private_key: KvReference | None


@dataclass(frozen=True, slots=True)
class PartnerTask:
    """What completes a task: an operation (`transfer`, `order`, ...) that was settled, with the wallet in this role of it."""

    operation: str
    wallet_is: WalletRole


@dataclass(frozen=True, slots=True)
class Partner:
    """The Binance Web3 partner endpoints.

    Args:
        url_prefix: begins with a slash and does not end with one.
        public_key: of whoever asks; RSA, DER, SubjectPublicKeyInfo.
        key_bits: its size.
        key_file: where it was read from; None where the configuration holds it.
    """

    url_prefix: str
    public_key: bytes
    key_bits: int
    tasks: Mapping[str, PartnerTask]
    key_file: Path | None = None


@dataclass(frozen=True, slots=True)
class RateLimit:
    """So many at once, and as many again evenly over the time."""

    count: int
    every_seconds: int


@dataclass(frozen=True, slots=True)
class RateLimits:
    """What the unknown, and each client, may do before they are told to wait.

    `public_calls_per_address` counts what is passed on to an exchange for anybody at all.
    """

    log_ins_per_user: RateLimit = RateLimit(100, 600)
    log_ins_per_address: RateLimit = RateLimit(1_000, 600)
    failed_signatures_per_address: RateLimit = RateLimit(1_000, 60)
    requests_per_client: RateLimit = RateLimit(60_000, 60)
    public_calls_per_address: RateLimit = RateLimit(300, 60)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything config.yml says. Mappings keep the order of the file.

    Args:
        state_url: may hold a password, and is never shown.
        digest: `sha256:<hex>` of the file's bytes, and of the key files that it names, if there are any.
    """

    source: Path
    server: ServerSettings
    vault: VaultSettings
    access_token_expiry_minutes: int
    access_token_key: TransitReference
    state_url: str = field(repr=False)
    audit: AuditSettings
    policies: Path
    environments: Mapping[str, Environment]
    wallets: Mapping[WalletName, Wallet]
    users: Mapping[UserName, User]
    clients: Mapping[ClientName, Client] = field(default_factory=dict)
    exchanges: Mapping[ExchangeName, Exchange] = field(default_factory=dict)
    open_api: Mapping[str, OpenApiApp] = field(default_factory=dict)
    partner: Partner | None = None
    rate_limits: RateLimits = RateLimits()
    traces: TraceSettings | None = None
    state_options: StateOptions = USUAL_STATE
    digest: str = ""
