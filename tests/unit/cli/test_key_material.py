"""Keys on their way into Vault: made, or read from a person."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mnemonic import Mnemonic

from tests.unit.cli.derivations import DERIVATIONS, Derivation
from vaultsigner.cli.key_material import (
    GROUP_ORDER,
    KeyTextError,
    new_mnemonic,
    new_private_key,
    read_key,
    read_mnemonic,
    read_private_key,
)
from vaultsigner.formats.bnb_beacon.address import address_of, encode_address

ABANDON = DERIVATIONS[0].mnemonic


@pytest.mark.parametrize("known", DERIVATIONS, ids=lambda known: known.name)
def test_mnemonics_give_the_addresses_of_other_wallets(known: Derivation) -> None:
    for material in (read_mnemonic(known.mnemonic), read_private_key(known.private_key)):
        raw = address_of(material.public_key)
        assert material.public_key.hex() == known.public_key
        assert encode_address(raw, "tbnb") == known.testnet
        assert encode_address(raw, "bnb") == known.mainnet


def test_new_keys_are_usable_and_differ() -> None:
    one, two = new_private_key(), new_private_key()
    assert one.text != two.text
    assert read_private_key(one.text) == one


@pytest.mark.parametrize("words", [12, 24])
def test_new_mnemonics_have_the_length_asked_for_and_differ(words: int) -> None:
    one, two = new_mnemonic(words), new_mnemonic(words)
    assert one.text != two.text
    assert len(one.text.split(" ")) == words
    assert Mnemonic("english").check(one.text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0x" + "1" * 64, "leave that out"),
        ("1" * 63, "63 characters"),
        ("1" * 65, "65 characters"),
        ("g" + "1" * 63, "some are not hex"),
        (" " + "1" * 63, "some are not hex"),
        ("1" * 64 + "\n", "65 characters"),
        ("0" * 64, "outside the range"),
        (f"{GROUP_ORDER:064x}", "outside the range"),
        ("f" * 64, "outside the range"),
        (ABANDON, "--kind mnemonic"),
    ],
)
def test_what_is_no_private_key_is_refused(text: str, said: str) -> None:
    with pytest.raises(KeyTextError, match=said):
        read_private_key(text)


def test_the_largest_key_is_a_key() -> None:
    assert read_private_key(f"{GROUP_ORDER - 1:064X}").text == f"{GROUP_ORDER - 1:064x}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ABANDON.replace(" ", "  ", 1), "one blank"),
        (ABANDON + " ", "one blank"),
        (ABANDON.replace(" ", "\t", 1), "one blank"),
        (ABANDON.title(), "lower case"),
        ("abandon " * 10 + "about", "11 words"),
        ("abandon " * 4 + "zzzzz " + "abandon " * 6 + "about", "word 5 "),
        ("abandon " * 12, "one blank"),
        (("abandon " * 12).strip(), "checksum"),
        ("1" * 64, "--kind private_key"),
        ("", "lower case"),
        ("abandön " + "abandon " * 10 + "about", "lower case"),
    ],
)
def test_what_is_no_mnemonic_is_refused(text: str, said: str) -> None:
    with pytest.raises(KeyTextError, match=said):
        read_mnemonic(text)


@given(st.text(max_size=80), st.sampled_from(["private_key", "mnemonic"]))
def test_a_refusal_never_repeats_what_was_given(text: str, kind: Any) -> None:
    secret = f"tr0ub4dor{text}"
    with pytest.raises(KeyTextError) as refused:
        read_key(kind, secret)
    assert "tr0ub4dor" not in str(refused.value)


def test_a_key_does_not_show_in_its_representation() -> None:
    material = new_private_key()
    assert material.text not in repr(material)
