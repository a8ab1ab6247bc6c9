"""Requests to exchanges that speak Binance's API: what they ask for, what they mean to policy, and the bytes that get signed.

Pure. It does not know who asks, whether they may, where a secret is, or how anything is sent.
"""
