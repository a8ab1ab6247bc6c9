"""Addresses: only lower-case classic bech32 of 20 bytes, and only of the network that is meant."""

import string

import bech32
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.formats.bnb_beacon.strategies import addresses
from tests.work import calls_of
from vaultsigner.formats.bnb_beacon.address import AddressError, address_of, decode_address, encode_address

TEST_ADDRESS = "tbnb10a6kkxlf823w9lwr6l9hzw4uyphcw7qzrud5rr"
MAIN_ADDRESS = "bnb1rxhz5vdv4fvdjye8gxqvfv0yvg20jtlwf4f38d"
CHARACTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def refused(text: str, prefix: str = "tbnb") -> str:
    with pytest.raises(AddressError) as caught:
        decode_address(text, prefix)
    return str(caught.value)


def test_address_of_another_network_is_refused() -> None:
    expected = "an address of another network: it begins with bnb1, this wallet's network uses tbnb1"
    assert refused(MAIN_ADDRESS) == expected
    assert "begins with tbnb1" in refused(TEST_ADDRESS, "bnb")


def test_upper_case_is_refused() -> None:
    assert refused(TEST_ADDRESS.upper()) == "the address is in upper case: write it in lower case"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tbnb1",
        TEST_ADDRESS[:-1],
        TEST_ADDRESS + "q",
        TEST_ADDRESS[:-1] + "q",
        TEST_ADDRESS.replace("tbnb1", "tbnb"),
        TEST_ADDRESS.replace("0a6", "0A6"),
        " " + TEST_ADDRESS,
        TEST_ADDRESS + "\n",
        TEST_ADDRESS.replace("1", "１"),
        "0x7f756b1be93aa2e2fdc3d7cb713abc206f877802",
        "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
    ],
)
def test_what_is_no_address(text: str) -> None:
    assert refused(text) == "not an address: expected one that begins with tbnb1, as the wallet shows it"


@pytest.mark.parametrize("length", [0, 1, 19, 21, 32])
def test_payload_of_another_length_is_refused(length: int) -> None:
    text = bech32.bech32_encode("tbnb", bech32.convertbits(bytes(length), 8, 5) or [])
    assert "not an address" in refused(text)
    with pytest.raises(AddressError, match="20 bytes"):
        encode_address(bytes(length), "tbnb")


def test_bech32m_is_refused() -> None:
    """Same characters, another checksum constant (BIP 350)."""
    groups = bech32.convertbits(bytes(20), 8, 5) or []
    checked = bech32.bech32_hrp_expand("tbnb") + groups
    polymod = bech32.bech32_polymod([*checked, 0, 0, 0, 0, 0, 0]) ^ 0x2BC830A3
    checksum = [(polymod >> 5 * (5 - i)) & 31 for i in range(6)]
    assert "not an address" in refused("tbnb1" + "".join(CHARACTERS[group] for group in groups + checksum))


def test_huge_address_is_refused_without_work() -> None:
    huge = "tbnb1" + "q" * 10_000_000
    assert calls_of(lambda: refused(huge)) <= calls_of(lambda: refused(huge[:1000]))


def test_error_does_not_repeat_what_was_given() -> None:
    assert "canary" not in refused("canary" * 5)


@pytest.mark.parametrize(
    "key", [b"", b"\x02" * 32, b"\x02" * 34, b"\x04" + b"\x01" * 32, b"\x00" * 33, b"\x04" + b"\x01" * 64]
)
def test_what_is_no_compressed_public_key(key: bytes) -> None:
    with pytest.raises(AddressError, match="33 bytes"):
        address_of(key)


@given(addresses, st.sampled_from(["bnb", "tbnb"]))
def test_round_trip(raw: bytes, prefix: str) -> None:
    text = encode_address(raw, prefix)
    assert text.startswith(prefix + "1")
    assert text == text.lower()
    assert decode_address(text, prefix) == raw


@given(addresses, st.data())
def test_changed_address_is_refused(raw: bytes, data: st.DataObject) -> None:
    """Bech32 finds up to four wrong characters for certain."""
    text = encode_address(raw, "tbnb")
    position = data.draw(st.integers(5, len(text) - 1))
    other = data.draw(st.sampled_from(string.printable).filter(lambda c: c != text[position]))
    refused(text[:position] + other + text[position + 1 :])


@given(st.text(max_size=100))
def test_arbitrary_text_is_refused_or_is_the_one_spelling(text: str) -> None:
    try:
        raw = decode_address(text, "tbnb")
    except AddressError:
        return
    assert encode_address(raw, "tbnb") == text
