"""`vaultsigner clients`: a secret is in Vault and on the screen once, and nowhere else."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cli.conftest import Bao
from tests.integration.cli.program import Outcome, Program
from tests.unit.config.keys_at_hand import ed25519_pem, rsa_pem
from vaultsigner.config import load

WALLETS = "wallets: [{name: hot, private_key: 'vault:secret/hot#private_key', permissions: [trade]}]\n"


def secret_at(bao: Bao, path: str) -> dict[str, Any] | None:
    found = bao.admin().read(f"secret/data/{path}")
    data: dict[str, Any] | None = found["data"] if found else None
    return data


def lines_in(done: Outcome) -> str:
    return done.out.partition("`clients:`\n\n")[2].partition("Then run")[0]


@pytest.mark.parametrize("scheme", ["hmac", "open_api"])
def test_a_created_secret_is_shown_once_and_lies_in_vault_alone(
    program: Program, bao: Bao, folder: str, scheme: str
) -> None:
    name = f"bot-{folder}-{scheme}"
    done = program.run("clients", "create", name, "--scheme", scheme)
    assert done.status == 0, done.err
    held = secret_at(bao, f"clients/{name}")
    assert held is not None
    assert list(held) == ["secret"]
    assert re.fullmatch(r"[A-Za-z0-9]{64}", held["secret"])
    assert done.out.count(held["secret"]) == 1
    assert held["secret"] not in done.err
    assert "shown only this once" in done.out
    assert not [
        file
        for file in program.home.rglob("*")
        if file.is_file() and held["secret"] in file.read_text(errors="replace")
    ]


def test_created_lines_are_a_configuration(program: Program, folder: str) -> None:
    done = program.run("clients", "create", f"bot-{folder}", "--scheme", "hmac")
    config = program.home / "config.yml"
    config.write_text(f"{WALLETS}clients:\n" + lines_in(done).replace("wallet_1", "hot"))
    (client,) = load(config, {}).clients.values()
    assert (client.name, client.scheme) == (f"bot-{folder}", "hmac")
    assert f"API key     {client.api_key}   (no secret)" in done.out
    assert str(client.secret) == f"vault:secret/clients/bot-{folder}#secret"


def test_for_programs_everything_is_one_document(program: Program, bao: Bao, folder: str) -> None:
    done = program.run("clients", "create", "--scheme", "hmac", "--path", f"secret/{folder}/app", "--json")
    made = json.loads(done.out)
    assert sorted(made) == ["api_key", "config", "name", "reference", "scheme", "secret"]
    assert made["name"].startswith("client-")
    assert made["reference"] == f"vault:secret/{folder}/app#secret"
    assert secret_at(bao, f"{folder}/app") == {"secret": made["secret"]}


def test_a_configured_client_gets_its_secret_where_config_says(
    configured: Program, bao: Bao, folder: str
) -> None:
    config = configured.home / "config" / "config.yml"
    config.write_text(
        config.read_text()
        + f"clients: [{{name: bot, api_key: vs_mine, scheme: hmac, secret: 'vault:secret/{folder}/bot#key'}}]\n"
    )
    done = configured.run("clients", "create", "bot")
    assert done.status == 0, done.err
    held = secret_at(bao, f"{folder}/bot")
    assert held is not None
    assert list(held) == ["key"]
    assert held["key"] in done.out
    assert "API key     vs_mine " in done.out
    assert "For config.yml" not in done.out


def test_a_secret_that_is_there_is_never_overwritten(program: Program, bao: Bao, folder: str) -> None:
    place = ("--path", f"secret/{folder}", "--scheme", "hmac")
    assert program.run("clients", "create", "bot", *place).status == 0
    before = secret_at(bao, folder)
    for name in ("bot", "other"):
        done = program.run("clients", "create", name, *place)
        assert done.status == 1
        assert "already holds a secret, and nothing was overwritten" in done.err
        assert done.out == ""
    assert secret_at(bao, folder) == before
    bao.hvac().secrets.kv.v2.delete_latest_version_of_secret(folder, mount_point="secret")
    assert "was deleted" in program.run("clients", "create", "bot", *place).err


def test_a_wallet_s_key_is_never_overwritten_by_a_client_s_secret(
    program: Program, bao: Bao, folder: str
) -> None:
    bao.admin().write(f"secret/data/{folder}", {"data": {"private_key": "a key"}})
    done = program.run("clients", "create", "bot", "--scheme", "hmac", "--path", f"secret/{folder}")
    assert done.status == 1
    assert secret_at(bao, folder) == {"private_key": "a key"}


def test_a_mount_that_is_not_there_is_told_before_anything_is_made(program: Program) -> None:
    done = program.run("clients", "create", "bot", "--scheme", "hmac", "--path", "nowhere/bot")
    assert done.status == 1
    assert "there is no mount `nowhere/`: `vaultsigner vault setup` makes it" in done.err
    assert done.out == ""


@pytest.mark.parametrize("scheme", ["rsa", "ed25519"])
def test_a_client_with_a_key_of_its_own_needs_no_vault(program: Program, scheme: str) -> None:
    (program.home / "bot.pem").write_text(rsa_pem(2048) if scheme == "rsa" else ed25519_pem())
    nowhere = {"VAULT_ADDR": "http://127.0.0.1:1"}
    done = program.run(
        "clients", "create", "bot", "--scheme", scheme, "--public-key", "bot.pem", environment=nowhere
    )
    assert done.status == 0, done.err
    assert "openssl" not in done.out
    config = program.home / "config.yml"
    config.write_text(f"{WALLETS}clients:\n" + lines_in(done).replace("wallet_1", "hot"))
    listed = program.run("clients", "list", "--config", "config.yml", "--json", environment=nowhere)
    assert listed.status == 0, listed.err
    [row] = json.loads(listed.out)
    assert (row["scheme"], row["state"], row["reference"]) == (scheme, "there", None)
    assert row["public_key"].startswith("sha256:")


@pytest.mark.parametrize("scheme", ["rsa", "ed25519"])
def test_the_commands_shown_make_a_key_that_is_taken(program: Program, tmp_path: Path, scheme: str) -> None:
    done = program.run("clients", "create", "bot", "--scheme", scheme)
    assert done.status == 0, done.err
    commands = [line.strip() for line in done.out.splitlines() if line.startswith("  openssl ")]
    assert len(commands) == 2
    for command in commands:
        subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    again = program.run(
        "clients", "create", "bot", "--scheme", scheme, "--public-key", str(tmp_path / "public.pem")
    )
    assert again.status == 0, again.err
    private = program.run(
        "clients", "create", "bot", "--scheme", scheme, "--public-key", str(tmp_path / "private.pem")
    )
    assert private.status == 2
    assert "this is a private key" in private.err


def test_the_list_reads_metadata_and_never_a_secret(configured: Program, bao: Bao, folder: str) -> None:
    config = configured.home / "config" / "config.yml"
    entries = [
        f"{{name: {name}, api_key: vs_{name}, scheme: hmac, secret: 'vault:secret/{folder}/{name}#secret'}}"
        for name in ("made", "missing", "gone")
    ]
    config.write_text(config.read_text() + f"clients: [{', '.join(entries)}]\n")
    secrets = {}
    for name in ("made", "gone"):
        secrets[name] = json.loads(configured.run("clients", "create", name, "--json").out)["secret"]
    bao.hvac().secrets.kv.v2.delete_latest_version_of_secret(f"{folder}/gone", mount_point="secret")
    metadata_only = bao.hvac().auth.token.create(policies=[metadata_policy(bao, folder)])["auth"][
        "client_token"
    ]
    token = configured.home / "metadata-token"
    token.write_text(metadata_only)
    token.chmod(0o600)
    listed = configured.run("clients", "list", "--token-file", str(token), "--json")
    assert listed.status == 0, listed.err
    assert {row["name"]: row["state"] for row in json.loads(listed.out)} == {
        "made": "there",
        "missing": "not there yet",
        "gone": "deleted",
    }
    shown = configured.run("clients", "list", "--token-file", str(token))
    assert f"made  (hmac)\n  vs_made\n  vault:secret/{folder}/made#secret: there\n" in shown.out
    assert not [secret for secret in secrets.values() if secret in listed.out + shown.out]


def metadata_policy(bao: Bao, folder: str) -> str:
    """Whoever has this policy alone may read metadata, and no secret."""
    bao.admin().write(
        f"sys/policies/acl/{folder}",
        {"policy": f'path "secret/metadata/{folder}/*" {{ capabilities = ["read"] }}'},
    )
    return folder


def test_help_shows_examples(program: Program) -> None:
    for command in ("create", "list"):
        assert f"vaultsigner clients {command}" in program.run("clients", command, "--help").out


def with_hmac_client(configured: Program, folder: str, more: str = "") -> str:
    """A client `bot` in the configuration; where its secret lies."""
    config = configured.home / "config" / "config.yml"
    bot = f"{{name: bot, api_key: vs_mine, scheme: hmac, secret: 'vault:secret/{folder}/bot#secret'}}"
    config.write_text(config.read_text() + f"clients: [{bot}{more}]\n")
    return f"secret/{folder}/bot"


def test_a_secret_is_replaced_for_whoever_types_its_path_and_the_api_key_stays(
    configured: Program, bao: Bao, folder: str
) -> None:
    place = with_hmac_client(configured, folder)
    assert configured.run("clients", "create", "bot").status == 0
    first = secret_at(bao, f"{folder}/bot")
    again = configured.run("clients", "create", "bot")
    assert again.status == 1
    assert "or add --replace" in again.err
    unattended = configured.run("clients", "create", "bot", "--replace")
    assert unattended.status == 1
    assert "terminal" in unattended.err
    refused = configured.converse(
        "clients", "create", "bot", "--replace", dialogue=[("to replace it: ", "yes")]
    )
    assert refused.status == 1
    assert "running service takes the new secret at once" in refused.out
    assert secret_at(bao, f"{folder}/bot") == first
    done = configured.converse("clients", "create", "bot", "--replace", dialogue=[("to replace it: ", place)])
    assert done.status == 0, done.out
    second = secret_at(bao, f"{folder}/bot")
    assert second is not None
    assert second != first
    assert done.out.count(second["secret"]) == 1
    assert "API key     vs_mine " in done.out
    assert "vault setup" not in done.out


def test_replacing_does_not_take_away_what_another_client_has_there(
    configured: Program, bao: Bao, folder: str
) -> None:
    other = f", {{name: other, api_key: vs_other, scheme: hmac, secret: 'vault:secret/{folder}/bot#other'}}"
    with_hmac_client(configured, folder, other)
    bao.admin().write(f"secret/data/{folder}/bot", {"data": {"secret": "a", "other": "b"}})
    done = configured.run("clients", "create", "bot", "--replace")
    assert done.status == 2
    assert "the secret of client other lies at" in done.err
    assert secret_at(bao, f"{folder}/bot") == {"secret": "a", "other": "b"}


def test_only_a_configured_client_s_secret_is_replaced(configured: Program, folder: str) -> None:
    with_hmac_client(configured, folder)
    for arguments, told in (
        (("bott", "--scheme", "hmac"), "did you mean bot?"),
        (("--scheme", "hmac"), "needs the client's name"),
    ):
        done = configured.run("clients", "create", *arguments, "--replace")
        assert done.status == 2
        assert told in done.err
        assert done.out == ""
    (configured.home / "config" / "config.yml").unlink()
    assert "no config.yml" in configured.run("clients", "create", "bot", "--scheme", "hmac", "--replace").err


def test_a_list_of_no_clients_says_so(configured: Program) -> None:
    listed = configured.run("clients", "list")
    assert listed.out == (
        "There are no clients in config/config.yml: `vaultsigner clients create NAME` makes one.\n"
    )
    assert json.loads(configured.run("clients", "list", "--json").out) == []


def test_help_says_what_a_newcomer_asks(program: Program) -> None:
    told = program.run("clients", "create", "--help").out
    assert "Without NAME one is made up" in told
    assert "An API key of your own may stand in config.yml" in told
    assert "--json | jq '{api_key, secret, config}'" in told
    assert "jq -r .secret" not in told
