"""`vaultsigner check` tries the secrets of exchanges and Open API apps, as custody would use them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cli.conftest import Bao
from tests.integration.cli.program import Program
from tests.unit.cli.test_exchange_material import ED25519, RSA_2048, SECRET, pem
from vaultsigner.cli.token_file import make_token_file
from vaultsigner.cli.vault_admin import OperatorVault
from vaultsigner.cli.vault_options import read_token
from vaultsigner.cli.vault_setup import set_up
from vaultsigner.config import load
from vaultsigner.config.settings import Settings

EXCHANGES = {
    "hmac": ("hmac", "transit:{folder}/hmac"),
    "rsa": ("rsa", "transit:{folder}/rsa"),
    "ed25519": ("ed25519", "transit:{folder}/ed25519"),
    "in-kv": ("ed25519", "vault:secret/{folder}/in-kv#secret"),
}
TYPED = {"hmac": SECRET, "rsa": pem(RSA_2048), "ed25519": pem(ED25519)}


@pytest.fixture
def desk(program: Program, bao: Bao, folder: str) -> Program:
    """A configuration of exchanges and an app alone, Vault set up for it, and no secret there yet."""
    entries = "".join(
        f"  - {{name: {name}, base_url: 'https://x.example', api_key: k, scheme: {scheme}, "
        f"secret: '{place.format(folder=folder)}'}}\n"
        for name, (scheme, place) in EXCHANGES.items()
    )
    place = f"vault:secret/{folder}/app"
    (program.home / "config").mkdir()
    (program.home / "config" / "config.yml").write_text(
        f"vault: {{address: '{bao.address}', auth: {{method: token_file, path: run/token}}}}\n"
        f"exchanges:\n{entries}"
        "open_api:\n"
        "  - {name: app, app_id: '1', access_key_id: k, base_url: 'https://x.example', "
        f"secret_key: '{place}#secret_key', private_key: '{place}#private_key'}}\n"
    )
    (program.home / "policies").mkdir()
    (program.home / "policies" / "desk.yml").write_text(
        "version: 1\nrules:\n  - {id: all, effect: allow, operations: [order.*]}\n"
    )
    set_up_for(bao, program.home)
    return program


def set_up_for(bao: Bao, home: Path) -> Settings:
    settings, vault = load(home / "config" / "config.yml", {}), bao.admin()
    list(set_up(vault, settings))
    make_token_file(
        vault,
        home / (settings.vault.token_path or ""),
        period="72h",
        read_token=read_token,
        as_holder=lambda token: OperatorVault(bao.address, token),
    )
    return settings


def import_all(desk: Program) -> None:
    for name, (scheme, _) in EXCHANGES.items():
        assert desk.run("exchanges", "import", name, typed=TYPED[scheme]).status == 0
    file = desk.home / "private.pem"
    file.write_text(pem(RSA_2048))
    done = desk.run("open-api", "import", "app", "--private-key", str(file), typed="a-secret")
    assert done.status == 0, done.err
    file.unlink()


def checked(desk: Program) -> tuple[int, dict[str, Any]]:
    done = desk.run("check", "--offline", "--json")
    assert SECRET not in done.out + done.err
    found: dict[str, Any] = json.loads(done.out)
    return done.status, found


def test_what_was_imported_can_be_used(desk: Program) -> None:
    import_all(desk)
    status, found = checked(desk)
    told = {each["name"]: each["problem"] for each in (*found["exchanges"], *found["open_api"])}
    assert told == dict.fromkeys([*EXCHANGES, "app"])
    assert status == 0
    assert not [each for each in found["exchanges"] if each["exportable"]]


def test_what_is_missing_is_told_for_each(desk: Program) -> None:
    status, found = checked(desk)
    assert status == 1
    for each in (*found["exchanges"], *found["open_api"]):
        assert each["problem"].startswith("key_missing: "), each


def test_a_key_of_another_type_and_one_that_can_leave_vault_are_told(
    desk: Program, bao: Bao, folder: str
) -> None:
    import_all(desk)
    bao.admin().write(f"{folder}/keys/ed25519/config", {"exportable": True})
    config = desk.home / "config" / "config.yml"
    text = (
        config.read_text().replace("scheme: hmac", "scheme: rsa").replace(f"'transit:{folder}/rsa'", "HELD")
    )
    text = text.replace(f"'transit:{folder}/hmac'", f"'transit:{folder}/ed25519'").replace(
        "HELD", f"'transit:{folder}/rsa'"
    )
    config.write_text(text)
    set_up_for(bao, desk.home)
    status, found = checked(desk)
    exchanges = {each["name"]: each for each in found["exchanges"]}
    assert status == 1
    assert "is a key of type ed25519, which does not sign by the scheme rsa" in exchanges["hmac"]["problem"]
    assert [name for name, each in exchanges.items() if each["exportable"]] == ["ed25519"]
    shown = desk.run("check", "--offline").out
    assert f"transit:{folder}/ed25519: whoever may administer Vault can export this secret" in shown


def test_a_token_that_was_made_before_is_told_to_lack_its_policy(desk: Program, folder: str) -> None:
    import_all(desk)
    config = desk.home / "config" / "config.yml"
    late = f"secret: 'transit:{folder}/late'"
    config.write_text(config.read_text().replace(f"secret: 'transit:{folder}/hmac'", late))
    found = checked(desk)[1]
    (problem,) = (each["problem"] for each in found["exchanges"] if each["name"] == "hmac")
    assert f"may not use transit:{folder}/late: run `vaultsigner vault setup` again" in problem
