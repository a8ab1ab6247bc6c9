"""Under what circumstances a request comes, as custody knows them. Pure."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from vaultsigner.domain.circumstances import Circumstances

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def circumstances_of(ip: str, now_ms: int) -> Circumstances:
    """The address is the server's word; the time is custody's own.

    Args:
        ip: an address, as the question was read.
        now_ms: milliseconds since 1970.
    """
    return Circumstances(ip_address(ip), _EPOCH + timedelta(milliseconds=now_ms))
