"""Request ids sort by time and read back as what they were made of."""

from hypothesis import given
from hypothesis import strategies as st

from vaultsigner.server.request_ids import fresh_request_id, request_id

TIMES = st.integers(0, 2**48 - 1)
RANDOMNESS = st.binary(min_size=10, max_size=10)
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def test_the_ulid_specifications_example() -> None:
    # https://github.com/ulid/spec: 01ARZ3NDEK is the time 1469922850259.
    assert request_id(1469922850259, bytes(10)) == "01ARZ3NDEK" + "0" * 16


@given(TIMES, RANDOMNESS)
def test_an_id_reads_back(time_ms: int, randomness: bytes) -> None:
    value = 0
    for character in request_id(time_ms, randomness):
        value = value * 32 + CROCKFORD.index(character)
    assert value == (time_ms << 80) + int.from_bytes(randomness, "big")


@given(TIMES, TIMES, RANDOMNESS, RANDOMNESS)
def test_ids_sort_by_time(one: int, other: int, salt: bytes, pepper: bytes) -> None:
    if one < other:
        assert request_id(one, salt) < request_id(other, pepper)


def test_fresh_ids_differ() -> None:
    assert len({fresh_request_id() for _ in range(1000)}) == 1000
