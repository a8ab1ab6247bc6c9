"""Fixtures for this package."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.signing.desks import Desks, open_desks


@pytest.fixture
async def desks(tmp_path: Path) -> AsyncIterator[Desks]:
    """Desks of their own for one test."""
    async with open_desks(tmp_path) as opened:
        yield opened
