"""A request to be forwarded is read in one way, whoever reads it."""

import pytest

from vaultsigner.custody.protocol import read_forwarded
from vaultsigner.domain.refusals import Refusal
from vaultsigner.formats.exchange.requests import ExchangeRequest

PATH = "/api/v3/order"


def test_the_callers_own_dealings_with_us_are_left_out() -> None:
    query = b"symbol=LTCBTC&operation=exchange.order&recvWindow=3000&timestamp=1&signature=00"
    expected = ExchangeRequest("rest", "POST", PATH, (("symbol", "LTCBTC"),), b"", 3000)
    assert read_forwarded("POST", PATH, query, b"") == expected
    assert read_forwarded("POST", PATH, b"", query) == expected


def test_values_are_read_as_they_are_meant() -> None:
    read = read_forwarded("GET", PATH, b"a=1+2%2B3%20%F0%9F%98%80&b=%5B%22X%22%5D&c=", b"")
    assert isinstance(read, ExchangeRequest)
    assert read.parameters == (("a", "1 2+3 😀"), ("b", '["X"]'), ("c", ""))
    assert read.recv_window_ms == 5000


def test_a_json_body_stays_as_it_is_beside_the_parameters() -> None:
    read = read_forwarded("POST", PATH, b"timestamp=1&symbol=A", b' {"a": 1}')
    assert isinstance(read, ExchangeRequest)
    assert (read.parameters, read.json_body) == ((("symbol", "A"),), b' {"a": 1}')


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "code"),
    [
        ("PATCH", PATH, b"", b"", "malformed_request"),
        ("GET", "", b"", b"", "malformed_request"),
        ("GET", "/", b"", b"", "malformed_request"),
        ("GET", "/api/v3/order/", b"", b"", "malformed_request"),
        ("GET", "/api//v3", b"", b"", "malformed_request"),
        ("GET", "/api/%2e%2e/x", b"", b"", "malformed_request"),
        ("GET", PATH, b"a=1", b"b=2", "malformed_parameters"),
        ("GET", PATH, b"a=1&a=2", b"", "malformed_parameters"),
        ("GET", PATH, b"a=1&%61=2", b"", "malformed_parameters"),
        ("GET", PATH, b"a=%f", b"", "malformed_parameters"),
        ("GET", PATH, b"a=%ff", b"", "malformed_parameters"),
        ("GET", PATH, b"a=b c", b"", "malformed_parameters"),
        ("GET", PATH, b"recvWindow=0", b"", "malformed_parameters"),
        ("GET", PATH, b"recvWindow=60001", b"", "malformed_parameters"),
        ("GET", PATH, b"recvWindow=5e3", b"", "malformed_parameters"),
        ("GET", PATH, b"recvWindow=", b"", "malformed_parameters"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(
    method: str, path: str, query: bytes, body: bytes, code: str
) -> None:
    read = read_forwarded(method, path, query, body)
    assert isinstance(read, Refusal)
    assert read.code == code
