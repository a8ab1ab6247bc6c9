"""Wallets with one key are told, by whatever shows it."""

import pytest

from vaultsigner.cli.check_report import WalletFinding
from vaultsigner.cli.shared_keys import shared_keys


def wallet(name: str, reference: str, public_key: str | None = None) -> WalletFinding:
    return WalletFinding(name, "PROD", f"vault:secret/{reference}", public_key=public_key)


@pytest.mark.parametrize(
    "wallets",
    [
        (wallet("a", "one#private_key"), wallet("b", "one#private_key")),
        (wallet("a", "one#private_key", "02aa"), wallet("b", "one#private_key", "02aa")),
        (wallet("a", "one#private_key", "02aa"), wallet("b", "two#mnemonic", "02aa")),
        (wallet("a", "one#private_key", "02aa"), wallet("b", "one#private_key")),
        (wallet("a", "one#k"), wallet("c", "other#k", "02cc"), wallet("b", "one#k")),
    ],
)
def test_two_wallets_with_one_key_are_told_once(wallets: tuple[WalletFinding, ...]) -> None:
    (told,) = shared_keys(wallets)
    assert told.startswith("wallets a and b have the same key: ")
    assert "suspend" in told


def test_all_wallets_of_a_key_are_named() -> None:
    (told,) = shared_keys([wallet(name, "one#k") for name in "abc"])
    assert told.startswith("wallets a, b and c have")


def test_keys_of_their_own_are_no_finding() -> None:
    assert not list(shared_keys([wallet("a", "one#k"), wallet("b", "one#l"), wallet("c", "two#k")]))
    assert not list(shared_keys([wallet("a", "one#k", "02aa"), wallet("b", "two#k", "02bb")]))
