"""The option that names the configuration, and reading it with its policies, all mistakes of both at once."""

import os
from pathlib import Path

import click

from vaultsigner import config, policy
from vaultsigner.config import ConfigProblems, Settings
from vaultsigner.policy import PolicySet

DEFAULT_CONFIG = Path("config/config.yml")

config_option = click.option(
    "--config",
    "-c",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="VAULTSIGNER_CONFIG",
    help=f"The configuration. Default: $VAULTSIGNER_CONFIG, else {DEFAULT_CONFIG} where it exists.",
)


def load_settings(config_file: Path | None) -> Settings:
    """The configuration named, or the one at the default place.

    Raises:
        ConfigError: it cannot be used; every problem is in the message.
    """
    path = config_file or DEFAULT_CONFIG
    if not path.exists():
        raise click.UsageError(
            f"there is no configuration at {path}: name it with --config or VAULTSIGNER_CONFIG"
        )
    return config.load(path, os.environ)


def load_with_policies(config_file: Path | None) -> tuple[Settings, PolicySet]:
    """The same, and the policies that it names.

    Raises:
        ConfigError: one of them cannot be used; every problem of both is in the message, as far as both can be read.
    """
    try:
        settings = load_settings(config_file)
    except ConfigProblems as error:
        raise _AllProblems(error, _policy_problems(error.policies)) from None
    return settings, policy.load(settings.policies)


def _policy_problems(directory: Path | None) -> ConfigProblems | None:
    try:
        if directory is not None:
            policy.load(directory)
    except ConfigProblems as error:
        return error
    return None


class _AllProblems(ConfigProblems):
    """Those of config.yml, then those of the policies."""

    def __init__(self, *parts: ConfigProblems | None) -> None:
        super().__init__([problem for part in parts if part for problem in part.problems])
