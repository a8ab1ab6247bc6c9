"""Reads config.yml whole, reports everything that is wrong, and only then builds the settings."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from vaultsigner.config.addresses import read_vault_address
from vaultsigner.config.anchor_checks import check_anchors
from vaultsigner.config.auth_methods import check_auth, variables_with_keys
from vaultsigner.config.build import DEFAULT_ENVIRONMENTS, build_settings
from vaultsigner.config.cross_checks import check_across, check_keys
from vaultsigner.config.environment import apply_environment
from vaultsigner.config.exchange_checks import check_exchanges
from vaultsigner.config.files import read_limited
from vaultsigner.config.literal_secrets import kind_of_secret, secrets_in
from vaultsigner.config.models import ConfigModel
from vaultsigner.config.problems import UnusableValueError
from vaultsigner.config.report import VARIABLE_ORIGIN, Report
from vaultsigner.config.settings import Settings
from vaultsigner.config.state_urls import is_postgresql, variable_that_redirects
from vaultsigner.config.vault_settings import OverriddenAddress
from vaultsigner.strict_yaml import Document, YamlPath, YamlValue, parse

MAX_BYTES = 16 * 1024 * 1024

_VAULT_ADDRESS: YamlPath = ("vault", "address")
_KEY_HINTS = {
    "secret_key": "vaultsigner signs access tokens with Vault Transit; remove secret_key and set access_token_key",
    **dict.fromkeys(
        ("token", "vault.token", "vault.auth.token"),
        "the Vault token lies in a file of its own: auth: {method: token_file, path: /run/vault/token}",
    ),
    **dict.fromkeys(
        ("vault.auth.secret_id", "vault.auth.wrapped_secret_id"),
        "the secret id lies, best response-wrapped, in a file of its own: secret_id_file: /run/vault/secret-id",
    ),
    "vault.auth.jwt": "the JWT lies in a file of its own: token_file: /run/vault/jwt",
    "users.password": "write password_hash, as `vaultsigner users hash-password` prints it",
}
"""What took the place of keys that people know from elsewhere."""
_REMOVE = "remove it and count it as known to others; "
_BETTER = "; better still, `vaultsigner keys create` makes a new one: move the funds there"
_REMEDIES = {
    "a Vault token": _REMOVE + "revoke it; the file with the token is named by vault.auth.path",
    "a private key": _REMOVE
    + "`vaultsigner keys import wallet_1` puts a key into Vault, and the wallet says "
    "`private_key: vault:secret/wallets/wallet_1#private_key`" + _BETTER,
    "a mnemonic": _REMOVE + "`vaultsigner keys import wallet_1` puts it into Vault, and the wallet says "
    "`mnemonic: vault:secret/wallets/wallet_1#mnemonic`" + _BETTER,
}


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """The settings that a configuration file and environment variables describe.

    Paths stay as written: relative ones count from the working directory.

    Args:
        path: the YAML file.
        environ: environment variables; `VAULTSIGNER_...` and `VAULT_ADDR` count.

    Raises:
        ConfigProblems: with every problem found. No message holds a value that may be a secret.
    """
    data = read_limited(path, MAX_BYTES)
    document = parse(data, max_bytes=MAX_BYTES)
    report = Report(str(path), document, _KEY_HINTS)
    _report_secrets(data, document, report)
    if not document.complete:
        raise report.failure()
    if not isinstance(document.value, dict):
        report.add((), "this is no configuration", "write name: value pairs; config/config.yml is an example")
        raise report.failure()
    config, overridden = _checked(document.value, environ, report)
    return replace(build_settings(path, config, overridden), digest=_digest(data, config))


def _checked(
    tree: dict[str, YamlValue], environ: Mapping[str, str], report: Report
) -> tuple[ConfigModel, OverriddenAddress | None]:
    vault = tree.get("vault")
    own_address = vault.get("address") if isinstance(vault, dict) else None
    apply_environment(tree, environ, DEFAULT_ENVIRONMENTS, report)
    config = report.validated(ConfigModel, tree)
    check_across(tree, report)
    check_exchanges(tree, report)
    check_anchors(tree, report)
    check_auth(tree, report)
    if config is not None:
        check_keys(config, report)
        _check_variables(config.state.url, environ, report)
        if config.vault.auth.method == "aws":
            _check_aws_variables(environ, report)
    overridden = _overridden_address(own_address, report)
    if config is None or report.problems:
        raise report.failure(_policies_named(tree))
    return config, overridden


def _check_variables(state_url: str, environ: Mapping[str, str], report: Report) -> None:
    """libpq's own variables fill what the URL leaves out; where the state lies must be what the URL says."""
    variable = variable_that_redirects(state_url, environ) if is_postgresql(state_url) else None
    if variable is not None:
        message = "this variable would say where the state lies, instead of state.url"
        report.add_variable(variable, message, "unset it, and write the host into state.url")


def _check_aws_variables(environ: Mapping[str, str], report: Report) -> None:
    """Every process of the service would have such a key, and it does not end; a role's credentials do."""
    for variable in variables_with_keys(environ):
        message = "an AWS key in the environment is never used to log in to Vault"
        hint = "unset it; custody takes the credentials of the task, the pod or the machine it runs on"
        report.add_variable(variable, message, hint)


def _digest(data: bytes, config: ConfigModel) -> str:
    """Of the file, and of the keys that it names by their files: another key there is another configuration."""
    named = [
        *(client.public_key for client in config.clients),
        *(exchange.public_key for exchange in config.exchanges),
        config.partner and config.partner.public_key,
    ]
    keys = [key.der for key in named if key and key.file]
    if keys:
        data = b"".join(len(part).to_bytes(8, "big") + part for part in (data, *keys))
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _overridden_address(own: YamlValue, report: Report) -> OverriddenAddress | None:
    """The file's own Vault address where a variable gives another. A mistake in it must not wait until the variable is gone."""
    variable = report.origin_of(_VAULT_ADDRESS)
    if variable is None or not isinstance(own, str):
        return None
    try:
        return OverriddenAddress(variable.removeprefix(VARIABLE_ORIGIN), read_vault_address(own))
    except UnusableValueError as error:
        report.add_overridden(_VAULT_ADDRESS, error.message, error.hint)
        return None


def _policies_named(tree: Mapping[str, YamlValue]) -> Path | None:
    named = tree.get("policies", str(ConfigModel.model_fields["policies"].default))
    return Path(named) if isinstance(named, str) and named else None


def _report_secrets(data: bytes, document: Document, report: Report) -> None:
    """Secrets in clear, wherever they lie: in values by their path, in comments and keys by their line."""
    covered: set[int] = set()
    for path, text in _texts(document.value, ()):
        kind = kind_of_secret(text)
        if kind is None:
            continue
        first = document.values[path].line
        covered.update(range(first, first + text.count("\n") + 2))
        if not _explains_itself(path):
            report.add(path, f"{kind} in clear", _REMEDIES[kind], replace=True)
    for kind, position in secrets_in(data.decode("utf-8", "replace")):
        if position.line not in covered:
            report.add_at(position, f"{kind} in clear", _REMEDIES[kind])


def _explains_itself(path: YamlPath) -> bool:
    """Fields whose own reader says what to do, with the wallet's or the client's name."""
    if path == ("partner", "public_key"):
        return True
    signing = ("api_key", "secret", "public_key")
    own = {
        "wallets": ("private_key", "mnemonic"),
        "clients": signing,
        "exchanges": signing,
        "open_api": ("app_id", "access_key_id", "secret_key", "private_key"),
    }
    return len(path) == 3 and path[2] in own.get(str(path[0]), ())


def _texts(value: YamlValue, path: YamlPath) -> Iterator[tuple[YamlPath, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from _texts(member, (*path, key))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _texts(entry, (*path, index))
