"""Spellings of addresses: one address is one address however it is written, and what is none is seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultsigner.formats.bnb_beacon.address import encode_address
from vaultsigner.policy.addresses import (
    LONGEST,
    Trouble,
    comparable,
    trouble_with_destination,
    trouble_with_receiver,
)

RECEIVER = encode_address(bytes(range(20)), "tbnb")
SEGWIT = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
TAPROOT = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"
"""BIP 173 and BIP 350, test vectors."""
HEX = "0x52908400098527886e0f7030069857d2e4169ee7"
BASE58 = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
TRON = "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8"
PREFIXES = ("bnb", "tbnb")


def mixed(text: str) -> str:
    return "".join(letter.upper() if index % 2 else letter for index, letter in enumerate(text))


@pytest.mark.parametrize("address", [RECEIVER, SEGWIT, TAPROOT, HEX])
def test_every_spelling_of_an_address_without_letter_case_is_compared_as_one(address: str) -> None:
    for spelling in (address, address.upper(), mixed(address)):
        assert comparable(spelling) == address


@pytest.mark.parametrize(
    "text",
    [
        BASE58,
        TRON,
        RECEIVER[:-1].upper() + "Q",
        "0xNOTHEX",
        "Alice",
        "BNB1" + "Q" * LONGEST,
        "\N{KELVIN SIGN}1QQQQQQ",
        "1QQQQQQQ",
        "",
    ],
)
def test_every_other_text_stays_as_it_is(text: str) -> None:
    assert comparable(text) == text


@given(raw=st.binary(min_size=20, max_size=20), choices=st.lists(st.booleans(), min_size=60, max_size=60))
def test_no_spelling_of_an_address_compares_as_another(raw: bytes, choices: list[bool]) -> None:
    address = encode_address(raw, "bnb")
    spelled = "".join(letter.upper() if up else letter for letter, up in zip(address, choices, strict=False))
    assert comparable(spelled) == address


RECEIVERS: list[tuple[str, Trouble | None]] = [
    (RECEIVER, None),
    (RECEIVER.upper(), "letter case"),
    (mixed(RECEIVER), "letter case"),
    (RECEIVER.replace("q", "p", 1), "checksum"),
    (RECEIVER[:-1], "checksum"),
    (encode_address(bytes(20), "bnb") + "q", "checksum"),
    (SEGWIT, "network"),
    (encode_address(bytes(20), "desk"), "network"),
    ("tbnb1there", "no address"),
    ("treasury", "no address"),
    (HEX, "no address"),
    (BASE58, "no address"),
    ("", "no address"),
]


@pytest.mark.parametrize(("text", "trouble"), RECEIVERS)
def test_what_keeps_a_text_from_being_a_receiver_of_a_transfer(text: str, trouble: Trouble | None) -> None:
    assert trouble_with_receiver(text, PREFIXES) == trouble


def test_bech32m_and_other_lengths_are_no_receivers() -> None:
    assert trouble_with_receiver(TAPROOT, ("bc",)) == "checksum"
    assert trouble_with_receiver(
        "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7k7grplx", ("bc",)
    ) == ("checksum")


@given(raw=st.binary(min_size=20, max_size=20), at=st.integers(6, 40), letter=st.sampled_from("qpzry9x8"))
def test_one_wrong_character_is_always_seen(raw: bytes, at: int, letter: str) -> None:
    address = encode_address(raw, "tbnb")
    wrong = f"{address[:at]}{letter}{address[at + 1 :]}"
    assert trouble_with_receiver(wrong, PREFIXES) == (None if wrong == address else "checksum")
    assert trouble_with_destination(wrong) == (None if wrong == address else "checksum")


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        (SEGWIT, None),
        (TAPROOT, None),
        (HEX, None),
        (HEX.upper(), None),
        (BASE58, None),
        (TRON, None),
        (RECEIVER, None),
        (SEGWIT.upper(), "letter case"),
        (mixed(SEGWIT), "letter case"),
        (SEGWIT.replace("w", "x", 1), "checksum"),
        (SEGWIT.replace("w", "x", 1).upper(), "checksum"),
        (mixed(SEGWIT.replace("w", "x", 1)), "checksum"),
        ("TA1" + "Kx9" * 10, None),
    ],
)
def test_of_other_chains_only_what_looks_like_bech32_is_judged(text: str, trouble: Trouble | None) -> None:
    assert trouble_with_destination(text) == trouble
