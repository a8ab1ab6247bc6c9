"""Bringing Vault to where custody can log in: the mount of its method, what the method has to know, and the one role."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vaultsigner.cli.log_in_options import LogInOptions
from vaultsigner.cli.vault_admin import OperatorVault, VaultAccessError
from vaultsigner.cli.vault_policy import POLICY_NAME
from vaultsigner.cli.vault_setup import Step
from vaultsigner.config.vault_settings import AppRoleAuth, AwsAuth, CertAuth, JwtAuth, LogInAuth

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
"""RFC 7468. A file may hold more: the private key, above all."""
_DURATION = re.compile(r"([0-9]+)([smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
Members = Mapping[str, Any]


def set_up_log_in(vault: OperatorVault, auth: LogInAuth, options: LogInOptions) -> Iterator[Step]:
    """Make what is missing, change what differs of the role, and leave alone what no option names.

    Raises:
        VaultAccessError: something that is there cannot serve, the token may not do this, or a new role would be bound to nobody.
    """
    yield _mount(vault, auth)
    role = {**_token(options), **_own_members(vault, auth, options)}
    match auth:
        case JwtAuth(method="kubernetes"):
            yield from _configured(vault, auth, _kubernetes_config(options))
        case JwtAuth():
            yield from _configured(vault, auth, _jwt_config(options))
        case AwsAuth():
            yield from _aws_client(vault, auth)
        case _:
            pass
    yield _role(vault, _role_path(auth), role)
    if isinstance(auth, AppRoleAuth):
        yield _role_id(vault, auth)


def _own_members(vault: OperatorVault, auth: LogInAuth, options: LogInOptions) -> Members:
    """What the method's roles have beside what all have: above all, whom the role is for."""
    match auth:
        case AppRoleAuth():
            return _approle(options)
        case JwtAuth(method="kubernetes"):
            return _service_accounts(vault, auth, options)
        case JwtAuth():
            return _claims(vault, auth, options)
        case CertAuth():
            return _certificate(auth, options)
        case AwsAuth():
            return _principals(vault, auth, options)


def next_steps(auth: LogInAuth) -> str:
    """What is left to do, for people."""
    match auth:
        case AppRoleAuth(wrapped=True):
            return (
                "next: have custody given a wrapped secret id before each start of the service:\n"
                f"  vaultsigner vault setup --wrapped-secret-id-out {auth.secret_id_file}"
            )
        case AppRoleAuth():
            return (
                f"next: write a secret id into {auth.secret_id_file}, readable by the service alone:\n"
                f"  bao write -f -field=secret_id {_role_path(auth)}/secret-id"
            )
        case JwtAuth():
            return f"next: see to it that a fresh JWT lies in {auth.token_file} whenever custody logs in"
        case CertAuth():
            return f"next: {auth.certificate} and {auth.private_key} belong to the service alone (mode 0600)"
        case AwsAuth():
            return "next: run the service with the AWS role that the Vault role is bound to, and with no AWS keys of its own"


def wrapped_secret_id(vault: OperatorVault, auth: AppRoleAuth, wrap_ttl: str) -> str:
    """A token that gives a new secret id of the role, once.

    Raises:
        VaultAccessError: Vault makes none.
    """
    return vault.write_wrapped(f"{_role_path(auth)}/secret-id", {}, wrap_ttl)


def _mount(vault: OperatorVault, auth: LogInAuth) -> Step:
    mounts = vault.read("sys/auth") or {}
    found = mounts.get(f"{auth.mount}/")
    if found is None:
        vault.write(f"sys/auth/{auth.mount}", {"type": auth.method, "description": "log-ins of vaultsigner"})
        return Step(True, f"enabled the method {auth.method} at auth/{auth.mount}/")
    if found.get("type") != auth.method:
        raise VaultAccessError(
            f"at auth/{auth.mount}/ is the method {found.get('type')}, not {auth.method}; use another vault.auth.mount"
        )
    return Step(False, f"the method {auth.method} is enabled at auth/{auth.mount}/")


def _role_path(auth: LogInAuth) -> str:
    kind = "certs" if isinstance(auth, CertAuth) else "role"
    return f"auth/{auth.mount}/{kind}/{auth.role}"


def _role(vault: OperatorVault, path: str, wanted: Members) -> Step:
    found = vault.read(path)
    differing = sorted(name for name, value in wanted.items() if not _same((found or {}).get(name), value))
    if found is not None and not differing:
        return Step(False, f"the role {path} is as it should be")
    vault.write(path, wanted)
    if found is None:
        return Step(True, f"made the role {path}: policy `{POLICY_NAME}` alone")
    return Step(True, f"changed the role {path}: {', '.join(differing)}")


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, list) and isinstance(found, list):
        return sorted(map(str, found)) == sorted(map(str, wanted))
    if isinstance(wanted, str) and isinstance(found, str):
        return found.strip() == wanted.strip()
    return bool(found == wanted)


def _token(options: LogInOptions) -> Members:
    """Periodic: it lives for as long as custody renews it."""
    bound = {"token_bound_cidrs": list(options.bound_cidrs)} if options.bound_cidrs else {}
    return {
        "token_policies": [POLICY_NAME],
        "token_no_default_policy": True,
        "token_period": _seconds(options.period),
        "token_num_uses": 0,
        **bound,
    }


def _seconds(duration: str) -> int:
    found = _DURATION.fullmatch(duration)
    if found is None or not int(found[1]):
        raise VaultAccessError(f"{duration!r} is no duration: write it like 72h")
    return int(found[1]) * _SECONDS[found[2]]


def _approle(options: LogInOptions) -> Members:
    """The secret id is good for more than one log-in: custody needs it again where its token was revoked or ran out."""
    bound = {"secret_id_bound_cidrs": list(options.bound_cidrs)} if options.bound_cidrs else {}
    return {"bind_secret_id": True, "secret_id_num_uses": 0, **bound}


def _role_id(vault: OperatorVault, auth: AppRoleAuth) -> Step:
    path = f"{_role_path(auth)}/role-id"
    if (vault.read(path) or {}).get("role_id") == auth.role_id:
        return Step(False, f"the role's id is {auth.role_id}")
    vault.write(path, {"role_id": auth.role_id})
    return Step(True, f"gave the role the id {auth.role_id}")


def _configured(vault: OperatorVault, auth: JwtAuth, wanted: Members) -> Iterator[Step]:
    """What the method itself has to know before anybody can log in."""
    path = f"auth/{auth.mount}/config"
    found = vault.read(path)
    if not wanted:
        if not found:
            missing = (
                "--kubernetes-host"
                if auth.method == "kubernetes"
                else "--jwt-public-key or --oidc-discovery-url"
            )
            raise VaultAccessError(
                f"{path} is empty, so Vault cannot tell good tokens: give {missing}, or configure it yourself"
            )
        return
    if found and all(_same(found.get(name), value) for name, value in wanted.items()):
        yield Step(False, f"{path} is as it should be")
        return
    vault.write(path, wanted)
    yield Step(True, f"configured {path}: {', '.join(sorted(wanted))}")


def _kubernetes_config(options: LogInOptions) -> Members:
    if options.kubernetes_host is None:
        return {}
    authority = options.kubernetes_ca_cert
    given = {"kubernetes_ca_cert": "\n".join(_certificates(authority))} if authority else {}
    return {"kubernetes_host": options.kubernetes_host, **given}


def _jwt_config(options: LogInOptions) -> Members:
    if options.oidc_discovery_url is not None:
        return {"oidc_discovery_url": options.oidc_discovery_url}
    if options.jwt_public_keys:
        return {"jwt_validation_pubkeys": [_public_key(key) for key in options.jwt_public_keys]}
    return {}


def _public_key(path: Path) -> str:
    text = path.read_text().strip()
    if "PRIVATE KEY" in text:
        raise VaultAccessError(f"{path} holds a private key: Vault gets the public one alone")
    return text


def _service_accounts(vault: OperatorVault, auth: JwtAuth, options: LogInOptions) -> Members:
    if not options.service_accounts:
        return _unbound(vault, auth, "--service-account NAMESPACE/NAME")
    pairs = [account.partition("/") for account in options.service_accounts]
    if not all(namespace and name for namespace, _, name in pairs):
        raise VaultAccessError("write --service-account as NAMESPACE/NAME, e.g. trading/vaultsigner")
    namespaces, names = {pair[0] for pair in pairs}, {pair[2] for pair in pairs}
    if len(namespaces) * len(names) != len(set(options.service_accounts)):
        raise VaultAccessError(
            "a role is bound to every name in every namespace: that would let in more than the service accounts named"
        )
    audience = {"audience": options.bound_audiences[0]} if options.bound_audiences else {}
    return {
        "bound_service_account_namespaces": sorted(namespaces),
        "bound_service_account_names": sorted(names),
        **audience,
    }


def _claims(vault: OperatorVault, auth: JwtAuth, options: LogInOptions) -> Members:
    claims = dict(_claim(claim) for claim in options.bound_claims)
    if not claims and not options.bound_subject:
        return _unbound(vault, auth, "--bound-subject or --bound-claim")
    subject = {"bound_subject": options.bound_subject} if options.bound_subject else {}
    audiences = {"bound_audiences": list(options.bound_audiences)} if options.bound_audiences else {}
    return {
        "role_type": "jwt",
        "user_claim": "sub",
        **({"bound_claims": claims} if claims else {}),
        **subject,
        **audiences,
    }


def _claim(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals or not value:
        raise VaultAccessError("write --bound-claim as NAME=VALUE, e.g. project_path=desk/trading")
    return name, value


def _certificate(auth: CertAuth, options: LogInOptions) -> Members:
    """Of custody's own file the first, which it shows: those behind it are authorities, who would let in others."""
    path = options.trusted_certificate or auth.certificate
    found = _certificates(path)
    return {"certificate": "\n".join(found if options.trusted_certificate else found[:1])}


def _certificates(path: Path) -> list[str]:
    """What is in a PEM file of certificates, and nothing else that is there: it goes into a role, for many to read."""
    try:
        found = _CERTIFICATE.findall(path.read_text())
    except (OSError, UnicodeDecodeError):
        raise VaultAccessError(
            f"the certificate {path} cannot be read: give --trusted-certificate, or run this where it lies"
        ) from None
    if not found:
        raise VaultAccessError(f"{path} holds no certificate in PEM")
    return found


def _aws_client(vault: OperatorVault, auth: AwsAuth) -> Iterator[Step]:
    wanted: dict[str, Any] = {}
    if auth.server_id is not None:
        wanted["iam_server_id_header_value"] = auth.server_id
    if auth.sts_endpoint is not None or auth.region not in (None, "us-east-1"):
        wanted["sts_endpoint"] = auth.sts_url
    if "sts_endpoint" in wanted and auth.region is not None:
        wanted["sts_region"] = auth.region
    if not wanted:
        return
    path = f"auth/{auth.mount}/config/client"
    found = vault.read(path) or {}
    if all(_same(found.get(name), value) for name, value in wanted.items()):
        yield Step(False, f"{path} is as it should be")
        return
    vault.write(path, wanted)
    yield Step(True, f"configured {path}: {', '.join(sorted(wanted))}")


def _principals(vault: OperatorVault, auth: AwsAuth, options: LogInOptions) -> Members:
    if not options.iam_principals:
        return _unbound(vault, auth, "--iam-principal arn:aws:iam::ACCOUNT:role/NAME")
    return {"auth_type": "iam", "bound_iam_principal_arn": list(options.iam_principals)}


def _unbound(vault: OperatorVault, auth: LogInAuth, option: str) -> Members:
    """A role that is there stays bound as it is; a new one that is bound to nobody would let in everybody, or nobody."""
    if vault.read(_role_path(auth)) is None:
        raise VaultAccessError(f"who may log in as {_role_path(auth)}? give {option}")
    return {}
