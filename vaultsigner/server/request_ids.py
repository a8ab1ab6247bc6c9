"""Request ids: 26 characters that sort by the time they were made (the layout of a ULID)."""

import os
import time

from vaultsigner.domain.names import RequestId

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(high + low for high in _CROCKFORD for low in _CROCKFORD)
_RANDOM_BYTES = 10


def request_id(time_ms: int, randomness: bytes) -> RequestId:
    """Encode a time and randomness in Crockford's base 32, as the ULID specification does.

    Args:
        time_ms: milliseconds since 1970, below 2^48.
        randomness: 10 bytes.
    """
    value = (time_ms << 80) | int.from_bytes(randomness, "big")
    return RequestId("".join([_PAIRS[(value >> shift) & 1023] for shift in range(120, -1, -10)]))


def fresh_request_id() -> RequestId:
    """A new id. Ids come from us alone: what a caller sends as X-Request-Id could forge the record."""
    return request_id(time.time_ns() // 1_000_000, os.urandom(_RANDOM_BYTES))
