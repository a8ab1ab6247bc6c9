"""`vaultsigner open-api`: what lands in Vault, and where secrets are never seen."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.integration.cli.conftest import Bao
from tests.integration.cli.program import Program
from tests.unit.cli.test_exchange_material import ED25519, RSA_2048, pem
from vaultsigner.config import load
from vaultsigner.config.settings import KvReference

SECRET_KEY = "pX7dYkQwZr3tVbN8mJ5hGf2sLc9aEu4i"


def data_at(bao: Bao, path: str) -> dict[str, Any] | None:
    found = bao.admin().read(f"secret/data/{path}")
    return None if found is None else found["data"]


def private_pem(program: Program, text: str = "") -> str:
    file = program.home / "private.pem"
    file.write_text(text or pem(RSA_2048))
    return str(file)


def with_app(configured: Program, secret_key: str, private_key: str | None = None) -> None:
    config = configured.home / "config" / "config.yml"
    opening = "" if private_key is None else f", private_key: 'vault:{private_key}'"
    app = f"name: app, app_id: '1', access_key_id: k, base_url: 'https://x.example', secret_key: 'vault:{secret_key}'"
    config.write_text(f"{config.read_text()}open_api: [{{{app}{opening}}}]\n")


def test_both_secrets_lie_at_one_path_and_are_shown_nowhere(
    program: Program, bao: Bao, folder: str, tmp_path: Path
) -> None:
    arguments = ("--path", f"secret/{folder}/app", "--private-key", private_pem(program))
    done = program.run("open-api", "import", "app", *arguments, typed=f"{SECRET_KEY}\n")
    assert done.status == 0, done.err
    assert data_at(bao, f"{folder}/app") == {"secret_key": SECRET_KEY, "private_key": pem(RSA_2048)}
    assert SECRET_KEY not in done.out + done.err
    assert pem(RSA_2048).splitlines()[1] not in done.out + done.err
    shown = done.out[done.out.index("-----BEGIN") : done.out.index("For config.yml")]
    assert load_pem_public_key(shown.encode()) == RSA_2048.public_key()
    assert "private.pem still holds it" in done.err
    lines = done.out.partition("`open_api:`\n\n")[2].partition("Then run")[0]
    config = tmp_path / "config.yml"
    for member in ("app_id", "access_key_id"):
        lines = lines.replace(f'{member}: ""', f"{member}: x")
    config.write_text("open_api:\n" + lines.replace('base_url: ""', "base_url: https://x.example"))
    (app,) = load(config, {}).open_api.values()
    assert app.secret_key == KvReference("secret", f"{folder}/app", "secret_key")
    assert app.private_key == KvReference("secret", f"{folder}/app", "private_key")


def test_an_app_that_opens_nothing_has_no_private_key(program: Program, bao: Bao, folder: str) -> None:
    done = program.converse(
        "open-api",
        "import",
        "app",
        "--path",
        f"secret/{folder}/app",
        dialogue=[("Secret key of app (not shown): ", SECRET_KEY)],
    )
    assert done.status == 0, done.out
    assert SECRET_KEY not in done.out
    assert data_at(bao, f"{folder}/app") == {"secret_key": SECRET_KEY}
    assert "private_key:" not in done.out


def test_a_configured_app_s_secrets_go_where_config_says(configured: Program, bao: Bao, folder: str) -> None:
    with_app(configured, f"secret/{folder}/a#key", f"secret/{folder}/b#pem")
    alone = configured.run("open-api", "import", "app", typed=SECRET_KEY)
    assert alone.status == 2
    assert f"config.yml says vault:secret/{folder}/b#pem for app: give that key" in alone.err
    done = configured.run(
        "open-api", "import", "app", "--private-key", private_pem(configured), typed=SECRET_KEY
    )
    assert done.status == 0, done.err
    assert data_at(bao, f"{folder}/a") == {"key": SECRET_KEY}
    assert data_at(bao, f"{folder}/b") == {"pem": pem(RSA_2048)}
    listed = json.loads(configured.run("open-api", "list", "--json").out)
    assert listed[0]["secrets"] == {
        f"vault:secret/{folder}/a#key": "there",
        f"vault:secret/{folder}/b#pem": "there",
    }


def test_a_key_that_config_has_no_place_for_is_told(configured: Program, bao: Bao, folder: str) -> None:
    with_app(configured, f"secret/{folder}/a#key")
    done = configured.run(
        "open-api", "import", "app", "--private-key", private_pem(configured), typed=SECRET_KEY
    )
    assert done.status == 2
    assert "write `private_key: vault:...` there first" in done.err
    elsewhere = configured.run("open-api", "import", "app", "--path", "secret/elsewhere", typed=SECRET_KEY)
    assert elsewhere.status == 2
    assert "leave --path out" in elsewhere.err
    assert data_at(bao, f"{folder}/a") is None


def test_nothing_is_overwritten_unasked_and_both_go_together(
    configured: Program, bao: Bao, folder: str
) -> None:
    place = f"secret/{folder}/app"
    with_app(configured, f"{place}#secret_key", f"{place}#private_key")
    command = ("open-api", "import", "app", "--private-key", private_pem(configured))
    assert configured.run(*command, typed=SECRET_KEY).status == 0
    again = configured.run(*command, typed="another")
    assert again.status == 1
    assert "nothing was overwritten" in again.err
    refused = configured.converse(*command, "--replace", dialogue=[("to replace it: ", "yes")])
    assert refused.status == 1
    assert data_at(bao, f"{folder}/app") == {"secret_key": SECRET_KEY, "private_key": pem(RSA_2048)}
    typed = [("to replace it: ", place), ("(not shown): ", "another")]
    done = configured.converse(*command, "--replace", dialogue=typed)
    assert done.status == 0, done.out
    assert data_at(bao, f"{folder}/app") == {"secret_key": "another", "private_key": pem(RSA_2048)}


@pytest.mark.parametrize(
    ("typed", "key", "said"),
    [
        ("two words", "", "printable ASCII"),
        ("", "", "nothing on standard input"),
        (SECRET_KEY, pem(ED25519), "of type ed25519, not rsa"),
    ],
    ids=["two-words", "nothing", "another-type"],
)
def test_what_cannot_serve_is_refused_in_a_line(
    program: Program, bao: Bao, folder: str, *, typed: str, key: str, said: str
) -> None:
    arguments = ("--path", f"secret/{folder}/app", "--private-key", private_pem(program, key))
    done = program.run("open-api", "import", "app", *arguments, typed=typed)
    assert done.status == 1
    assert said in done.err.splitlines()[-1]
    assert SECRET_KEY not in done.err
    assert data_at(bao, f"{folder}/app") is None


def test_a_list_tells_what_is_missing_and_needs_no_right_to_read(
    configured: Program, bao: Bao, folder: str
) -> None:
    place = f"secret/{folder}/app"
    with_app(configured, f"{place}#secret_key")
    bao.admin().write(
        f"sys/policies/acl/{folder}",
        {"policy": f'path "secret/metadata/{folder}/*" {{ capabilities = ["read"] }}'},
    )
    token = bao.admin().write("auth/token/create", {"policies": [folder]})["client_token"]
    (configured.home / ".vault-token").write_text(token)
    listed = configured.run("open-api", "list")
    assert listed.status == 0, listed.err
    assert f"app  (app 1, https://x.example)\n  k\n  vault:{place}#secret_key: not there yet\n" in listed.out


def test_a_list_of_none_says_so(configured: Program) -> None:
    assert "vaultsigner open-api import NAME" in configured.run("open-api", "list").out
