"""Under what circumstances a request comes."""

from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What policies may ask of a request beside who asks for what.

    Args:
        ip: where it comes from, as the whitelist of a wallet sees it.
        at: when it came; aware. One moment for the whole request, so that no two rules see different ones.
    """

    ip: IPv4Address | IPv6Address
    at: datetime

    def __post_init__(self) -> None:
        if self.at.utcoffset() is None:
            raise ValueError("a moment without a zone could be any of a whole day")
