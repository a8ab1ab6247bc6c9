"""A command's module whose own requirement is not installed."""

import not_a_package  # type: ignore[import-not-found]  # noqa: F401 - that it is missing is the point
