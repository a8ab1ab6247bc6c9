"""Keys whose addresses two other libraries agree on (path 44'/714'/0'/0/0).

@bnb-chain/javascript-sdk 4.4.5 and python-binance-chain 0.1.20 made them offline from public test keys.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Derivation:
    """One public test key, in every form."""

    name: str
    mnemonic: str
    private_key: str
    public_key: str
    testnet: str
    mainnet: str


DERIVATIONS = (
    Derivation(
        name="abandon12",
        mnemonic="abandon " * 11 + "about",
        private_key="3955f430d8372b601f3a70c10a707f94c509fb3c51c1e94ddbb7ab9906cb659d",
        public_key="02a5c1a09e80070d4f42e4c577b1cd840e12f775b83afd07dc01dde138adf64ea9",
        testnet="tbnb1rxhz5vdv4fvdjye8gxqvfv0yvg20jtlw8qq48u",
        mainnet="bnb1rxhz5vdv4fvdjye8gxqvfv0yvg20jtlwf4f38d",
    ),
    Derivation(
        name="abandon24",
        mnemonic="abandon " * 23 + "art",
        private_key="dd9c468658fc7dcf86a102ac00b80972ceece78b46507db0ac2227b1f631d35b",
        public_key="02a9a66a81919a983ef8d3353dc91c33d1813f9df89ac6bdc07789f26d9c0362f5",
        testnet="tbnb127rvxqkcvzcfc6akfd7t90y9etdpdvk6ylthhp",
        mainnet="bnb127rvxqkcvzcfc6akfd7t90y9etdpdvk622znhs",
    ),
)
