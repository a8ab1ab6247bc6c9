"""Reading the files that people write."""

import os
from pathlib import Path

import pytest

from vaultsigner.config.files import read_limited
from vaultsigner.config.problems import ConfigProblems


@pytest.mark.timeout(60)
def test_a_pipe_that_nobody_writes_to_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "desk.yml")
    with pytest.raises(ConfigProblems, match="it is no regular file"):
        read_limited(tmp_path / "desk.yml", 10)


def test_a_directory_and_what_is_not_there_are_told(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing.yml"):
        with pytest.raises(ConfigProblems, match="cannot be read"):
            read_limited(path, 10)


def test_one_byte_more_than_allowed_is_read(tmp_path: Path) -> None:
    (tmp_path / "desk.yml").write_bytes(b"x" * 12)
    assert read_limited(tmp_path / "desk.yml", 10) == b"x" * 11
