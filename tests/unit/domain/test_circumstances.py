"""Circumstances of a request."""

from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from vaultsigner.domain.circumstances import Circumstances


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        Circumstances(ip_address("10.0.0.1"), datetime(2026, 11, 20, 9))
    assert Circumstances(ip_address("10.0.0.1"), datetime(2026, 11, 20, 9, tzinfo=UTC)).at.hour == 9
