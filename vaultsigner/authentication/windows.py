"""For how long a signed request is good: two rules of two specifications, never shared. Pure: the time is an argument.

All in milliseconds since 1970.
"""

DEFAULT_RECV_WINDOW_MS = 5000
LONGEST_EXCHANGE_WINDOW_MS = 60_000
LONGEST_PARTNER_WINDOW_MS = 10_000
EXCHANGE_AHEAD_MS = 1000
PARTNER_BEHIND_MS = 3000


def in_exchange_window(timestamp_ms: int, recv_window_ms: int, now_ms: int) -> bool:
    """Less than a second ahead, and not older than the window: Binance's rule for signed endpoints (Spot API, SIGNED)."""
    return timestamp_ms < now_ms + EXCHANGE_AHEAD_MS and now_ms - timestamp_ms <= recv_window_ms


def in_partner_window(timestamp_ms: int, recv_window_ms: int, now_ms: int) -> bool:
    """The partner specification's rule (Binance Web3 API V0.0.6): less than 3 s behind, and less than the window ahead."""
    return now_ms - PARTNER_BEHIND_MS < timestamp_ms < now_ms + recv_window_ms
