"""What only shows when the parts of a configuration are seen together: names that repeat, or that nothing has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from vaultsigner.config.build import DEFAULT_ENVIRONMENTS
from vaultsigner.config.models import ConfigModel, EnvironmentModel, UserModel, WalletModel
from vaultsigner.config.problems import suggestion
from vaultsigner.config.report import Report
from vaultsigner.config.settings import Environment
from vaultsigner.strict_yaml import YamlValue

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Parts:
    """The entries that are valid by themselves; wallets and users by their index in the file."""

    environments: Mapping[str, EnvironmentModel | None]
    wallets: Mapping[int, WalletModel]
    users: Mapping[int, UserModel]


def parts_of(config: ConfigModel) -> Parts:
    """All entries of a valid configuration."""
    return Parts(config.environments, dict(enumerate(config.wallets)), dict(enumerate(config.users)))


def salvaged_parts(tree: Mapping[str, YamlValue]) -> Parts:
    """The entries that can be checked further though something else is wrong: all problems are told at once."""
    environments = tree.get("environments")
    named = environments if isinstance(environments, dict) else {}
    return Parts(
        {name: _model(EnvironmentModel, value) for name, value in named.items()},
        _listed(WalletModel, tree.get("wallets")),
        _listed(UserModel, tree.get("users")),
    )


def _listed(model: type[M], entries: YamlValue) -> dict[int, M]:
    models = [_model(model, entry) for entry in entries] if isinstance(entries, list) else []
    return {index: found for index, found in enumerate(models) if found is not None}


def _model(model: type[M], value: YamlValue) -> M | None:
    try:
        return model.model_validate(value)
    except ValidationError:
        return None


def check_environments(
    entries: Mapping[str, EnvironmentModel | None], report: Report
) -> dict[str, Environment | None]:
    """The chain environments by name, the known ones first; None for one with something wrong.

    A name that differs from another only in letter case is refused: the old service took every text but `TESTNET` for
    production, so that `testnet` signed for real money.
    """
    environments: dict[str, Environment | None] = dict(DEFAULT_ENVIRONMENTS)
    for name, entry in entries.items():
        clash = next(
            (known for known in environments if known != name and known.lower() == name.lower()), None
        )
        if clash is not None:
            hint = f"use {clash}, or a name that nobody takes for it"
            report.add(
                ("environments", name),
                "this name differs from another only in letter case",
                hint,
                at_key=True,
            )
        environments[name] = None if entry is None else _environment(name, entry, report)
    return environments


def _environment(name: str, entry: EnvironmentModel, report: Report) -> Environment | None:
    default = DEFAULT_ENVIRONMENTS.get(name)
    node_url = entry.node_url or (default and default.node_url)
    chain_id = entry.chain_id or (default and default.chain_id)
    prefix = entry.address_prefix or (default and default.address_prefix)
    if node_url and chain_id and prefix:
        return Environment(name=name, node_url=node_url, chain_id=chain_id, address_prefix=prefix)
    for key, value in (("node_url", node_url), ("chain_id", chain_id), ("address_prefix", prefix)):
        if not value:
            report.add(
                ("environments", name, key),
                f'"{key}" is missing',
                "an environment of your own needs all three",
            )
    return None


def check_wallets(
    wallets: Mapping[int, WalletModel], environments: Mapping[str, Environment | None], report: Report
) -> None:
    """Names are unique, environments exist, a noted address belongs to the wallet's environment."""
    first: dict[str, int] = {}
    for index, wallet in wallets.items():
        earlier = first.setdefault(wallet.name, index)
        if earlier != index:
            report.add(
                ("wallets", index, "name"), f"wallets[{earlier}] has this name already", "write another name"
            )
        if wallet.env_name not in environments:
            hint = suggestion(wallet.env_name, list(environments))
            report.add(("wallets", index, "env_name"), "no environment has this name", hint)
            continue
        environment = environments[wallet.env_name]
        if environment and wallet.address and not wallet.address.startswith(f"{environment.address_prefix}1"):
            message = f"this address is not of the environment {environment.name}"
            hint = f"its addresses begin with {environment.address_prefix}1"
            report.add(("wallets", index, "address"), message, hint)


def check_users(users: Mapping[int, UserModel], wallet_names: Sequence[str], report: Report) -> None:
    """Names are unique; permissions are for wallets that exist, each named once."""
    known = frozenset(wallet_names)
    first: dict[str, int] = {}
    for index, user in users.items():
        earlier = first.setdefault(user.username, index)
        if earlier != index:
            report.add(
                ("users", index, "username"), f"users[{earlier}] has this name already", "write another name"
            )
        seen: dict[str, int] = {}
        for number, entry in enumerate(user.wallet_permissions):
            place = ("users", index, "wallet_permissions", number, "wallet_name")
            if seen.setdefault(entry.wallet_name, number) != number:
                message = f"wallet_permissions[{seen[entry.wallet_name]}] is for this wallet already"
                report.add(place, message, "put all its permissions into one entry")
            if entry.wallet_name not in known:
                report.add(place, "no wallet has this name", suggestion(entry.wallet_name, wallet_names))
