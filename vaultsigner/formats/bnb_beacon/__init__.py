"""BNB Beacon Chain (formerly Binance Chain): addresses, Amino encoding, sign documents, messages."""
