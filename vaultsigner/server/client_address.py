"""Which address asks. IP whitelists hang on this, so only what a trusted proxy wrote itself is believed."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from vaultsigner.config.settings import Network
from vaultsigner.domain.refusals import Refusal
from vaultsigner.signing.calls import IpAddress

MALFORMED_FORWARDED_FOR = Refusal(
    "malformed_request",
    "The last X-Forwarded-For element is not an IP address",
    reason="a trusted proxy sent an X-Forwarded-For whose last element is not an IP address",
)
_REMEMBERED_ADDRESSES = 4096


class ClientAddresses:
    """Reads the caller's address off a connection and its X-Forwarded-For headers.

    Only the rightmost element of the last header counts, and only when the peer is a trusted proxy: everything to its left
    came with the request and may be forged. `Forwarded` (RFC 7239) is not looked at: two headers would be two truths.
    """

    def __init__(self, trusted_proxies: Sequence[Network]) -> None:
        self._trusted_proxies = tuple(trusted_proxies)
        self._peer = lru_cache(_REMEMBERED_ADDRESSES)(self._look_at_peer)

    def of(self, peer_host: str, forwarded_for: Sequence[str]) -> IpAddress | Refusal:
        """The caller's address.

        Args:
            peer_host: the connection's other end, as the socket tells it.
            forwarded_for: the values of the X-Forwarded-For headers, in order.
        """
        peer, trusted = self._peer(peer_host)
        if not trusted or not forwarded_for:
            return peer
        return _forwarded(forwarded_for[-1].rpartition(",")[2].strip(" \t"))

    def trusts(self, peer_host: str) -> bool:
        """Whether the connection's other end is a trusted proxy, whose own headers count."""
        return self._peer(peer_host)[1]

    def peer(self, peer_host: str) -> IpAddress:
        """The connection's other end, for refusals that come before the caller's address is known."""
        return self._peer(peer_host)[0]

    def _look_at_peer(self, peer_host: str) -> tuple[IpAddress, bool]:
        peer = _unmapped(ip_address(peer_host.partition("%")[0]))
        return peer, any(peer in network for network in self._trusted_proxies)


@lru_cache(_REMEMBERED_ADDRESSES)
def _forwarded(element: str) -> IpAddress | Refusal:
    if "%" in element:
        return MALFORMED_FORWARDED_FOR
    try:
        return _unmapped(ip_address(element))
    except ValueError:
        return MALFORMED_FORWARDED_FOR


def _unmapped(address: IPv4Address | IPv6Address) -> IpAddress:
    """::ffff:10.0.0.7 is 10.0.0.7 seen through a dual-stack socket; whitelists name the latter."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped
