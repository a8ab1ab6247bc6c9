"""Reads the files that people write, never more of them than can be meant."""

from pathlib import Path

from vaultsigner.config.problems import ConfigProblems, Problem


def read_limited(path: Path, max_bytes: int) -> bytes:
    """The file's bytes, at most one more than `max_bytes`: enough to see that it is too large.

    Raises:
        ConfigProblems: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(max_bytes + 1)
    except OSError as error:
        hint = "check the path and its permissions"
        problem = Problem(
            str(path), None, None, "", f"cannot be read: {error.strerror or 'unreadable'}", hint
        )
        raise ConfigProblems([problem]) from error
