"""The hash chain: what a line is, and that no line can be changed, lost, added or moved unseen."""

import hashlib
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultsigner.audit.chain import Damage, DamagedChainError, Head, read_line, seal, verify_lines
from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.record_time import record_time

CHAIN = "00112233445566ff"
NOON_US = 1_795_262_400_000_000

scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text()
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def chained(count: int, chain: str = CHAIN) -> list[bytes]:
    head, lines = Head(chain), []
    for number in range(count):
        line, head = seal({"kind": "control", "event": f"event {number}"}, head, NOON_US + number)
        lines.append(line)
    return lines


def test_a_line_is_canonical_json_with_its_hash_at_the_end() -> None:
    line, head = seal({"kind": "control", "event": "start"}, Head(CHAIN), NOON_US)
    body = (
        '{"chain":"00112233445566ff","event":"start","kind":"control","prev":"' + "0" * 64 + '",'
        '"seq":1,"time":"2026-11-21T12:00:00.000000Z","v":1}'
    )
    digest = hashlib.sha256(body.encode()).hexdigest()
    assert line.decode() == f'{body[:-1]},"hash":"{digest}"}}\n'
    assert head == Head(CHAIN, 1, digest, NOON_US)


def test_each_record_carries_the_hash_of_the_one_before() -> None:
    first, second = (json.loads(line) for line in chained(2))
    assert second["prev"] == first["hash"]
    assert (first["seq"], second["seq"]) == (1, 2)


def test_time_never_goes_back_in_a_chain() -> None:
    line, head = seal({}, Head(CHAIN, 7, "a" * 64, NOON_US), NOON_US - 5_000_000)
    assert json.loads(line)["time"] == record_time(NOON_US)
    assert head.time_us == NOON_US


def test_members_of_an_entry_cannot_pass_for_the_chains_own() -> None:
    line, _ = seal({"seq": 99, "prev": "f" * 64, "chain": "evil"}, Head(CHAIN), NOON_US)
    record = json.loads(line)
    assert (record["seq"], record["prev"], record["chain"]) == (1, "0" * 64, CHAIN)


@given(st.lists(st.dictionaries(st.text(), json_values, max_size=4), max_size=4))
def test_whatever_a_record_says_it_is_one_ascii_line_that_verifies(
    records: list[dict[str, JsonValue]],
) -> None:
    head, lines = Head(CHAIN), []
    for members in records:
        line, head = seal(members, head, NOON_US)
        lines.append(line)
        assert line.isascii()
        assert line.count(b"\n") == 1
        assert not any(byte < 0x20 for byte in line[:-1])
        assert {**json.loads(line), **members}.keys() == json.loads(line).keys()
    assert verify_lines(lines, Head(CHAIN)) == head


def test_every_flipped_byte_is_found() -> None:
    lines = chained(3)
    target = lines[1]
    for position in range(len(target)):
        for bit in (0, 2, 5):
            flipped = bytearray(target)
            flipped[position] ^= 1 << bit
            with pytest.raises(DamagedChainError) as caught:
                verify_lines([lines[0], bytes(flipped), lines[2]])
            assert caught.value.line in {2, 3}


@pytest.mark.parametrize(
    ("damaged", "line", "seq", "damage"),
    [
        (lambda good: [*good[:2], *good[3:]], 3, 4, Damage.OUT_OF_ORDER),
        (lambda good: [*good[:2], good[3], good[2], good[4]], 3, 4, Damage.OUT_OF_ORDER),
        (lambda good: [*good[:3], good[2], *good[3:]], 4, 3, Damage.OUT_OF_ORDER),
        (lambda good: [*good[:2], chained(3, "ff" * 8)[2]], 3, 3, Damage.OTHER_CHAIN),
        (lambda good: good[1:], 1, 2, Damage.OUT_OF_ORDER),
        (lambda good: [*good[:4], good[4][:-1]], 5, 5, Damage.TORN),
        (lambda good: [*good[:4], b"{}\n"], 5, 5, Damage.UNREADABLE),
        (lambda good: [good[0], b"[" * 100_000 + b"\n"], 2, 2, Damage.UNREADABLE),
    ],
    ids=["deleted", "swapped", "duplicated", "spliced", "head cut", "tail torn", "foreign", "nested"],
)
def test_damage_is_named_with_its_place(
    damaged: Callable[[list[bytes]], list[bytes]], line: int, seq: int, damage: Damage
) -> None:
    with pytest.raises(DamagedChainError) as caught:
        verify_lines(damaged(chained(5)))
    assert (caught.value.line, caught.value.seq, caught.value.damage) == (line, seq, damage)


def test_a_record_rewritten_with_a_correct_hash_does_not_link() -> None:
    lines = chained(5)
    lines[2], _ = seal({"event": "forged"}, read_line(lines[1])[0], NOON_US)
    with pytest.raises(DamagedChainError) as caught:
        verify_lines(lines)
    assert (caught.value.line, caught.value.damage) == (4, Damage.UNLINKED)


def test_a_record_altered_without_its_hash_is_named_altered() -> None:
    lines = chained(3)
    with pytest.raises(DamagedChainError) as caught:
        verify_lines([lines[0], lines[1].replace(b"event 1", b"event 9"), lines[2]])
    assert (caught.value.line, caught.value.seq, caught.value.damage) == (2, 2, Damage.ALTERED)


def test_a_record_set_back_in_time_is_found() -> None:
    lines = chained(2)
    head, _ = read_line(lines[1])
    line, _ = seal({}, Head(CHAIN, head.seq, head.hash, 0), NOON_US - 1_000_000)
    with pytest.raises(DamagedChainError) as caught:
        verify_lines([*lines, line])
    assert caught.value.damage is Damage.EARLIER


@pytest.mark.parametrize(
    "spelling",
    [
        lambda body: body.replace('"seq":1', '"seq": 1'),
        lambda body: body.replace('"seq":1', '"seq":2,"seq":1'),
        lambda body: body.replace('"event":"start"', '"event":"\\u0073tart"'),
        lambda body: body.replace('"v":1', '"v":true'),
        lambda body: body.replace("12:00:00.000000Z", "13:00:00.000000+01:00"),
    ],
    ids=["blank", "duplicate member", "other escape", "true for 1", "other time zone"],
)
def test_a_second_spelling_of_a_record_is_refused_even_with_its_own_hash(
    spelling: Callable[[str], str],
) -> None:
    line, _ = seal({"event": "start"}, Head(CHAIN), NOON_US)
    body = line[:-76].decode() + "}"
    respelled = spelling(body)
    assert respelled != body
    digest = hashlib.sha256(respelled.encode()).hexdigest()
    with pytest.raises(DamagedChainError) as caught:
        read_line(f'{respelled[:-1]},"hash":"{digest}"}}\n'.encode())
    assert caught.value.damage is Damage.UNREADABLE


def test_a_chain_is_verified_in_parts() -> None:
    lines = chained(6)
    assert verify_lines(lines[3:], verify_lines(lines[:3])) == verify_lines(lines)
    assert verify_lines([]) is None
