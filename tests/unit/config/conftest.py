"""Fixtures for this package."""

from pathlib import Path

import pytest

from tests.unit.config.loading import Loading


@pytest.fixture
def loading(tmp_path: Path) -> Loading:
    return Loading(tmp_path)
