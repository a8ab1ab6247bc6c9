"""Directories for their owner alone, whose names are on disk before they are used."""

import os
from pathlib import Path

import pytest

from vaultsigner.durable_files import make_directory


def test_missing_directories_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        make_directory(tmp_path / "a" / "b")
    finally:
        os.umask(umask)
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "a", tmp_path / "a" / "b")] == [0o700, 0o700]


def test_a_directory_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o755)
    make_directory(tmp_path / "shared")
    assert (tmp_path / "shared").stat().st_mode & 0o777 == 0o755


def test_each_new_name_is_synced_in_the_directory_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115 - Path.readlink gives the same, longer.
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    make_directory(tmp_path / "a" / "b")
    assert synced == [str(tmp_path), str(tmp_path / "a")]


def test_a_file_in_the_way_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        make_directory(tmp_path / "file" / "a")
