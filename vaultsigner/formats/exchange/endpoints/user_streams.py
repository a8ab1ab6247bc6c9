"""Listen keys of user data streams: the exchange wants an API key and no signature."""

from vaultsigner.formats.exchange.endpoint import Endpoint, endpoint

ENDPOINTS: tuple[Endpoint, ...] = tuple(
    endpoint(f"{method} {path}", "user_stream", "listenKey", source, security="user_stream")
    for path, source in (
        ("/api/v3/userDataStream", "Spot, User Data Streams: Listen Key Management"),
        ("/fapi/v1/listenKey", "USD-M Futures, User Data Streams"),
        ("/dapi/v1/listenKey", "COIN-M Futures, User Data Streams"),
    )
    for method in ("POST", "PUT", "DELETE")
)
