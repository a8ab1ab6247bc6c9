"""Done, refused, or nobody knows: as Binance's documentation has it."""

import json

import pytest

from vaultsigner.dispatch.exchange_verdicts import (
    code_in,
    may_retry_for_time,
    server_time_in,
    verdict_of,
)


@pytest.mark.parametrize(
    ("status", "code", "verdict"),
    [
        (200, None, "accepted"),
        (200, -2011, "accepted"),
        (202, None, "accepted"),
        (400, -1013, "refused"),
        (400, -1021, "refused"),
        (400, None, "refused"),
        (401, -2014, "refused"),
        (403, None, "refused"),
        (404, None, "refused"),
        (418, -1003, "refused"),
        (429, -1003, "refused"),
        (451, 0, "refused"),
        (400, -2022, "refused"),
        (409, -2021, "accepted"),
        (400, -1006, "unknown"),
        (400, -1007, "unknown"),
        (200, -1007, "unknown"),
        (408, None, "unknown"),
        (500, -1000, "unknown"),
        (502, None, "unknown"),
        (503, -1008, "unknown"),
        (504, -1007, "unknown"),
        (302, None, "unknown"),
        (304, None, "unknown"),
    ],
)
def test_what_changes_something(status: int, code: int | None, verdict: str) -> None:
    assert verdict_of(status, code, changes=True) == verdict


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500])
def test_a_refusal_that_was_not_read_to_its_end_is_unknown(status: int) -> None:
    assert verdict_of(status, None, changes=True, complete=False) == "unknown"
    assert verdict_of(status, None, changes=False, complete=False) == "refused"


def test_what_was_done_is_done_however_much_is_said_of_it() -> None:
    assert verdict_of(200, None, changes=True, complete=False) == "accepted"


@pytest.mark.parametrize("status", [200, 302, 400, 408, 429, 500, 504])
@pytest.mark.parametrize("code", [None, -1006, -1007, -2021])
def test_of_what_changes_nothing_nothing_is_unknown(status: int, code: int | None) -> None:
    assert verdict_of(status, code, changes=False) == ("accepted" if status == 200 else "refused")


@pytest.mark.parametrize(
    ("status", "code", "may"),
    [(400, -1021, True), (400, -1022, False), (400, None, False), (401, -1021, False)]
    + [(status, -1021, False) for status in (200, 418, 500, 503)],
)
def test_only_what_surely_was_not_looked_at_is_tried_with_another_time(
    status: int, code: int | None, may: bool
) -> None:
    assert may_retry_for_time(status, code) == may


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}', -1021),
        (b' {"msg":"","code" : 0}', 0),
        (b'{"code":"-1021"}', None),
        (b'{"code":-1021.0}', None),
        (b'{"code":true}', None),
        (b'{"code":null}', None),
        (b'{"data":{"code":-1021}}', None),
        (b'{"code":"-1007"}', -1007),
        (b'{"code":" -1007"}', None),
        (b'[{"orderId":1},{"code":-1007,"msg":"Timeout"},{"code":-2010}]', -1007),
        (b'[{"code":-2010},{"code":"-1006"}]', -1006),
        (b'[null,1,[{"code":-1007}],{"code":[]}]', None),
        (b'{"code":-2021,"data":{"cancelResult":"SUCCESS","newOrderResponse":{"code":-1007}}}', -1007),
        (b'{"code":-2022,"data":{"cancelResponse":{"code":-1006},"newOrderResponse":null}}', -1006),
        (b'{"code":-2021,"data":{"newOrderResponse":{"code":-2010}}}', -2021),
        (b'{"code":0,"data":[{"code":-1007}]}', -1007),
        (b'{"code":-2022,"data":null}', -2022),
        (b'{"code":-2022,"data":{"code":-1007}}', -1007),
        (b'[{"code":-1021}]', None),
        (b'{"code":-1021', None),
        (b"<html>-1021</html>", None),
        (b"\xff\xfe", None),
        (b"", None),
        (b"[" * 100_000, None),
        (b'{"code":' + b"1" * 10_000 + b"}", None),
    ],
)
def test_the_exchanges_own_code_is_a_number_in_an_object(body: bytes, code: int | None) -> None:
    assert code_in(body) == code


@pytest.mark.parametrize(
    ("told", "time"),
    [(1499827319559, 1499827319559)] + [(told, None) for told in (0, -1, 1 << 53, True, "1", 1.5)],
)
def test_a_time_is_a_number_of_milliseconds(told: object, time: int | None) -> None:
    assert server_time_in(json.dumps({"serverTime": told}).encode()) == time
