"""`vaultsigner state`: migrate, accept, replicas, create-role, as an operator types them."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.postgres import PASSWORD, USER, PostgresServer
from vaultsigner import __version__
from vaultsigner.cli import main
from vaultsigner.dev.installation import ALLOW_EVERYTHING, Plan, config_text
from vaultsigner.dev.records import read_records
from vaultsigner.state import postgres_schema
from vaultsigner.state.postgres import PostgresState

LOOKS = {
    "status": "nothing waits",
    "suspensions": "nothing is suspended",
    "approvals": "nothing waits",
    "state replicas": "desk-a",
}
NEWEST = len(postgres_schema.MIGRATIONS)


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.database() as url:
        yield url


def configured(directory: Path, state_url: str | None) -> Path:
    """A configuration that nothing has to run for."""
    (directory / "policies").mkdir()
    (directory / "policies" / "policy.yml").write_text(ALLOW_EVERYTHING)
    plan = Plan((), (), {}, state_url=state_url)
    file = directory / "config.yml"
    file.write_text(config_text(directory, "http://127.0.0.1:1", plan))
    return file


def state(config: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["state", *words, "--config", str(config)])


def execute(postgres: PostgresServer, url: str, statement: str) -> list[tuple[object, ...]]:
    return postgres.execute(statement, url.rpartition("/")[2])


def test_migrate_makes_the_tables_once(tmp_path: Path, url: str) -> None:
    config = configured(tmp_path, url)
    first, second = state(config, "migrate"), state(config, "migrate")
    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    assert f"schema {NEWEST} of {NEWEST}, it had none" in first.stdout
    assert f"has schema {NEWEST}, the newest: nothing to do" in second.stdout
    assert PASSWORD not in first.output + second.output


def test_migrate_is_the_same_for_a_file(tmp_path: Path) -> None:
    config = configured(tmp_path, None)
    assert "it had none" in state(config, "migrate").stdout
    assert "nothing to do" in state(config, "migrate").stdout
    assert (tmp_path / "state" / "vaultsigner.db").exists()
    refused = state(config, "accept", "--yes")
    assert (refused.exit_code, "nothing to accept" in refused.output) == (1, True)
    assert "nobody is known" in state(config, "replicas").stdout


def test_a_newer_database_is_left_as_it_is(tmp_path: Path, postgres: PostgresServer, url: str) -> None:
    config = configured(tmp_path, url)
    assert state(config, "migrate").exit_code == 0
    execute(postgres, url, "INSERT INTO vaultsigner.schema_version (version) VALUES (99)")
    refused = state(config, "migrate")
    assert refused.exit_code == 1
    assert "has schema 99" in refused.output
    assert "made by a newer one" in refused.output


def test_several_migrate_at_once(tmp_path: Path, postgres: PostgresServer, url: str) -> None:
    config = configured(tmp_path, url)
    command = [sys.executable, "-m", "vaultsigner", "state", "migrate", "--config", str(config)]

    def run(_: int) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": os.defpath})
        assert done.returncode == 0, done.stderr
        return done.stdout

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(run, range(4)))
    assert sum("it had none" in each for each in told) == 1, told
    versions = execute(postgres, url, "SELECT version FROM vaultsigner.schema_version ORDER BY version")
    assert versions == [(number,) for number in range(1, NEWEST + 1)]


def test_a_fail_over_is_accepted_on_the_record(tmp_path: Path, postgres: PostgresServer, url: str) -> None:
    config = configured(tmp_path, url)
    assert state(config, "migrate").exit_code == 0
    assert state(config, "replicas").exit_code == 0
    execute(postgres, url, "UPDATE vaultsigner.commits SET place = 'cluster 1, timeline 1', closed = 'lost'")
    refused = state(config, "replicas")
    assert refused.exit_code == 1
    assert "lost; it serves nobody until an operator" in refused.output
    accepted = state(config, "accept", "--yes")
    assert accepted.exit_code == 0, accepted.output
    assert "is in use again" in accepted.stdout
    assert state(config, "replicas").exit_code == 0
    (record,) = (each for each in read_records(tmp_path / "audit") if each.get("event") == "state_accepted")
    assert record["details"]["by"].startswith("cli:")
    assert PASSWORD not in str(record)


def test_without_a_yes_nothing_is_accepted(tmp_path: Path, postgres: PostgresServer, url: str) -> None:
    config = configured(tmp_path, url)
    assert state(config, "migrate").exit_code == 0
    execute(postgres, url, "UPDATE vaultsigner.commits SET closed = 'a loss'")
    before = execute(postgres, url, "SELECT accepted FROM vaultsigner.commits")
    done = subprocess.run(
        [sys.executable, "-m", "vaultsigner", "state", "accept", "--config", str(config)],
        input="yes\n",
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
        env={"PATH": os.defpath},
    )
    assert done.returncode == 1, done.stderr
    assert execute(postgres, url, "SELECT accepted FROM vaultsigner.commits") == before


def test_where_nothing_is_lost_nothing_is_accepted_unless_that_is_meant(
    tmp_path: Path, postgres: PostgresServer, url: str
) -> None:
    config = configured(tmp_path, url)
    assert state(config, "migrate").exit_code == 0
    needless = state(config, "accept", "--yes")
    assert (needless.exit_code, "nothing has to be accepted" in needless.stdout) == (0, True), needless.output
    accepted = "SELECT accepted FROM vaultsigner.commits"
    assert execute(postgres, url, accepted) == [(0,)]
    assert not (tmp_path / "audit").exists()
    assert "is in use again" in state(config, "accept", "--yes", "--anyway").stdout
    assert execute(postgres, url, accepted) == [(1,)]
    assert [each["event"] for each in read_records(tmp_path / "audit")][-1] == "state_accepted"


async def test_commands_that_look_leave_nothing_and_list_services_alone(
    tmp_path: Path, postgres: PostgresServer, url: str
) -> None:
    config = configured(tmp_path, url)
    marks = "SELECT number, xmin::text, (SELECT count(*) FROM vaultsigner.replicas) FROM vaultsigner.commits"
    async with PostgresState(url, name="desk-a"):
        before = execute(postgres, url, marks)
        for words, told in LOOKS.items():
            done = await asyncio.to_thread(
                CliRunner().invoke, main, [*words.split(), "--config", str(config)]
            )
            assert told in done.output, "it has looked into the state"
            assert PASSWORD not in done.output
            assert execute(postgres, url, marks) == before, words
    (line,) = done.stdout.splitlines()
    assert line.startswith("desk-a  last seen ")
    assert f", vaultsigner {__version__}, last commit 2, id " in line


def test_a_role_is_made_with_the_administrators_url_from_a_variable(
    postgres: PostgresServer, url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ADMIN_URL", url)
    words = ["state", "create-role", "desk_signer", "--admin-url-env", "ADMIN_URL"]
    try:
        done = CliRunner().invoke(main, [*words, "--password-stdin"], input="canary-role")
        assert done.exit_code == 0, done.output
        assert "canary" not in done.output
        config = configured(tmp_path, url.replace(f"{USER}:{PASSWORD}", "desk_signer:canary-role"))
        assert "it had none" in state(config, "migrate").stdout
    finally:
        execute(postgres, url, "DROP SCHEMA IF EXISTS vaultsigner CASCADE")
        postgres.execute("DROP ROLE desk_signer")
    assert CliRunner().invoke(main, [*words, "--aws-iam", "--password-stdin"]).exit_code == 2
    monkeypatch.delenv("ADMIN_URL")
    missing = CliRunner().invoke(main, words)
    assert missing.exit_code == 2
    assert "ADMIN_URL holds no URL" in missing.output
