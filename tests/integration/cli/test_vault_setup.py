"""Setting Vault up: what is made, what is left alone, and that the policy is enough and no more."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Bao
from tests.unit.cli.sample import sample_settings, sample_wallet
from vaultsigner.cli.key_store import require_kv_v2
from vaultsigner.cli.token_file import make_token_file
from vaultsigner.cli.vault_admin import OperatorVault, VaultAccessError, VaultDeniedError
from vaultsigner.cli.vault_options import read_token
from vaultsigner.cli.vault_policy import least_policy
from vaultsigner.cli.vault_setup import Step, set_up
from vaultsigner.config.settings import KvReference, Settings, TransitReference
from vaultsigner.dev.openbao import OpenBao


@pytest.fixture
def fresh(bao: Bao) -> Bao:
    """OpenBao without what earlier tests set up."""
    vault = bao.hvac()
    for mount in ("desk", "signing"):
        vault.sys.disable_secrets_engine(mount)
    vault.sys.delete_policy("vaultsigner")
    return bao


@pytest.fixture
def settings(bao: Bao) -> Settings:
    found = sample_settings(
        sample_wallet("one", "wallets/one", mount="desk"),
        vault_address=bao.address,
        access_token_key=TransitReference("signing", "tokens"),
    )
    checkpoint_key = TransitReference("signing", "checkpoints")
    return replace(found, audit=replace(found.audit, checkpoint_key=checkpoint_key))


def token_step(bao: Bao, path: Path) -> Step:
    return make_token_file(
        bao.admin(),
        path,
        period="1h",
        read_token=read_token,
        as_holder=lambda token: OperatorVault(bao.address, token),
    )


def test_everything_missing_is_made(fresh: Bao, settings: Settings) -> None:
    steps = list(set_up(fresh.admin(), settings))
    assert all(step.changed for step in steps)
    key = fresh.admin().read("signing/keys/tokens") or {}
    assert key["type"] == "ed25519"
    assert not key["exportable"]
    assert not key["allow_plaintext_backup"]
    assert (fresh.admin().read("sys/policies/acl/vaultsigner") or {})["policy"] == least_policy(settings)


def test_the_first_secret_has_a_place_to_go_to(own_openbao: OpenBao) -> None:
    """An exchange's secret lies in Transit, so that its configuration names nothing in KV until a client is made."""
    vault = OperatorVault(own_openbao.address, own_openbao.root_token)
    bare = sample_settings(vault_address=own_openbao.address)
    mounted = "mounted KV version 2 at secret/"
    assert mounted not in [step.text for step in set_up(vault, bare)]
    own_openbao.client.sys.disable_secrets_engine("secret")
    elsewhere = sample_settings(sample_wallet("one", "one", mount="kv"), vault_address=own_openbao.address)
    assert mounted not in [step.text for step in set_up(vault, elsewhere)]
    assert mounted in [step.text for step in set_up(vault, bare)]
    require_kv_v2(vault, KvReference("secret", "clients/bot-1", "secret"))


def test_a_second_run_changes_nothing(fresh: Bao, settings: Settings) -> None:
    list(set_up(fresh.admin(), settings))
    key = (fresh.admin().read("signing/keys/tokens") or {})["keys"]
    assert not any(step.changed for step in set_up(fresh.admin(), settings))
    assert (fresh.admin().read("signing/keys/tokens") or {})["keys"] == key


def test_a_policy_that_differs_is_replaced_and_said(fresh: Bao, settings: Settings) -> None:
    fresh.admin().write(
        "sys/policies/acl/vaultsigner", {"policy": 'path "secret/*" {\n  capabilities = ["read"]\n}\n'}
    )
    changed = [step.text for step in set_up(fresh.admin(), settings) if step.changed]
    assert 'no longer granted: path "secret/*"' in changed[-1]


def test_an_exportable_key_is_refused(fresh: Bao, settings: Settings) -> None:
    fresh.admin().write("sys/mounts/signing", {"type": "transit"})
    fresh.admin().write("signing/keys/tokens", {"type": "ed25519", "exportable": True})
    with pytest.raises(VaultAccessError, match="can be exported"):
        list(set_up(fresh.admin(), settings))


@pytest.mark.parametrize("kind", ["rsa-2048", "aes256-gcm96"])
def test_a_key_of_another_type_is_refused(fresh: Bao, settings: Settings, kind: str) -> None:
    fresh.admin().write("sys/mounts/signing", {"type": "transit"})
    fresh.admin().write("signing/keys/tokens", {"type": kind})
    with pytest.raises(VaultAccessError, match="no plain Ed25519 key"):
        list(set_up(fresh.admin(), settings))


def test_a_version_1_mount_is_refused(fresh: Bao, settings: Settings) -> None:
    fresh.admin().write("sys/mounts/desk", {"type": "kv", "options": {"version": "1"}})
    with pytest.raises(VaultAccessError, match="not KV version 2"):
        list(set_up(fresh.admin(), settings))


def test_the_policy_is_enough_and_no_more(fresh: Bao, settings: Settings, tmp_path: Path) -> None:
    admin = fresh.admin()
    list(set_up(admin, settings))
    token_step(fresh, tmp_path / "token")
    admin.write("desk/data/wallets/one", {"data": {"private_key": "00"}})
    admin.write("desk/metadata/wallets/one", {"custom_metadata": {"public_key": "02"}})
    admin.write("desk/data/wallets/two", {"data": {"private_key": "00"}})
    custody = OperatorVault(fresh.address, read_token(tmp_path / "token"))

    assert (custody.read("desk/data/wallets/one") or {})["metadata"]["custom_metadata"] == {
        "public_key": "02"
    }
    assert custody.read("signing/keys/tokens")
    assert custody.write("signing/sign/tokens", {"input": "aGVsbG8="})["signature"].startswith("vault:v1:")
    assert custody.read("auth/token/lookup-self")
    custody.write("auth/token/renew-self", {})

    for path in (
        "desk/data/wallets/two",
        "desk/metadata/wallets/one",
        "signing/export/signing-key/tokens",
        "signing/backup/tokens",
        "sys/mounts",
        "sys/policies/acl/vaultsigner",
        "cubbyhole/x",
    ):
        with pytest.raises(VaultDeniedError):
            custody.read(path)
    for path in (
        "desk/data/wallets/one",
        "signing/keys/tokens/config",
        "auth/token/create",
        "sys/capabilities-self",
    ):
        with pytest.raises(VaultDeniedError):
            custody.write(path, {"data": {}})


def test_the_token_is_periodic_orphan_and_without_default(
    fresh: Bao, settings: Settings, tmp_path: Path
) -> None:
    list(set_up(fresh.admin(), settings))
    path = tmp_path / "run" / "token"
    assert token_step(fresh, path).changed
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = OperatorVault(fresh.address, read_token(path)).read("auth/token/lookup-self") or {}
    assert found["policies"] == ["vaultsigner"]
    assert found["orphan"]
    assert found["renewable"]
    assert found["period"] == 3600


def test_a_good_token_file_is_left_alone(fresh: Bao, settings: Settings, tmp_path: Path) -> None:
    list(set_up(fresh.admin(), settings))
    path = tmp_path / "token"
    token_step(fresh, path)
    before = path.read_text()
    step = token_step(fresh, path)
    assert not step.changed
    assert "holds a good token" in step.text
    assert path.read_text() == before


def test_a_dead_token_is_replaced(fresh: Bao, settings: Settings, tmp_path: Path) -> None:
    list(set_up(fresh.admin(), settings))
    path = tmp_path / "token"
    token_step(fresh, path)
    before = path.read_text()
    fresh.admin().write("auth/token/revoke", {"token": before})
    step = token_step(fresh, path)
    assert step.changed
    assert "in place of the older one" in step.text
    assert path.read_text() != before
    assert [file.name for file in tmp_path.iterdir()] == ["token"]


def test_somebody_elses_token_is_not_overwritten(fresh: Bao, settings: Settings, tmp_path: Path) -> None:
    list(set_up(fresh.admin(), settings))
    path = tmp_path / "token"
    path.write_text(fresh.token)
    path.chmod(0o600)
    with pytest.raises(VaultAccessError, match="remove it first"):
        token_step(fresh, path)
    assert path.read_text() == fresh.token


def test_a_token_that_cannot_be_written_is_revoked(fresh: Bao, settings: Settings, tmp_path: Path) -> None:
    list(set_up(fresh.admin(), settings))
    accessors = fresh.hvac().auth.token.list_accessors
    before = set(accessors()["data"]["keys"])
    (tmp_path / "file").write_text("")
    with pytest.raises(VaultAccessError, match="was revoked"):
        token_step(fresh, tmp_path / "file" / "token")
    assert set(accessors()["data"]["keys"]) <= before  # of another test's some may have run out meanwhile


def test_setup_without_rights_says_so(fresh: Bao, settings: Settings, tmp_path: Path) -> None:
    list(set_up(fresh.admin(), settings))
    token_step(fresh, tmp_path / "token")
    with pytest.raises(VaultDeniedError):
        list(set_up(OperatorVault(fresh.address, read_token(tmp_path / "token")), settings))
