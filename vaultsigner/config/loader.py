"""Reads config.yml whole, reports everything that is wrong, and only then builds the settings."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from vaultsigner.config.build import DEFAULT_ENVIRONMENTS, build_settings
from vaultsigner.config.cross_checks import (
    check_environments,
    check_users,
    check_wallets,
    parts_of,
    salvaged_parts,
)
from vaultsigner.config.environment import apply_environment
from vaultsigner.config.files import read_limited
from vaultsigner.config.literal_secrets import kind_of_secret, secrets_in
from vaultsigner.config.models import ConfigModel
from vaultsigner.config.report import Report
from vaultsigner.config.settings import Settings
from vaultsigner.strict_yaml import Document, YamlPath, YamlValue, parse

MAX_BYTES = 16 * 1024 * 1024

_KEY_HINTS = {
    "secret_key": "vaultsigner signs access tokens with Vault Transit; remove secret_key and set access_token_key",
    "token": "the Vault token lies in a file of its own: auth: {method: token_file, path: /run/vault/token}",
    "password": "write password_hash, as `vaultsigner users hash-password` prints it",
}
"""What took the place of keys that people know from elsewhere."""
_REMOVE_IT = (
    "remove it and count it as known to others; keys go into Vault by `vaultsigner keys import wallet_1`, and here stands "
    "`private_key: vault:secret/wallets/wallet_1#private_key`"
)


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
    return _settings(path, document.value, environ, report)


def _settings(path: Path, tree: dict[str, YamlValue], environ: Mapping[str, str], report: Report) -> Settings:
    apply_environment(tree, environ, DEFAULT_ENVIRONMENTS, report)
    config = report.validated(ConfigModel, tree)
    parts = salvaged_parts(tree) if config is None else parts_of(config)
    environments = check_environments(parts.environments, report)
    check_wallets(parts.wallets, environments, report)
    check_users(parts.users, _wallet_names(tree), report)
    if config is None or report.problems:
        raise report.failure()
    return build_settings(path, config, environments)


def _wallet_names(tree: dict[str, YamlValue]) -> list[str]:
    """The names of all wallets, also of those that have something wrong with them."""
    entries = tree.get("wallets")
    named = (
        [entry.get("name") for entry in entries if isinstance(entry, dict)]
        if isinstance(entries, list)
        else []
    )
    return [name for name in named if isinstance(name, str)]


def _report_secrets(data: bytes, document: Document, report: Report) -> None:
    """Secrets in clear, wherever they lie: in values by their path, in comments and keys by their line."""
    covered: set[int] = set()
    for path, text in _texts(document.value, ()):
        kind = kind_of_secret(text)
        if kind is None:
            continue
        first = document.values[path].line
        covered.update(range(first, first + text.count("\n") + 2))
        if not _is_wallet_key(path):
            report.add(path, f"{kind} in clear", _REMOVE_IT)
    for kind, position in secrets_in(data.decode("utf-8", "replace")):
        if position.line not in covered:
            report.add_at(position, f"{kind} in clear", _REMOVE_IT)


def _is_wallet_key(path: YamlPath) -> bool:
    """Fields whose own reader says what to do, with the wallet's name."""
    return len(path) == 3 and path[0] == "wallets" and path[2] in ("private_key", "mnemonic")


def _texts(value: YamlValue, path: YamlPath) -> Iterator[tuple[YamlPath, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from _texts(member, (*path, key))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _texts(entry, (*path, index))
