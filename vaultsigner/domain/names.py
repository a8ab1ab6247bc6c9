"""Names that must not be mixed up."""

from typing import NewType

WalletName = NewType("WalletName", str)
UserName = NewType("UserName", str)
ClientName = NewType("ClientName", str)
ApiKey = NewType("ApiKey", str)
"""What a client calls itself by on the wire: sent as X-MBX-APIKEY, or as `iss` of an Open API token. No secret."""
ExchangeName = NewType("ExchangeName", str)
"""An exchange account in config.yml: an address, an API key, a secret. Several may be at one exchange."""
CertificateDigest = NewType("CertificateDigest", str)
"""`sha256:<hex>` of a TLS certificate in DER."""
RequestId = NewType("RequestId", str)
Operation = NewType("Operation", str)
"""What a caller wants done, `<message>.<sign|broadcast>`, as policies spell it: `transfer.sign`, `cancel_order.broadcast`."""

JsonScalar = str | int | bool | None
JsonValue = JsonScalar | list["JsonValue"] | dict[str, "JsonValue"]
