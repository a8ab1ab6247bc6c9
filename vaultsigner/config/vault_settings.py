"""Where Vault is and how custody logs in to it, frozen; part of `settings`."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

AuthMethod = Literal["token_file", "approle", "kubernetes", "jwt", "cert", "aws"]


@dataclass(frozen=True, slots=True)
class TokenFileAuth:
    """Vault's token lies in this file; the custody process is handed the open file, never the token."""

    path: Path
    method: ClassVar[AuthMethod] = "token_file"


@dataclass(frozen=True, slots=True)
class AppRoleAuth:
    """A log-in with a role id and a secret id.

    Args:
        secret_id_file: holds the secret id, or, where `wrapped`, a response-wrapping token that gives it once.
        role: the role's name, which the wrapped secret id must have been made for.
        mount: below `auth/`, as everywhere here.
    """

    role_id: str
    secret_id_file: Path
    wrapped: bool
    role: str
    mount: str
    method: ClassVar[AuthMethod] = "approle"


@dataclass(frozen=True, slots=True)
class JwtAuth:
    """A log-in with a JSON web token from a file that somebody keeps fresh; `kubernetes`: with a service account's."""

    role: str
    token_file: Path
    mount: str
    method: Literal["jwt", "kubernetes"]


@dataclass(frozen=True, slots=True)
class CertAuth:
    """A log-in by the TLS certificate that custody shows to Vault. Both files are PEM."""

    certificate: Path
    private_key: Path
    role: str
    mount: str
    method: ClassVar[AuthMethod] = "cert"


@dataclass(frozen=True, slots=True)
class AwsAuth:
    """A log-in by the AWS role that custody runs with.

    Args:
        region: whose STS Vault asks; None: the global one.
        server_id: value of the header X-Vault-AWS-IAM-Server-ID, where Vault insists on one.
        sts_endpoint: instead of the region's usual one; no trailing slash.
    """

    role: str
    mount: str
    region: str | None = None
    server_id: str | None = None
    sts_endpoint: str | None = None
    method: ClassVar[AuthMethod] = "aws"

    @property
    def sts_url(self) -> str:
        """Where STS answers, as Vault's own clients find it: the global one for us-east-1 and where no region is named."""
        if self.sts_endpoint is not None:
            return self.sts_endpoint
        if self.region in (None, "us-east-1"):
            return "https://sts.amazonaws.com"
        domain = "amazonaws.com.cn" if str(self.region).startswith("cn-") else "amazonaws.com"
        return f"https://sts.{self.region}.{domain}"


VaultAuth = TokenFileAuth | AppRoleAuth | JwtAuth | CertAuth | AwsAuth
LogInAuth = AppRoleAuth | JwtAuth | CertAuth | AwsAuth
"""The methods by which custody logs in itself."""


@dataclass(frozen=True, slots=True)
class OverriddenAddress:
    """config.yml's own `vault.address`, which an environment variable overrides."""

    variable: str
    address: str


@dataclass(frozen=True, slots=True)
class VaultSettings:
    """How to reach Vault or OpenBao. `address` has no trailing slash; `overridden` is what would count without a variable."""

    address: str
    auth: VaultAuth
    namespace: str | None = None
    ca_cert: Path | None = None
    overridden: OverriddenAddress | None = None

    @property
    def token_path(self) -> Path | None:
        """The file with Vault's token; None where custody logs in itself."""
        return self.auth.path if isinstance(self.auth, TokenFileAuth) else None
