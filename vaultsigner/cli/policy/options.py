"""What the commands of `vaultsigner policy` have in common: where the rules lie, and the configuration if there is one."""

from collections.abc import Callable
from pathlib import Path

import click

from vaultsigner.cli.configuration import DEFAULT_CONFIG, load_settings
from vaultsigner.config import ConfigProblems, Settings
from vaultsigner.config.problems import UnusableValueError

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


class ReadBy(click.ParamType):  # type: ignore[type-arg]  # generic to mypy from click 8.3 on, and not before
    """An option's text, read by one of our readers, whose complaint becomes a usage error."""

    def __init__(self, name: str, read: Callable[[str], object]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """The value."""
        try:
            return self._read(value) if isinstance(value, str) else value
        except UnusableValueError as error:
            self.fail(f"{error.message}; {error.hint}", param, ctx)


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
