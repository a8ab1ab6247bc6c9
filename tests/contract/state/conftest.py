"""The engines that the suite runs over."""

from pathlib import Path

import pytest


@pytest.fixture(params=["sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of its own for one test; the state in it survives closing and opening."""
    assert request.param == "sqlite"
    return f"sqlite:///{tmp_path}/state/vaultsigner.db"
