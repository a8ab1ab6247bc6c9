"""`vaultsigner keys`: what lands in Vault, and where the key must never be seen."""

import json
import re
from typing import Any

import pytest

from tests.integration.cli.conftest import Bao
from tests.integration.cli.program import Outcome, Program
from tests.unit.cli.derivations import DERIVATIONS, Derivation
from vaultsigner.cli.key_material import read_mnemonic, read_private_key
from vaultsigner.formats.bnb_beacon.address import address_of, encode_address

FIRST, SECOND = DERIVATIONS


def secret_at(bao: Bao, path: str) -> dict[str, Any]:
    found = bao.admin().read(f"secret/data/{path}") or {}
    data: dict[str, Any] = found["data"]
    return data


def noted_at(bao: Bao, path: str) -> dict[str, str]:
    found = bao.admin().read(f"secret/metadata/{path}") or {}
    custom: dict[str, str] = found["custom_metadata"]
    return custom


def assert_unseen(secret: str, outcome: Outcome) -> None:
    for part in (secret, secret.upper(), *secret.split(" ")[:1]):
        assert part not in outcome.out
        assert part not in outcome.err


def test_created_key_lands_in_vault_and_nowhere_else(program: Program, bao: Bao) -> None:
    done = program.run("keys", "create", "created")
    assert done.status == 0, done.err
    key = secret_at(bao, "wallets/created")["private_key"]
    material = read_private_key(key)
    assert noted_at(bao, "wallets/created") == {
        "public_key": material.public_key.hex(),
        "created_by": "vaultsigner",
    }
    assert_unseen(key, done)
    assert material.public_key.hex() in done.out
    assert encode_address(address_of(material.public_key), "tbnb") in done.out
    assert encode_address(address_of(material.public_key), "bnb") in done.out
    assert "    private_key: vault:secret/wallets/created#private_key\n" in done.out
    assert not [
        file for file in program.home.rglob("*") if file.is_file() and key in file.read_text(errors="replace")
    ]


def test_created_lines_are_a_configuration(program: Program) -> None:
    done = program.run("keys", "create", "pasted")
    config = program.home / "config.yml"
    config.write_text("wallets:\n" + done.out.partition("`wallets:`\n\n")[2].partition("Then run")[0])
    listed = program.run("keys", "list", "--config", str(config), "--json")
    assert listed.status == 0, listed.err
    [row] = json.loads(listed.out)
    assert row["address"] in done.out


def test_created_key_of_a_configured_wallet_goes_where_config_says(
    configured: Program, bao: Bao, folder: str
) -> None:
    done = configured.run("keys", "create", "main")
    assert done.status == 0, done.err
    material = read_private_key(secret_at(bao, f"{folder}/main")["private_key"])
    assert f"address     {encode_address(address_of(material.public_key), 'bnb')}  (PROD)" in done.out
    assert "tbnb1" not in done.out


@pytest.mark.parametrize("words", ["12", "24"])
def test_created_mnemonic_has_the_words_asked_for(program: Program, bao: Bao, words: str) -> None:
    done = program.run("keys", "create", f"words-{words}", "--kind", "mnemonic", "--words", words)
    assert done.status == 0, done.err
    mnemonic = secret_at(bao, f"wallets/words-{words}")["mnemonic"]
    assert len(mnemonic.split(" ")) == int(words)
    assert read_mnemonic(mnemonic).public_key.hex() == noted_at(bao, f"wallets/words-{words}")["public_key"]
    assert mnemonic not in done.out + done.err


@pytest.mark.parametrize("known", DERIVATIONS, ids=lambda known: known.name)
@pytest.mark.parametrize("kind", ["private_key", "mnemonic"])
def test_imported_key_has_the_address_other_wallets_give_it(
    program: Program, bao: Bao, folder: str, known: Derivation, kind: str
) -> None:
    text = known.private_key if kind == "private_key" else known.mnemonic
    done = program.run("keys", "import", "--path", f"secret/{folder}", "--kind", kind, typed=f"{text}\n")
    assert done.status == 0, done.err
    assert secret_at(bao, folder) == {kind: text}
    assert noted_at(bao, folder)["public_key"] == known.public_key
    assert known.testnet in done.out
    assert known.mainnet in done.out
    assert_unseen(text, done)


def test_import_asks_on_a_terminal_without_showing(configured: Program, bao: Bao, folder: str) -> None:
    done = configured.converse(
        "keys", "import", "cold", dialogue=[("Mnemonic of cold (not shown): ", FIRST.mnemonic)]
    )
    assert done.status == 0, done.out
    assert "abandon" not in done.out
    assert FIRST.testnet in done.out
    assert secret_at(bao, f"{folder}/cold") == {"mnemonic": FIRST.mnemonic}


@pytest.mark.parametrize(
    ("kind", "typed", "said"),
    [
        ("private_key", "0x" + FIRST.private_key, "leave that out"),
        ("private_key", FIRST.private_key[:-1], "exactly 64 hex digits"),
        ("private_key", "0" * 64, "outside the range"),
        ("mnemonic", FIRST.mnemonic.replace("about", "abandon"), "checksum"),
        ("mnemonic", FIRST.mnemonic.replace("about", "zebre"), "word 12 "),
        ("mnemonic", FIRST.mnemonic.upper(), "lower case"),
        ("private_key", "", "nothing on standard input"),
        ("private_key", "a" * 5000, "more than"),
    ],
)
def test_bad_key_is_refused_in_a_line_that_does_not_repeat_it(
    program: Program, bao: Bao, kind: str, typed: str, said: str
) -> None:
    done = program.run("keys", "import", "--path", "secret/bad", "--kind", kind, typed=typed)
    assert done.status == 1
    assert said in done.err
    assert len(done.err.splitlines()) == 1
    assert not typed or typed[2:40] not in done.err
    assert "zebre" not in done.err
    assert bao.admin().read("secret/data/bad") is None


def test_key_on_the_command_line_is_no_option(program: Program) -> None:
    done = program.run("keys", "import", "wallet_1", FIRST.private_key)
    assert done.status == 2


def test_existing_key_is_never_overwritten(program: Program, bao: Bao, folder: str) -> None:
    place = f"secret/{folder}"
    assert program.run("keys", "import", "--path", place, typed=FIRST.private_key).status == 0
    for command in (("create",), ("import",), ("create", "--kind", "mnemonic")):
        done = program.run("keys", command[0], "--path", place, *command[1:], typed=SECOND.private_key)
        assert done.status == 1
        assert "nothing was overwritten" in done.err
    assert secret_at(bao, folder) == {"private_key": FIRST.private_key}


def test_deleted_key_is_not_overwritten_either(program: Program, bao: Bao, folder: str) -> None:
    program.run("keys", "import", "--path", f"secret/{folder}", typed=FIRST.private_key)
    bao.hvac().secrets.kv.v2.delete_latest_version_of_secret(folder, mount_point="secret")
    done = program.run("keys", "create", "--path", f"secret/{folder}")
    assert done.status == 1
    assert "was deleted" in done.err


def test_replacing_wants_the_path_typed(program: Program, bao: Bao, folder: str) -> None:
    place = f"secret/{folder}"
    program.run("keys", "import", "--path", place, typed=FIRST.private_key)

    unattended = program.run("keys", "create", "--path", place, "--replace")
    assert unattended.status == 1
    assert "terminal" in unattended.err
    refused = program.converse(
        "keys", "create", "--path", place, "--replace", dialogue=[("to replace it: ", "yes")]
    )
    assert refused.status == 1
    assert FIRST.testnet in refused.out
    assert secret_at(bao, folder) == {"private_key": FIRST.private_key}

    done = program.converse(
        "keys", "create", "--path", place, "--replace", dialogue=[("to replace it: ", place)]
    )
    assert done.status == 0, done.out
    replaced = read_private_key(secret_at(bao, folder)["private_key"])
    assert replaced.text != FIRST.private_key
    assert noted_at(bao, folder)["public_key"] == replaced.public_key.hex()


def test_other_notes_beside_a_key_are_kept(program: Program, bao: Bao, folder: str) -> None:
    bao.admin().write(f"secret/metadata/{folder}", {"custom_metadata": {"desk": "rates"}})
    program.run("keys", "import", "--path", f"secret/{folder}", typed=FIRST.private_key)
    assert noted_at(bao, folder) == {
        "desk": "rates",
        "public_key": FIRST.public_key,
        "created_by": "vaultsigner",
    }


def test_show_once_shows_on_the_alternate_screen(program: Program, bao: Bao, folder: str) -> None:
    done = program.converse(
        "keys",
        "create",
        "--path",
        f"secret/{folder}",
        "--kind",
        "mnemonic",
        "--words",
        "12",
        "--show-once",
        dialogue=[("press Enter", "")],
    )
    assert done.status == 0, done.out
    mnemonic = secret_at(bao, folder)["mnemonic"]
    inside = re.findall(r"\x1b\[\?1049h(.*?)\x1b\[\?1049l", done.out, re.DOTALL)
    assert len(inside) == 1
    assert mnemonic in inside[0]
    assert mnemonic not in done.out.replace(inside[0], "")


def test_show_once_without_a_terminal_makes_no_key(program: Program, bao: Bao, folder: str) -> None:
    done = program.run("keys", "create", "--path", f"secret/{folder}", "--show-once")
    assert done.status == 2
    assert bao.admin().read(f"secret/data/{folder}") is None


def test_key_of_another_address_than_config_notes_is_refused(
    configured: Program, bao: Bao, folder: str
) -> None:
    config = configured.home / "config" / "config.yml"
    config.write_text(
        config.read_text().replace("  - name: hot\n", f"  - name: hot\n    address: {FIRST.testnet}\n")
    )
    wrong = configured.run("keys", "import", "hot", typed=SECOND.private_key)
    assert wrong.status == 1
    assert FIRST.testnet in wrong.err
    assert bao.admin().read(f"secret/data/{folder}/hot") is None
    assert configured.run("keys", "import", "hot", typed=FIRST.private_key).status == 0


def test_list_tells_noted_unnoted_and_missing_apart(configured: Program, bao: Bao, folder: str) -> None:
    configured.run("keys", "import", "hot", typed=FIRST.private_key)
    bao.admin().write(f"secret/data/{folder}/cold", {"data": {"mnemonic": FIRST.mnemonic}})
    listed = configured.run("keys", "list", "--json")
    assert listed.status == 0, listed.err
    assert [(row["name"], row["address"], row["state"]) for row in json.loads(listed.out)] == [
        ("hot", FIRST.testnet, "noted"),
        ("cold", None, "not noted"),
        ("main", None, "no key there yet"),
    ]
    for_people = configured.run("keys", "list")
    assert FIRST.testnet in for_people.out
    assert "not noted" in for_people.out


def test_list_needs_no_right_to_read_keys(configured: Program, bao: Bao, folder: str) -> None:
    configured.run("keys", "import", "hot", typed=FIRST.private_key)
    policy = f'path "secret/metadata/{folder}/*" {{ capabilities = ["read"] }}'
    bao.admin().write("sys/policies/acl/lister", {"policy": policy})
    token = bao.admin().write("auth/token/create", {"policies": ["lister"]})["client_token"]
    (configured.home / ".vault-token").write_text(token)
    listed = configured.run("keys", "list")
    assert listed.status == 0, listed.err
    assert FIRST.testnet in listed.out


def test_version_1_mount_never_gets_a_key(program: Program, bao: Bao) -> None:
    bao.admin().write("sys/mounts/old", {"type": "kv", "options": {"version": "1"}})
    done = program.run("keys", "create", "--path", "old/wallets/one")
    assert done.status == 1
    assert "not KV version 2" in done.err
    assert bao.hvac().list("old") is None


def test_missing_mount_names_the_remedy(program: Program) -> None:
    done = program.run("keys", "create", "--path", "nowhere/wallets/one")
    assert done.status == 1
    assert "vaultsigner vault setup" in done.err or "denies" in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("create",),
        ("create", "a b"),
        ("create", "--path", "secret"),
        ("create", "--path", "secret/data/wallets/x"),
        ("create", "--path", "secret/../sys/x"),
        ("create", "w", "--words", "13"),
        ("list", "--config", "nowhere.yml"),
    ],
)
def test_senseless_command_lines_are_usage_errors(program: Program, arguments: tuple[str, ...]) -> None:
    assert program.run("keys", *arguments).status == 2


def test_token_in_the_environment_is_not_read_and_said(program: Program, bao: Bao) -> None:
    (program.home / ".vault-token").unlink()
    done = program.run("keys", "create", "w", environment={"VAULT_TOKEN": bao.token})
    assert done.status == 1
    assert "VAULT_TOKEN is set and is not read" in done.err
    assert "no Vault token: give --token-file" in done.err


def test_token_is_asked_for_on_a_terminal(program: Program, bao: Bao, folder: str) -> None:
    (program.home / ".vault-token").unlink()
    done = program.converse(
        "keys", "create", "--path", f"secret/{folder}", dialogue=[("Vault token (not shown): ", bao.token)]
    )
    assert done.status == 0, done.out
    assert bao.token not in done.out


def test_token_file_that_others_can_read_is_warned_about(program: Program, folder: str) -> None:
    (program.home / ".vault-token").chmod(0o644)
    done = program.run("keys", "create", "--path", f"secret/{folder}")
    assert done.status == 0
    assert "chmod 600" in done.err


def test_a_key_that_still_lies_in_the_configuration_can_be_imported(
    configured: Program, bao: Bao, folder: str
) -> None:
    config = configured.home / "config" / "config.yml"
    name = f"{folder}-old"
    config.write_text(
        f"wallets:\n  - {{name: {name}, private_key: {FIRST.private_key}, permissions: [trade]}}\n"
    )
    done = configured.run("keys", "import", name, typed=FIRST.private_key)
    assert done.status == 0, done.err
    assert done.err == (
        "note: config.yml cannot be used yet (1 problem; `vaultsigner check` lists them); "
        f"the key goes to secret/wallets/{name}\n"
    )
    assert secret_at(bao, f"wallets/{name}") == {"private_key": FIRST.private_key}
    assert_unseen(FIRST.private_key, done)
    made = configured.run("keys", "create", f"{name}-2")
    assert made.status == 0, made.err
    assert made.err.startswith("note: config.yml cannot be used yet")


def test_a_key_for_a_name_that_the_configuration_lacks_is_noted(configured: Program, folder: str) -> None:
    done = configured.run("keys", "create", f"{folder}-hto")
    assert done.status == 0, done.err
    assert f"note: config/config.yml has no wallet {folder}-hto (" in done.err
    assert f"; the key goes to secret/wallets/{folder}-hto\n" in done.err
    assert configured.run("keys", "create", "hot").err == ""
