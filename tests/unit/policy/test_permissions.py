"""The outer fence, with the old service's words."""

from pathlib import Path

import pytest

from tests.unit.config.loading import HASH
from vaultsigner.config import Settings, load
from vaultsigner.domain.names import ClientName, UserName, WalletName
from vaultsigner.domain.permissions import Permission
from vaultsigner.policy.permissions import common_permissions, refuse_by_permission


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "config.yml"
    file.write_text(f"""
wallets:
  - {{name: w1, private_key: "vault:secret/w1#k", permissions: [trade, transfer]}}
  - {{name: w2, private_key: "vault:secret/w2#k", permissions: [trade]}}
users:
  - username: sam
    password_hash: "{HASH}"
    wallet_permissions: [{{wallet_name: w1, permissions: [transfer, freeze]}}]
clients:
  - name: sam
    api_key: vs_sam
    scheme: hmac
    secret: vault:secret/clients/sam#secret
    wallet_permissions: [{{wallet_name: w2, permissions: [trade, vote]}}]
""")
    return load(file, {})


@pytest.mark.parametrize(
    ("wallet", "needed", "words"),
    [
        ("w1", Permission.TRANSFER, None),
        ("w1", Permission.TRADE, "User has no permission trade on wallet w1"),
        ("w1", Permission.FREEZE, "No permission freeze"),
        ("w1", Permission.RESYNC, "No permission resync"),
        ("w2", Permission.TRADE, "User has no permission trade on wallet w2"),
        ("w2", Permission.TRANSFER, "No permission transfer"),
    ],
)
def test_the_wallets_list_is_checked_before_the_users(
    settings: Settings, wallet: str, needed: Permission, words: str | None
) -> None:
    user = settings.users[UserName("sam")]
    assert refuse_by_permission(settings.wallets[WalletName(wallet)], user, needed) == words


@pytest.mark.parametrize(
    ("wallet", "needed", "words"),
    [
        ("w1", Permission.TRANSFER, "Client has no permission transfer on wallet w1"),
        ("w1", Permission.FREEZE, "No permission freeze"),
        ("w2", Permission.TRADE, None),
        ("w2", Permission.VOTE, "No permission vote"),
    ],
)
def test_a_client_has_its_own_lists_whatever_a_user_of_its_name_has(
    settings: Settings, wallet: str, needed: Permission, words: str | None
) -> None:
    client = settings.clients[ClientName("sam")]
    assert refuse_by_permission(settings.wallets[WalletName(wallet)], client, needed) == words


@pytest.mark.parametrize(("wallet", "common"), [("w1", {Permission.TRANSFER}), ("w2", set())])
def test_common_permissions_are_the_intersection(
    settings: Settings, wallet: str, common: set[Permission]
) -> None:
    user = settings.users[UserName("sam")]
    assert common_permissions(settings.wallets[WalletName(wallet)], user) == common
    client = settings.clients[ClientName("sam")]
    assert common_permissions(settings.wallets[WalletName("w2")], client) == {Permission.TRADE}
