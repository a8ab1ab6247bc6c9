"""From `docker compose up` to an answer through Traefik, step by step as docs/deployment.md tells it; with all the real parts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.integration.compose.database import programs
from tests.integration.compose.stack import Stack, initialise, running_stack
from tests.patience import wait_until
from tests.signing_client import SignedCall

pytestmark = pytest.mark.skipif(
    programs() is None, reason="PostgreSQL with TLS is not installed: apt-get install postgresql"
)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack") / "compose") as running:
        yield running


@pytest.fixture(scope="module")
def at_first(stack: Stack) -> dict[str, Any]:
    """What the first start says of itself, before anybody has done anything."""
    return stack.readiness()


@pytest.fixture(scope="module")
def opened(stack: Stack, at_first: dict[str, Any]) -> Stack:
    """After what people do: OpenBao initialised, its policies and roles written, a key made."""
    assert at_first, "it was looked at before"
    initialise(stack)
    token = Path(stack.directory / "operator-token")
    token.write_text(stack.root_token)
    token.chmod(0o600)
    done = stack.operator("vault", "setup", "--token-file", str(token))
    assert done.returncode == 0, done.stdout + done.stderr
    made = stack.operator("keys", "create", "wallet_1", "--token-file", str(token))
    assert made.returncode == 0, made.stdout + made.stderr
    wait_until(lambda: stack.readiness()["status"] == "ready", f"it is ready: {stack.readiness()}")
    return stack


def test_it_comes_up_and_says_what_is_missing(at_first: dict[str, Any]) -> None:
    assert at_first["status"] == "not ready"
    assert at_first["problems"], "it says what is missing"


def test_it_answers_through_traefik_once_people_have_done_their_part(opened: Stack) -> None:
    asked = SignedCall("GET", "/api/wallet")
    wait_until(
        lambda: opened.traefik.send(asked).status == 401, "Traefik has seen that it is", poll_seconds=0.2
    )
    assert opened.traefik.send(asked).body["code"] == "not_authenticated"


def test_the_healthcheck_of_the_image_says_so(opened: Stack) -> None:
    assert opened.operator("healthcheck").returncode == 0
    ready = opened.operator("healthcheck", "--ready")
    assert (ready.returncode, ready.stderr) == (0, "")


def test_the_database_takes_nobody_without_the_certificate(stack: Stack) -> None:
    url = next(line for line in stack.config_file.read_text().splitlines() if "postgresql://" in line)
    host = url.partition("@")[2].partition("/")[0]
    for database, user in (
        ("vaultsigner", "vaultsigner"),
        ("postgres", "postgres"),
        ("postgres", "administrator"),
    ):
        for mode in ("disable", "require"):
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(f"postgresql://{user}@{host}/{database}?sslmode={mode}", connect_timeout=10)


def test_every_secret_is_for_its_reader_alone(stack: Stack) -> None:
    for path in (stack.directory / "volumes").rglob("*"):
        if path.is_file() and "secrets" in path.parent.name:
            assert path.stat().st_mode & 0o377 == 0, path
    assert not list((stack.directory / "volumes").rglob("*authority*")), "the authority's key is kept nowhere"


def test_openbao_keeps_its_data_with_raft_and_writes_its_own_audit_log(opened: Stack) -> None:
    assert opened.vault.sys.read_seal_status()["storage_type"] == "raft"
    assert (opened.directory / "volumes" / "openbao-audit" / "audit.log").stat().st_size > 0
