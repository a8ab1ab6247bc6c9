"""What `check` warns of before anything is tried."""

from dataclasses import replace

import pytest

from tests.unit.cli.sample import sample_client, sample_settings, sample_wallet
from vaultsigner.cli.cautions import cautions
from vaultsigner.config.settings import ListenAddress, Partner, ServerSettings, Settings, User
from vaultsigner.domain.names import UserName
from vaultsigner.policy import PolicySet

SAM = UserName("sam")
STRONG = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNo"
NO_RULES = PolicySet("sha256:00", ())


def settings(*, listen: str = "127.0.0.1", password_hash: str = STRONG) -> Settings:
    bare = sample_settings(sample_wallet("w", "w"))
    server = ServerSettings(ListenAddress(listen, 8000), bare.server.ops_listen, ())
    return replace(bare, server=server, users={SAM: User(SAM, password_hash, {})})


def test_a_sound_configuration_has_none() -> None:
    assert list(cautions(settings(), NO_RULES)) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.7", "::", "signer.example.com"])  # noqa: S104 - nothing is bound
def test_plain_http_that_leaves_the_machine_is_one(host: str) -> None:
    (caution,) = cautions(settings(listen=host), NO_RULES)
    assert "put a TLS terminator in front" in caution


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.53", "::1", "localhost"])
def test_this_machine_alone_is_none(host: str) -> None:
    assert list(cautions(settings(listen=host), NO_RULES)) == []


def test_nobody_and_nothing_to_sign_with_are_two() -> None:
    users, wallets = cautions(sample_settings(), NO_RULES)
    assert "there are no users" in users
    assert "there are no wallets" in wallets


def test_clients_are_callers_too() -> None:
    assert (
        list(cautions(sample_settings(sample_wallet("w", "w"), clients=[sample_client("b", "b")]), NO_RULES))
        == []
    )


@pytest.mark.parametrize(("bits", "told"), [(1024, 1), (2047, 1), (2048, 0)])
def test_a_short_key_of_the_partner_is_one(bits: int, told: int) -> None:
    found = list(cautions(replace(settings(), partner=Partner("/web3", b"", bits, {})), NO_RULES))
    assert len(found) == told
    assert all(f"has {bits} bits" in caution for caution in found)


def test_a_client_with_the_partner_s_key_is_one() -> None:
    own = sample_client("own", None)
    both = replace(
        settings(), clients={own.name: own}, partner=Partner("/web3", own.public_key or b"", 2048, {})
    )
    (caution,) = cautions(both, NO_RULES)
    assert caution.startswith("own: its public key is the partner's")


def test_a_password_in_the_state_s_url_and_a_half_checked_connection_are_two() -> None:
    url = "postgresql://u:hunter2@db.example.com/state?sslmode=require"
    password, mode = cautions(replace(settings(), state_url=url), NO_RULES)
    assert "passfile=" in password
    assert "sslmode=require" in mode
    assert "hunter2" not in password + mode


def test_a_password_hash_made_with_little_work_is_one() -> None:
    (caution,) = cautions(settings(password_hash=STRONG.replace("m=65536", "m=8")), NO_RULES)
    assert caution.startswith("sam: ")
