"""Where the record and the state go: tried, and left as it was."""

from dataclasses import replace
from pathlib import Path

from tests.unit.cli.sample import sample_settings
from vaultsigner.config.directories import directory_problems
from vaultsigner.config.settings import AuditSettings, Settings


def settings(audit: Path, database: Path) -> Settings:
    return replace(
        sample_settings(), audit=AuditSettings(audit, None, 1000), state_url=f"sqlite:///{database}"
    )


def test_what_can_be_made_is_not_made(tmp_path: Path) -> None:
    assert directory_problems(settings(tmp_path / "a" / "b", tmp_path / "s" / "x.db")) == ()
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    database = tmp_path / "x.db"
    database.write_bytes(b"rows")
    assert directory_problems(settings(tmp_path, database)) == ()
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("x.db", b"rows")]


def test_a_place_where_nothing_can_be_made_is_told_with_its_setting() -> None:
    audit, state = directory_problems(settings(Path("/proc/audit"), Path("/proc/state/x.db")))
    assert audit == "audit.directory: /proc/audit cannot be created: /proc: nothing can be made there"
    assert state.startswith("state.url: /proc/state cannot be created: /proc: ")


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("")
    (problem,) = directory_problems(settings(tmp_path / "audit", tmp_path / "x.db"))
    assert problem.startswith(f"audit.directory: {tmp_path}/audit cannot be written to: ")
    assert problem.endswith("Not a directory")
    (problem,) = directory_problems(settings(tmp_path / "audit" / "deep", tmp_path / "x.db"))
    assert problem.endswith("Not a directory")


def test_a_postgresql_url_is_no_directory(tmp_path: Path) -> None:
    elsewhere = replace(settings(tmp_path, tmp_path / "x.db"), state_url="postgresql://127.0.0.1/db")
    assert directory_problems(elsewhere) == ()


def test_a_read_only_directory_is_told(tmp_path: Path) -> None:
    (problem,) = directory_problems(settings(Path("/sys"), tmp_path / "x.db"))
    assert problem.startswith("audit.directory: /sys cannot be written to: ")
