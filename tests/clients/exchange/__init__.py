"""Drives ccxt, python-binance and binance-connector, unmodified, by their own public methods: `python -m` this package."""
