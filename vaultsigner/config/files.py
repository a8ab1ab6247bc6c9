"""Reads the files that people write, never more of them than can be meant."""

import os
import stat
from pathlib import Path

from vaultsigner.config.problems import ConfigProblems, Problem


def read_limited(path: Path, max_bytes: int) -> bytes:
    """The file's bytes, at most one more than `max_bytes`: enough to see that it is too large.

    Raises:
        ConfigProblems: the file cannot be read.
    """
    try:
        # A pipe that nobody writes to would otherwise be waited for without end.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return file.read(max_bytes + 1)
        reason = "it is no regular file"
    except OSError as error:
        reason = error.strerror or "unreadable"
    hint = "check the path and its permissions"
    raise ConfigProblems([Problem(str(path), None, None, "", f"cannot be read: {reason}", hint)])
