"""BNB Beacon Chain (formerly Binance Chain): addresses, Amino encoding, sign documents, messages, request bodies.

Pure. It knows what bytes and bodies mean; it does not know who asks, whether they may, or where a key is.
"""
