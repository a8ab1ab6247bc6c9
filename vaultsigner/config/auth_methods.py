"""Which members each method of `vault.auth` has, which of them it needs, and what it is without the others."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from vaultsigner.config.models import AuthModel
from vaultsigner.config.report import Report
from vaultsigner.config.tree import Entry
from vaultsigner.config.vault_settings import (
    AppRoleAuth,
    AuthMethod,
    AwsAuth,
    CertAuth,
    JwtAuth,
    TokenFileAuth,
    VaultAuth,
)
from vaultsigner.strict_yaml import YamlPath

USUAL_ROLE = "vaultsigner"
"""As `vaultsigner vault setup` names it."""
USUAL_TOKEN_FILE = Path("/run/vault/token")
USUAL_SERVICE_ACCOUNT_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
_PLACE: YamlPath = ("vault", "auth")
_KEY_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@dataclass(frozen=True, slots=True)
class _Members:
    """Those that must be there, by an example of each, and those that may be."""

    needed: Mapping[str, str]
    others: frozenset[str]


_MEMBERS: Mapping[AuthMethod, _Members] = MappingProxyType(
    {
        "token_file": _Members({}, frozenset({"path"})),
        "approle": _Members(
            {"role_id": "vaultsigner-desk-1", "secret_id_file": "/run/vault/secret-id"},
            frozenset({"wrapped", "role", "mount"}),
        ),
        "kubernetes": _Members({}, frozenset({"role", "token_file", "mount"})),
        "jwt": _Members({"token_file": "/run/vault/jwt"}, frozenset({"role", "mount"})),
        "cert": _Members(
            {"certificate": "/run/vault/client.pem", "private_key": "/run/vault/client.key"},
            frozenset({"role", "mount"}),
        ),
        "aws": _Members({}, frozenset({"role", "mount", "region", "server_id", "sts_endpoint"})),
    }
)


def check_auth(tree: Entry, report: Report) -> None:
    """What the method needs is there, and nothing that another one has: it would be taken to do something."""
    vault = tree.get("vault")
    auth = vault.get("auth") if isinstance(vault, dict) else None
    if not isinstance(vault, dict) or not isinstance(auth, dict):
        return
    method = auth.get("method", "token_file")
    own = next((members for name, members in _MEMBERS.items() if name == method), None)
    if own is None:
        return
    for member, example in own.needed.items():
        if auth.get(member) is None:
            report.add((*_PLACE, member), f'"{member}" is missing', f"add `{member}: {example}`")
    known = {name for members in _MEMBERS.values() for name in (*members.needed, *members.others)}
    for member, value in auth.items():
        if value is not None and member in known and member not in own.needed and member not in own.others:
            message = f"the method {method} has no such setting"
            report.add(
                (*_PLACE, member),
                message,
                f"remove it, or choose a method that has: {_who_has(member)}",
                at_key=True,
            )
    address = vault.get("address", "http://")
    if method == "cert" and isinstance(address, str) and address.startswith("http://"):
        message = "a certificate can only be shown over TLS, and vault.address is http"
        report.add((*_PLACE, "method"), message, "write an https address, or use another method")


def _who_has(member: str) -> str:
    return ", ".join(name for name, own in _MEMBERS.items() if member in own.needed or member in own.others)


def variables_with_keys(environ: Mapping[str, str]) -> Iterator[str]:
    """Environment variables that hold an AWS key, or would be taken for a part of one."""
    return (name for name in _KEY_VARIABLES if environ.get(name))


def build_auth(model: AuthModel) -> VaultAuth:
    """The method with everything that it needs. `check_auth` has seen to it that it is there."""
    role = model.role or USUAL_ROLE
    mount = model.mount or model.method
    match model.method:
        case "token_file":
            return TokenFileAuth(model.path or USUAL_TOKEN_FILE)
        case "approle":
            secret_id_file = model.secret_id_file or Path()
            return AppRoleAuth(model.role_id or "", secret_id_file, model.wrapped is not False, role, mount)
        case "kubernetes":
            return JwtAuth(role, model.token_file or USUAL_SERVICE_ACCOUNT_TOKEN, mount, "kubernetes")
        case "jwt":
            return JwtAuth(role, model.token_file or Path(), mount, "jwt")
        case "cert":
            return CertAuth(model.certificate or Path(), model.private_key or Path(), role, mount)
        case "aws":
            return AwsAuth(role, mount, model.region, model.server_id, model.sts_endpoint)
