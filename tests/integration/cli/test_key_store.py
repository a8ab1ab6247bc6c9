"""Two operators at once: nobody overwrites what they have not seen."""

import pytest

from tests.integration.cli.conftest import Bao
from tests.unit.cli.derivations import DERIVATIONS
from vaultsigner.cli.key_material import read_private_key
from vaultsigner.cli.key_store import look_up, store
from vaultsigner.cli.vault_admin import CheckAndSetError, OperatorVault, VaultAccessError
from vaultsigner.config.settings import KvReference

MINE, THEIRS = (read_private_key(known.private_key) for known in DERIVATIONS)


def test_key_written_meanwhile_is_not_overwritten(bao: Bao, folder: str) -> None:
    vault, place = bao.admin(), KvReference("secret", folder, "private_key")
    seen = look_up(vault, place)
    store(vault, place, THEIRS, replacing=seen)
    with pytest.raises(CheckAndSetError, match="nothing was overwritten"):
        store(vault, place, MINE, replacing=seen)
    assert (vault.read(f"secret/data/{folder}") or {})["data"] == {"private_key": THEIRS.text}
    assert look_up(vault, place).public_key == THEIRS.public_key


def test_key_without_its_note_is_said_with_the_command_that_notes_it(bao: Bao, folder: str) -> None:
    admin, place = bao.admin(), KvReference("secret", folder, "private_key")
    admin.write(
        "sys/policies/acl/writer",
        {"policy": f'path "secret/data/{folder}" {{ capabilities = ["create", "update"] }}'},
    )
    token = admin.write("auth/token/create", {"policies": ["writer"]})["client_token"]
    with pytest.raises(VaultAccessError, match=f"public_key={MINE.public_key.hex()}") as told:
        store(OperatorVault(bao.address, token), place, MINE, replacing=look_up(admin, place))
    assert "the key is in Vault" in str(told.value)
    assert MINE.text not in str(told.value)


@pytest.mark.parametrize("note", ["zz", "02", "04" + "11" * 32, "02" * 40])
def test_unusable_note_counts_as_none(bao: Bao, folder: str, note: str) -> None:
    admin = bao.admin()
    admin.write(f"secret/data/{folder}", {"data": {"private_key": MINE.text}})
    admin.write(f"secret/metadata/{folder}", {"custom_metadata": {"public_key": note}})
    found = look_up(admin, KvReference("secret", folder, "private_key"))
    assert found.live
    assert found.public_key is None
