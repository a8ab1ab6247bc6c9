"""The state and the record of the service that runs, opened beside it: for what has to work when nothing else does."""

import asyncio
import os
import pwd
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from vaultsigner.config.settings import Settings
from vaultsigner.config.state_urls import is_postgresql
from vaultsigner.errors import StateError, VaultsignerError
from vaultsigner.state import State, open_state

Found = TypeVar("Found")


class WrongUserError(VaultsignerError):
    """What this user would write, the service could not read."""


def who() -> str:
    """Who runs this program, as the system knows them, for the record; no variable can say otherwise."""
    number = os.getuid()
    try:
        return f"cli:{pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"cli:uid-{number}"


def with_state(settings: Settings, step: Callable[[State], Awaitable[Found]]) -> Found:
    """Run one step on the state of the service, as a visitor.

    Raises:
        StateError: it cannot be opened, or there is none.
        WrongUserError: it belongs to another user.
    """

    _look_over(settings)

    async def run() -> Found:
        async with open_state(settings.state_url, settings.state_options, visiting=True) as state:
            return await step(state)

    return asyncio.run(run())


def _look_over(settings: Settings) -> None:
    if is_postgresql(settings.state_url):
        return
    database = Path(settings.state_url.removeprefix("sqlite:///"))
    if not database.exists():
        # Made anew, it would be one that no service looks at, and what is suspended there would not be.
        raise StateError(
            f"there is no state at {database.absolute()}: run this where `vaultsigner serve` runs, "
            "with the configuration that it runs with"
        )
    _require_owner(database)
    _require_owner(settings.audit.directory)


def _require_owner(path: Path) -> None:
    """Files of root's in the service's directories would be its end at the next start."""
    if not path.exists():
        return
    owner = path.stat().st_uid
    if owner == os.geteuid():
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = f"#{owner}"
    raise WrongUserError(f"{path} belongs to {name}: run this as that user, e.g. with `sudo -u {name}`")
