"""`vaultsigner exchanges`: what lands in Vault, what it signs there, and where secrets are never seen."""

import json
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from tests.integration.cli.conftest import Bao
from tests.integration.cli.program import Outcome, Program
from tests.unit.cli.test_exchange_material import RSA_2048, SECRET, pem
from vaultsigner.cli.exchange_target import read_place
from vaultsigner.cli.vault_admin import VaultAccessError
from vaultsigner.cli.vault_setup import set_up
from vaultsigner.config import load
from vaultsigner.config.settings import TransitReference

PAYLOAD = (
    b"symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1"
    b"&recvWindow=5000&timestamp=1499827319559"
)
SIGNATURE = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
"""Both from Binance's documentation, "SIGNED Endpoint Examples for POST /api/v3/order", with its SECRET."""
OTHER_SECRET = SECRET[::-1]
ED25519 = Ed25519PrivateKey.generate()


@pytest.fixture
def mount(bao: Bao, folder: str) -> str:
    """A Transit mount for this test alone."""
    bao.admin().write(f"sys/mounts/{folder}", {"type": "transit"})
    return folder


def signed(bao: Bao, path: str, data: bytes = PAYLOAD, **more: Any) -> bytes:
    """What Transit makes of the data."""
    answer = bao.admin().write(path, {"input": b64encode(data).decode(), **more})
    return b64decode((answer.get("hmac") or answer["signature"]).rpartition(":")[2])


def with_exchanges(configured: Program, lines: str) -> None:
    config = configured.home / "config" / "config.yml"
    config.write_text(f"{config.read_text()}exchanges:\n{lines}")


def main(mount: str, more: str = "", secret: str = "") -> str:
    place = secret or f"transit:{mount}/main"
    return f"  - {{name: main, base_url: 'https://x.example', api_key: k, scheme: hmac, secret: '{place}'{more}}}\n"


def assert_unseen(secret: str, outcome: Outcome) -> None:
    for line in secret.splitlines():
        if "-----" not in line:
            assert line not in outcome.out + outcome.err


def test_an_imported_secret_makes_the_signature_of_binance_s_example(
    program: Program, bao: Bao, mount: str
) -> None:
    arguments = ("--scheme", "hmac", "--path", f"transit:{mount}/main")
    done = program.run("exchanges", "import", "main", *arguments, typed=f"{SECRET}\n")
    assert done.status == 0, done.err
    assert signed(bao, f"{mount}/hmac/main/sha2-256").hex() == SIGNATURE
    assert_unseen(SECRET, done)
    key = bao.admin().read(f"{mount}/keys/main") or {}
    assert not key["exportable"]
    assert not key["allow_plaintext_backup"]
    for path in (f"{mount}/export/hmac-key/main", f"{mount}/backup/main"):
        with pytest.raises(VaultAccessError):
            bao.admin().read(path)
    with pytest.raises(VaultAccessError):
        bao.admin().write(f"{mount}/keys/main/rotate", {})


def test_an_ed25519_key_signs_as_the_public_key_shown_says(program: Program, bao: Bao, mount: str) -> None:
    arguments = ("--scheme", "ed25519", "--path", f"transit:{mount}/main")
    done = program.run("exchanges", "import", "main", *arguments, typed=pem(ED25519))
    assert done.status == 0, done.err
    shown = load_pem_public_key(done.out[done.out.index("-----BEGIN") :].encode())
    assert isinstance(shown, Ed25519PublicKey)
    shown.verify(signed(bao, f"{mount}/sign/main"), PAYLOAD)
    assert_unseen(pem(ED25519), done)


def test_an_rsa_key_signs_as_the_public_key_shown_says(program: Program, bao: Bao, mount: str) -> None:
    file = program.home / "private.pem"
    file.write_text(pem(RSA_2048))
    arguments = ("--scheme", "rsa", "--path", f"transit:{mount}/main", "--from-file", str(file))
    done = program.run("exchanges", "import", "main", *arguments)
    assert done.status == 0, done.err
    shown = load_pem_public_key(done.out[done.out.index("-----BEGIN") :].encode())
    assert isinstance(shown, RSAPublicKey)
    signature = signed(bao, f"{mount}/sign/main/sha2-256", signature_algorithm="pkcs1v15")
    shown.verify(signature, PAYLOAD, PKCS1v15(), SHA256())
    assert f"{file} still holds it" in done.err
    assert_unseen(pem(RSA_2048), done)


@pytest.mark.parametrize(
    ("scheme", "typed"),
    [("hmac", SECRET), ("rsa", pem(RSA_2048)), ("ed25519", pem(ED25519))],
    ids=["hmac", "rsa", "ed25519"],
)
def test_kv_gets_it_where_one_asks_for_that(
    program: Program, bao: Bao, folder: str, scheme: str, typed: str
) -> None:
    arguments = ("--scheme", scheme, "--path", f"vault:secret/{folder}/main#api_secret")
    done = program.run("exchanges", "import", "main", *arguments, typed=typed)
    assert done.status == 0, done.err
    found = bao.admin().read(f"secret/data/{folder}/main") or {}
    assert found["data"] == {"api_secret": typed}
    assert_unseen(typed, done)


@pytest.mark.parametrize("scheme", ["hmac", "ed25519"])
def test_the_printed_lines_are_a_configuration(
    program: Program, mount: str, scheme: str, tmp_path: Path
) -> None:
    typed = SECRET if scheme == "hmac" else pem(ED25519)
    arguments = ("--scheme", scheme, "--path", f"transit:{mount}/main")
    done = program.run("exchanges", "import", "main", *arguments, typed=typed)
    lines = done.out.partition("`exchanges:`\n\n")[2].partition("Then run")[0]
    config = tmp_path / "config.yml"
    config.write_text("exchanges:\n" + lines.replace('api_key: ""', "api_key: vmPUZE6m"))
    (exchange,) = load(config, {}).exchanges.values()
    assert (exchange.scheme, exchange.secret) == (scheme, TransitReference(mount, "main"))
    expected = ED25519.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert exchange.public_key == (expected if scheme == "ed25519" else None)


def test_a_configured_exchange_needs_its_name_alone_and_setup_lets_custody_use_it(
    configured: Program, bao: Bao, mount: str
) -> None:
    with_exchanges(configured, main(mount))
    asked = configured.converse(
        "exchanges", "import", "main", dialogue=[("Secret of main (not shown): ", SECRET)]
    )
    assert asked.status == 0, asked.out
    assert SECRET not in asked.out
    assert "exchanges:`" not in asked.out
    settings = load(configured.home / "config" / "config.yml", {})
    list(set_up(bao.admin(), settings))
    token = bao.admin().write("auth/token/create", {"policies": ["vaultsigner"], "no_default_policy": True})
    custody = bao.hvac()
    custody.token = token["client_token"]
    path = f"{mount}/hmac/main/sha2-256"
    answer = custody.write_data(path, data={"input": b64encode(PAYLOAD).decode()})
    assert b64decode(answer["data"]["hmac"].rpartition(":")[2]).hex() == SIGNATURE
    assert custody.read(f"{mount}/keys/main")["data"]["type"] == "hmac"


def test_nothing_is_overwritten_unasked(program: Program, bao: Bao, mount: str) -> None:
    for place in (f"transit:{mount}/main", f"vault:secret/{mount}/main"):
        command = ("exchanges", "import", "main", "--scheme", "hmac", "--path", place)
        assert program.run(*command, typed=SECRET).status == 0
        done = program.run(*command, typed=OTHER_SECRET)
        assert done.status == 1
        assert "nothing was overwritten" in done.err
        assert "or add --replace" in done.err
        unattended = program.run(*command, "--replace", typed=OTHER_SECRET)
        assert unattended.status == 1
        assert "typed on a terminal, even where the secret is piped in" in unattended.err
    assert signed(bao, f"{mount}/hmac/main/sha2-256").hex() == SIGNATURE
    assert (bao.admin().read(f"secret/data/{mount}/main") or {})["data"] == {"secret": SECRET}


def test_replacing_in_transit_ends_the_old_secret(configured: Program, bao: Bao, mount: str) -> None:
    with_exchanges(configured, main(mount) + main(mount).replace("name: main", "name: futures"))
    command = ("exchanges", "import", "main")
    assert configured.run(*command, typed=OTHER_SECRET).status == 0
    old = signed(bao, f"{mount}/hmac/main/sha2-256")
    refused = configured.converse(*command, "--replace", dialogue=[("to replace it: ", "yes")])
    assert refused.status == 1
    assert "version 1 of the secret of main, futures" in refused.out
    assert signed(bao, f"{mount}/hmac/main/sha2-256") == old
    typed = [("to replace it: ", f"transit:{mount}/main"), ("(not shown): ", SECRET)]
    done = configured.converse(*command, "--replace", dialogue=typed)
    assert done.status == 0, done.out
    assert "(version 2)" in done.out
    assert "signs no more" in done.out
    assert signed(bao, f"{mount}/hmac/main/sha2-256").hex() == SIGNATURE
    with pytest.raises(VaultAccessError, match="too old"):
        signed(bao, f"{mount}/hmac/main/sha2-256", key_version=1)


def test_replacing_in_kv_wants_the_path_typed(program: Program, bao: Bao, folder: str) -> None:
    command = ("exchanges", "import", "main", "--scheme", "hmac", "--path", f"vault:secret/{folder}/main")
    assert program.run(*command, typed=OTHER_SECRET).status == 0
    typed = [("to replace it: ", f"secret/{folder}/main"), ("(not shown): ", SECRET)]
    done = program.converse(*command, "--replace", dialogue=typed)
    assert done.status == 0, done.out
    assert (bao.admin().read(f"secret/data/{folder}/main") or {})["data"] == {"secret": SECRET}


def test_replacing_does_not_take_away_what_lies_beside(configured: Program, bao: Bao, folder: str) -> None:
    place = f"vault:secret/{folder}/account"
    with_exchanges(
        configured,
        main("", secret=f"{place}#a") + main("", secret=f"{place}#b").replace("name: main", "name: other"),
    )
    both = {"a": "one", "b": "two"}
    bao.admin().write(f"secret/data/{folder}/account", {"data": both})
    done = configured.run("exchanges", "import", "main", "--replace", typed=SECRET)
    assert done.status == 2
    assert "the secret of exchange other lies at" in done.err
    assert (bao.admin().read(f"secret/data/{folder}/account") or {})["data"] == both


def test_a_key_that_vault_made_is_not_replaced(program: Program, bao: Bao, mount: str) -> None:
    bao.admin().write(f"{mount}/keys/main", {"type": "hmac", "key_size": 32})
    command = ("exchanges", "import", "main", "--scheme", "hmac", "--path", f"transit:{mount}/main")
    done = program.run(*command, "--replace", typed=SECRET)
    assert done.status == 1
    assert "takes nothing from outside" in done.err


def test_a_key_that_vault_would_give_out_is_not_replaced(program: Program, bao: Bao, mount: str) -> None:
    command = ("exchanges", "import", "main", "--scheme", "hmac", "--path", f"transit:{mount}/main")
    assert program.run(*command, typed=OTHER_SECRET).status == 0
    bao.admin().write(f"{mount}/keys/main/config", {"exportable": True})
    done = program.run(*command, "--replace", typed=SECRET)
    assert done.status == 1
    assert "can be exported from Vault, for ever" in done.err


def test_a_key_of_another_type_is_no_next_version(program: Program, bao: Bao, mount: str) -> None:
    command = ("exchanges", "import", "main", "--path", f"transit:{mount}/main", "--scheme")
    assert program.run(*command, "hmac", typed=SECRET).status == 0
    file = program.home / "private.pem"
    file.write_text(pem(ED25519))
    done = program.converse(
        *command,
        "ed25519",
        "--replace",
        "--from-file",
        str(file),
        dialogue=[("to replace it: ", f"{mount}/main")],
    )
    assert done.status == 1
    assert "a key of type hmac, and its next version must be, too" in done.out
    assert signed(bao, f"{mount}/hmac/main/sha2-256").hex() == SIGNATURE


@pytest.mark.parametrize(
    ("scheme", "typed", "said"),
    [
        ("hmac", "short-secret", "32 to 512 characters, and this one has 12"),
        ("hmac", "two words", "printable ASCII"),
        ("hmac", "", "nothing on standard input"),
        ("ed25519", SECRET, "no private key in PEM"),
        ("rsa", pem(ED25519), "of type ed25519, not rsa"),
    ],
    ids=["short", "two-words", "nothing", "no-pem", "another-type"],
)
def test_what_cannot_serve_is_refused_in_a_line(
    program: Program, bao: Bao, mount: str, *, scheme: str, typed: str, said: str
) -> None:
    arguments = ("--scheme", scheme, "--path", f"transit:{mount}/main")
    done = program.run("exchanges", "import", "main", *arguments, typed=typed)
    assert done.status == 1
    assert said in done.err.splitlines()[-1]
    assert_unseen(typed or "-----", done)
    assert bao.admin().read(f"{mount}/keys/main") is None


def test_another_key_than_the_configured_public_key_s_is_refused(
    configured: Program, bao: Bao, mount: str
) -> None:
    public = ED25519.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with_exchanges(configured, main(mount, f", public_key: {json.dumps(public)}").replace("hmac", "ed25519"))
    other = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    wrong = configured.run("exchanges", "import", "main", typed=other.decode())
    assert wrong.status == 1
    assert "another public key for main" in wrong.err
    assert bao.admin().read(f"{mount}/keys/main") is None
    assert configured.run("exchanges", "import", "main", typed=pem(ED25519)).status == 0


def test_a_missing_transit_mount_is_told_before_a_secret_is_asked_for(program: Program) -> None:
    arguments = ("--scheme", "hmac", "--path", "transit:nowhere/main")
    done = program.run("exchanges", "import", "main", *arguments)
    assert done.status == 1
    assert "no Transit mount `nowhere/`: `vaultsigner vault setup` makes it" in done.err


def test_a_mistyped_name_is_told_and_so_is_an_unusable_configuration(configured: Program, mount: str) -> None:
    with_exchanges(configured, main(mount))
    arguments = ("--scheme", "hmac", "--path", f"transit:{mount}/other")
    done = configured.run("exchanges", "import", "mian", *arguments, typed=SECRET)
    assert "has no exchange mian (did you mean main?); the secret goes to" in done.err
    with_exchanges(configured, "nonsense: [")
    arguments = ("--scheme", "hmac", "--path", f"transit:{mount}/third")
    done = configured.run("exchanges", "import", "main", *arguments, typed=SECRET)
    assert done.status == 0, done.err
    assert "config.yml cannot be used yet" in done.err


def test_a_list_tells_what_is_there(configured: Program, bao: Bao, mount: str) -> None:
    places = {
        "main": (f"transit:{mount}/main", "there"),
        "late": (f"transit:{mount}/late", "not there yet"),
        "made": (f"transit:{mount}/made", "of type ed25519, not hmac"),
        "open": (f"transit:{mount}/open", "there, but Vault would export it"),
        "kv": (f"vault:secret/{mount}/kv#secret", "there"),
        "gone": (f"vault:secret/{mount}/gone#secret", "not there yet"),
    }
    lines = (
        main("", secret=place).replace("name: main", f"name: {name}") for name, (place, _) in places.items()
    )
    with_exchanges(configured, "".join(lines))
    assert configured.run("exchanges", "import", "main", typed=SECRET).status == 0
    assert configured.run("exchanges", "import", "kv", typed=SECRET).status == 0
    bao.admin().write(f"{mount}/keys/made", {"type": "ed25519"})
    bao.admin().write(f"{mount}/keys/open", {"type": "hmac", "key_size": 32, "exportable": True})
    listed = configured.run("exchanges", "list", "--json")
    assert listed.status == 0, listed.err
    rows = json.loads(listed.out)
    assert {row["name"]: (row["reference"], row["state"]) for row in rows} == places
    assert {row["name"] for row in rows if row["leaves_vault"]} == {"kv", "gone"}
    for_people = configured.run("exchanges", "list").out
    assert f"main  (hmac, https://x.example)\n  k\n  transit:{mount}/main: there\n" in for_people


def test_a_list_of_none_says_so(configured: Program) -> None:
    assert "vaultsigner exchanges import NAME" in configured.run("exchanges", "list").out
    assert json.loads(configured.run("exchanges", "list", "--json").out) == []


@pytest.mark.parametrize("place", ["transit:t/k", "vault:secret/a/b#c"])
def test_a_place_is_read_as_config_writes_it(place: str) -> None:
    assert str(read_place(place)) == place


def test_help_shows_examples(program: Program) -> None:
    for group in ("exchanges", "open-api"):
        for command in ("import", "list"):
            assert f"vaultsigner {group} {command}" in program.run(group, command, "--help").out
