"""`vaultsigner vault setup` as a program: it shows first, acts then, and says what it did."""

import stat

from tests.integration.cli.conftest import Bao
from tests.integration.cli.program import Program


def test_print_needs_no_vault_and_changes_nothing(configured: Program, folder: str) -> None:
    (configured.home / ".vault-token").unlink()
    done = configured.run("vault", "setup", "--print", environment={"VAULT_ADDR": "http://127.0.0.1:1"})
    assert done.status == 0, done.err
    assert f'path "secret/data/{folder}/hot" {{\n  capabilities = ["read"]\n}}' in done.out
    assert "Transit key transit:transit/access-tokens: Ed25519, not exportable" in done.out
    assert "changed" not in done.out


def test_setup_shows_then_does_then_finds_all_done(configured: Program) -> None:
    first = configured.run("vault", "setup", "--token-out", "run/token")
    assert first.status == 0, first.err
    assert first.out.index("path ") < first.out.index("changed")
    token_file = configured.home / "run" / "token"
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
    token = token_file.read_text()
    second = configured.run("vault", "setup", "--token-out", "run/token")
    assert second.status == 0
    assert "changed" not in second.out
    assert token_file.read_text() == token
    assert token not in first.out + first.err + second.out + second.err


def test_a_token_where_the_service_does_not_look_is_warned_of(configured: Program) -> None:
    done = configured.run("vault", "setup", "--token-out", "run/../elsewhere")
    assert done.status == 0, done.err
    assert "warning: the service reads its token from run/token, not from run/../elsewhere" in done.err
    done = configured.run("vault", "setup", "--token-out", "run/../run/token")
    assert "warning" not in done.err
    assert "(there is one already)" in configured.run("vault", "setup", "--token-out", "elsewhere").err


def test_setup_without_rights_is_one_line(configured: Program, bao: Bao) -> None:
    weak = bao.admin().write("auth/token/create", {"policies": ["default"]})["client_token"]
    (configured.home / ".vault-token").write_text(weak)
    done = configured.run("vault", "setup")
    assert done.status == 1
    assert len(done.err.splitlines()) == 1
    assert "denies" in done.err


def test_setup_without_configuration_is_a_usage_error(program: Program) -> None:
    assert program.run("vault", "setup", "--print").status == 2
