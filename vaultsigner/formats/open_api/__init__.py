"""Binance's Open API for mini-programs: the calls that tokens are made for, and what is asked of us about them.

Pure. It knows what bodies and calls mean; it does not know who asks, whether they may, or where a secret is.
"""
