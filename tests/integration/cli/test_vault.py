"""`vaultsigner vault setup` as a program: it shows first, acts then, and says what it did."""

import stat

import pytest

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


def granted(bao: Bao) -> str:
    return str((bao.admin().read("sys/policies/acl/vaultsigner") or {})["policy"])


def test_a_path_that_another_configuration_needs_is_taken_away_only_by_who_says_so(
    configured: Program, bao: Bao, folder: str
) -> None:
    assert configured.run("vault", "setup").status == 0
    before = granted(bao)
    config = configured.home / "config" / "config.yml"
    config.write_text(config.read_text().replace(f"{folder}/hot", "elsewhere/hot"))
    dropped = f'grants what config/config.yml does not name:\n  path "secret/data/{folder}/hot"\n'

    unattended = configured.run("vault", "setup", "--token-out", "run/token")
    assert unattended.status == 1
    assert dropped in unattended.err
    assert "add --yes" in unattended.err
    for answer in ("", "n", "path"):
        refused = configured.converse("vault", "setup", dialogue=[("[y/N]: ", answer)])
        assert refused.status == 1
        assert dropped in refused.out
        assert "nothing was changed" in refused.out
    assert granted(bao) == before
    assert not (configured.home / "run").exists()

    done = configured.converse("vault", "setup", dialogue=[("[y/N]: ", "y")])
    assert done.status == 0, done.out
    assert f"{folder}/hot" not in granted(bao)
    config.write_text(config.read_text().replace("elsewhere/hot", f"{folder}/hot"))
    back = configured.run("vault", "setup", "--yes")
    assert back.status == 0, back.err
    assert "elsewhere/hot" in back.err
    assert granted(bao) == before


def test_a_wallet_that_is_added_takes_nothing_away_and_nobody_is_asked(
    configured: Program, bao: Bao, folder: str
) -> None:
    assert configured.run("vault", "setup").status == 0
    config = configured.home / "config" / "config.yml"
    late = f"  - {{name: late, private_key: 'vault:secret/{folder}/late#private_key', permissions: []}}\n"
    config.write_text(config.read_text() + late)
    assert configured.run("vault", "setup").status == 0
    assert f"{folder}/late" in granted(bao)


@pytest.mark.parametrize(
    "text",
    [
        'path   "desk/data/*" { capabilities = ["read"] }\n  path "x/y"{\n  capabilities = ["read"]\n}\n# path "z" {}\n',
        'path"desk/data/*" { capabilities = ["read"] } path "x/y" { capabilities = ["read"] }',
        '{"path": {"desk/data/*": {"capabilities": ["read"]}, "x/y": {"capabilities": ["read"]}}}',
    ],
)
def test_however_a_policy_is_written_its_paths_are_seen(configured: Program, bao: Bao, text: str) -> None:
    bao.admin().write("sys/policies/acl/vaultsigner", {"policy": text})
    done = configured.run("vault", "setup")
    assert done.status == 1
    assert 'does not name:\n  path "desk/data/*"\n  path "x/y"\nA service' in done.err
    assert granted(bao) == text
