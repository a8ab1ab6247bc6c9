"""Both windows, both sides, to the millisecond."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultsigner.authentication.open_api_tokens import OpenApiToken, in_open_api_window
from vaultsigner.authentication.partner_requests import PartnerRequest
from vaultsigner.authentication.signed_requests import SignedRequest
from vaultsigner.authentication.windows import in_exchange_window, in_partner_window

NOW = 1499827319559
DAY_MS = 86_400_000


@pytest.mark.parametrize("recv_window", [0, 1, 5000, 60_000])
def test_exchange_window_ends_a_second_ahead_and_after_recv_window(recv_window: int) -> None:
    assert in_exchange_window(NOW + 999, recv_window, NOW)
    assert not in_exchange_window(NOW + 1000, recv_window, NOW)
    assert in_exchange_window(NOW - recv_window, recv_window, NOW)
    assert not in_exchange_window(NOW - recv_window - 1, recv_window, NOW)


@pytest.mark.parametrize("recv_window", [1, 5000, 10_000])
def test_partner_window_excludes_both_ends(recv_window: int) -> None:
    assert in_partner_window(NOW - 2999, recv_window, NOW)
    assert not in_partner_window(NOW - 3000, recv_window, NOW)
    assert in_partner_window(NOW + recv_window - 1, recv_window, NOW)
    assert not in_partner_window(NOW + recv_window, recv_window, NOW)


def test_the_windows_are_not_each_other() -> None:
    assert in_exchange_window(NOW - 4000, 5000, NOW)
    assert not in_partner_window(NOW - 4000, 5000, NOW)
    assert in_partner_window(NOW + 4000, 5000, NOW)
    assert not in_exchange_window(NOW + 4000, 5000, NOW)


def test_open_api_window_is_a_minute_behind_and_five_seconds_ahead() -> None:
    ts = 1_700_000_000
    assert in_open_api_window(ts, ts * 1000 + 60_000)
    assert not in_open_api_window(ts, ts * 1000 + 60_001)
    assert in_open_api_window(ts, ts * 1000 - 5_000)
    assert not in_open_api_window(ts, ts * 1000 - 5_001)


def test_open_api_token_is_not_good_at_the_millisecond_of_its_exp() -> None:
    token = OpenApiToken("id", "0" * 64, 100, 130, b"", b"")
    assert token.is_timely(129_999)
    assert not token.is_timely(130_000)
    assert OpenApiToken("id", "0" * 64, 100, None, b"", b"").is_timely(130_000)
    assert not OpenApiToken("id", "0" * 64, 100, 10_000, b"", b"").is_timely(160_001)


def no_longer_good_after(expires_at_ms: int, is_good: Callable[[int], bool], wait: int) -> bool:
    return not is_good(expires_at_ms + 1 + wait)


@given(st.integers(0, 10**15), st.integers(0, 60_000), st.integers(0, DAY_MS))
def test_no_nonce_is_forgotten_while_its_request_is_still_good(ts: int, recv_window: int, wait: int) -> None:
    exchange = SignedRequest(b"", b"", ts, recv_window, ())
    assert no_longer_good_after(
        exchange.expires_at_ms, lambda now: in_exchange_window(ts, recv_window, now), wait
    )
    partner = PartnerRequest(b"", {}, ts, recv_window)
    assert no_longer_good_after(
        partner.expires_at_ms, lambda now: in_partner_window(ts, recv_window, now), wait
    )
    token = OpenApiToken("id", "0" * 64, ts, None, b"", b"")
    assert no_longer_good_after(token.expires_at_ms, token.is_timely, wait)
