"""Wallet, /sapi. Source: Binance's documentation, "Wallet"."""

from vaultsigner.formats.exchange.endpoint import Endpoint, endpoint

ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(
        "POST /sapi/v1/capital/withdraw/apply",
        "withdraw",
        "coin! address! amount! withdrawOrderId:client_order_id network addressTag transactionFeeFlag name walletType",
        "Wallet, Capital: Withdraw",
    ),
)
