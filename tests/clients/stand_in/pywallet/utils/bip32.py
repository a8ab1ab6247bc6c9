"""The one name that binance_chain.wallet imports."""


class Wallet:
    """Used by python-binance-chain only to make a local wallet from a mnemonic, which no test of ours does."""
