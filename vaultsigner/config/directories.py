"""Whether what the service writes can be written, tried without leaving anything behind."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from vaultsigner.config.settings import Settings
from vaultsigner.config.state_urls import is_postgresql


def directory_problems(settings: Settings) -> tuple[str, ...]:
    """What stands in the way of the record and of the state, each with the setting that names the place.

    A PostgreSQL database is no place in this machine's directories, and not tried here.
    Nothing is made that was not there: where a directory is missing, the nearest one above it is tried.
    """
    return tuple(_problems(settings))


def _problems(settings: Settings) -> Iterator[str]:
    problem = _of_directory(settings.audit.directory)
    if problem is not None:
        yield f"audit.directory: {problem}"
    if is_postgresql(settings.state_url):
        return
    database = Path(settings.state_url.removeprefix("sqlite:///"))
    problem = _of_directory(database.parent)
    if problem is None and database.exists() and not os.access(database, os.R_OK | os.W_OK):
        problem = f"{database} cannot be read and written by this user"
    if problem is not None:
        yield f"state.url: {problem}"


def _of_directory(directory: Path) -> str | None:
    there = directory.absolute()
    try:
        while not there.exists() and there != there.parent:
            there = there.parent
        with tempfile.TemporaryFile(dir=there):
            return None
    except OSError as error:
        what = "written to" if there == directory.absolute() else "created"
        reason = "nothing can be made there" if isinstance(error, FileNotFoundError) else error.strerror
        return f"{directory} cannot be {what}: {there}: {reason}"
