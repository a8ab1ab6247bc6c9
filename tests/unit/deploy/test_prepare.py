"""What Compose's first step does in directories that others can write to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "deploy" / "compose" / "prepare" / "make_secrets.py"


def prepare(volumes: Path) -> str:
    command = [sys.executable, "-I", str(SCRIPT), str(volumes)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_it_gives_away_what_lies_there_and_nothing_that_a_link_leads_to(tmp_path: Path) -> None:
    others = tmp_path / "others"
    others.write_text("")
    record = tmp_path / "volumes" / "audit-1"
    record.mkdir(parents=True)
    (record / "own").write_text("")
    (record / "link").symlink_to(others)
    prepare(tmp_path / "volumes")
    assert (record.stat().st_uid, (record / "own").stat().st_uid) == (10001, 10001)
    assert (others.stat().st_uid, (record / "link").lstat().st_uid) == (0, 0)


def test_a_second_run_makes_nothing_anew(tmp_path: Path) -> None:
    volumes = tmp_path / "volumes"
    assert "made" in prepare(volumes)
    before = {path: path.read_bytes() for path in volumes.rglob("*") if path.is_file()}
    assert prepare(volumes) == ""
    assert {path: path.read_bytes() for path in volumes.rglob("*") if path.is_file()} == before
