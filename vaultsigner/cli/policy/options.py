"""What the commands of `vaultsigner policy` have in common: where the rules lie, and the configuration if there is one."""

from pathlib import Path

import click

from vaultsigner.cli.configuration import DEFAULT_CONFIG, load_settings
from vaultsigner.config import ConfigProblems, Settings

DEFAULT_DIRECTORY = Path("policies")
DEFAULT_RECORDS = Path("audit")

directory_argument = click.argument(
    "directory", required=False, type=click.Path(path_type=Path, file_okay=False), metavar="[DIR]"
)
policies_option = click.option(
    "--policies",
    type=click.Path(path_type=Path, file_okay=False),
    help=f"The directory of the rules. Default: the configuration's, else {DEFAULT_DIRECTORY}/.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="For programs.")


def policy_directory(directory: Path | None, config_file: Path | None) -> Path:
    """The directory named, else the one of the configuration, else `policies`.

    Raises:
        ConfigError: the configuration does not even tell the directory.
    """
    if directory is not None:
        return directory
    try:
        settings = settings_if_any(config_file)
    except ConfigProblems as error:
        if error.policies is None:
            raise
        return error.policies
    return settings.policies if settings is not None else DEFAULT_DIRECTORY


def settings_if_any(config_file: Path | None) -> Settings | None:
    """The configuration; None where none is named and none is at the default place.

    Raises:
        ConfigError: it cannot be used.
    """
    if config_file is None and not DEFAULT_CONFIG.exists():
        return None
    return load_settings(config_file)
