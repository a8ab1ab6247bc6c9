"""Which headers are handed on: those on a list, short and plain."""

import pytest

from vaultsigner.dispatch.exchange_headers import LIMIT_CHARACTERS, headers_that_matter

KEPT = """
Content-Type content-type RETRY-AFTER X-MBX-USED-WEIGHT x-mbx-used-weight-1m X-MBX-ORDER-COUNT-1D
X-SAPI-USED-IP-WEIGHT-1M X-SAPI-USED-UID-WEIGHT-1M
"""
DROPPED = """
Set-Cookie Location Content-Length Content-Encoding Transfer-Encoding Connection Date Server
Strict-Transport-Security X-MBX-APIKEY X-Request-Id X-Vaultsigner-Decision WWW-Authenticate
Access-Control-Allow-Origin X-MBX-UUID X-Content-Type Content-Type2
"""


@pytest.mark.parametrize("name", KEPT.split())
def test_what_matters_is_kept_as_it_is(name: str) -> None:
    assert headers_that_matter([(name, "1; a=b")]) == ((name, "1; a=b"),)


@pytest.mark.parametrize("name", ["", *DROPPED.split()])
def test_nothing_else_is(name: str) -> None:
    assert headers_that_matter([(name, "1")]) == ()


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\0", "\udcff", "é", "1" * LIMIT_CHARACTERS])
def test_what_cannot_be_written_to_another_connection_is_dropped(value: str) -> None:
    assert headers_that_matter([("Retry-After", value), ("Content-Type", "a")]) == (("Content-Type", "a"),)


def test_the_first_of_a_name_counts() -> None:
    assert headers_that_matter([("Retry-After", "1"), ("retry-after", "2")]) == (("Retry-After", "1"),)
