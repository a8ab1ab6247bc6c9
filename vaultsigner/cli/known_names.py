"""Names to complete, out of a configuration that may be half written: what is readable in it counts, and nothing is an error."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import yaml

DEFAULT_CONFIG = Path(
    "config/config.yml"
)  # as `configuration`, whose imports take longer than a person who pressed Tab waits
DEFAULT_POLICIES = Path("policies")
LARGEST_FILE = 2**20
_KINDS = {
    "user": ("users", "username"),
    "client": ("clients", "name"),
    "wallet": ("wallets", "name"),
    "exchange": ("exchanges", "name"),
    "open_api": ("open_api", "name"),
}
"""Kinds of callers and targets: the section of config.yml, and the member that names one."""
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@+-]*\Z", re.ASCII)
"""What is put into somebody's command line without quotes."""
Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def names_of(kind: str) -> Complete:
    """Completes names of one kind: user, client, wallet, exchange, open_api."""

    def complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
        return _fitting(_names(_configuration(ctx), kind), incomplete)

    return complete


def kinds_and_names_of(*kinds: str) -> Complete:
    """Completes `KIND:NAME` for these kinds."""

    def complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
        configuration = _configuration(ctx)
        found = (f"{kind}:{name}" for kind in kinds for name in _names(configuration, kind))
        return _fitting(found, incomplete)

    return complete


def names_of_kind_before(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Completes the name that follows a kind, as in `suspend client bot-1`; nothing follows `all`."""
    return _fitting(_names(_configuration(ctx), str(ctx.params.get("kind"))), incomplete)


def operations(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Completes operations: `transfer.sign`."""
    from vaultsigner.policy.operations import OPERATIONS  # noqa: PLC0415 - other completions need not wait for it

    return _fitting(OPERATIONS, incomplete)


def rule_ids(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Completes ids of rules, out of every file in the directory of policies."""
    try:
        files = sorted(_policies(ctx).glob("*.yml"))
    except OSError:
        return []
    rules = (rule for file in files for rule in _entries(_read(file), "rules"))
    return _fitting((rule.get("id") for rule in rules), incomplete)


def _configuration(ctx: click.Context) -> Any:
    return _read(_config_file(ctx))


def _config_file(ctx: click.Context) -> Path:
    given = ctx.params.get("config_file") or os.environ.get("VAULTSIGNER_CONFIG")
    return Path(given) if given else DEFAULT_CONFIG


def _policies(ctx: click.Context) -> Path:
    if given := ctx.params.get("policies"):
        return Path(given)
    configuration = _configuration(ctx)
    named = configuration.get("policies") if isinstance(configuration, dict) else None
    # As the configuration itself has it: where its paths begin is where the service is started.
    return Path(named) if isinstance(named, str) else DEFAULT_POLICIES


def _read(path: Path) -> Any:
    """What is in a file of YAML; None where it cannot be read as one."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_FILE:
            return None
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return yaml.load(path.read_bytes(), Loader=loader)  # noqa: S506 - both are safe loaders; the one in C takes a tenth of the time
    except (OSError, yaml.YAMLError, ValueError, RecursionError):
        return None


def _names(configuration: Any, kind: str) -> Iterator[Any]:
    if kind in _KINDS:
        section, member = _KINDS[kind]
        yield from (entry.get(member) for entry in _entries(configuration, section))


def _entries(document: Any, section: str) -> list[dict[Any, Any]]:
    listed = document.get(section) if isinstance(document, dict) else None
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _fitting(names: Iterable[Any], incomplete: str) -> list[str]:
    """In their own order, each once."""
    good = (name for name in names if isinstance(name, str) and _PLAIN.match(name))
    return [name for name in dict.fromkeys(good) if name.startswith(incomplete)]
