"""Listen keys of user data streams. Source: Binance's documentation, "User Data Streams" of each product.

The exchange wants an API key for them and no signature. Whoever has a listen key reads what the
account does.
"""

from vaultsigner.formats.exchange.endpoint import Endpoint, endpoint

_PLACES = (
    (
        "/api/v3/userDataStream",
        "listenKey",
        "Spot, User Data Streams: Listen Key Management (retired in 2026)",
    ),
    ("/sapi/v1/userDataStream", "listenKey", "Margin Trading, User Data Streams: Margin Account"),
    (
        "/sapi/v1/userDataStream/isolated",
        "listenKey symbol",
        "Margin Trading, User Data Streams: Isolated Margin",
    ),
    ("/sapi/v1/margin/listen-key", "listenKey", "Margin Trading, User Data Streams: Listen Key"),
    ("/fapi/v1/listenKey", "listenKey", "USD-M Futures, User Data Streams"),
    ("/dapi/v1/listenKey", "listenKey", "COIN-M Futures, User Data Streams"),
    ("/eapi/v1/listenKey", "listenKey", "Options, User Data Streams"),
    ("/papi/v1/listenKey", "listenKey", "Portfolio Margin, User Data Streams"),
)

ENDPOINTS: tuple[Endpoint, ...] = (
    *(
        endpoint(f"{method} {path}", "user_stream", words, source, security="user_stream")
        for path, words, source in _PLACES
        for method in ("POST", "PUT", "DELETE")
    ),
    endpoint(
        "POST /sapi/v1/userListenToken",
        "user_stream",
        "symbol isIsolated validity",
        "Margin Trading, User Data Streams: Create Margin Account listenToken",
        security="user_stream",
    ),
    endpoint(
        "POST /sapi/v1/equity/listenKey",
        "user_stream",
        "",
        "Stocks, User Data Streams: Create / Renew Listen Key",
        security="user_stream",
    ),
)
