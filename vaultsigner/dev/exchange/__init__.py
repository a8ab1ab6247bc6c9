"""An exchange stand-in: Binance's REST and WebSocket API, signatures verified from the raw bytes by code of its own.

It shares nothing with the code that signs: what it accepts is what the published rules say, read a second time. It owns its
clock, its accounts, its little order book and a record of every request; it must not know how vaultsigner works.
"""
