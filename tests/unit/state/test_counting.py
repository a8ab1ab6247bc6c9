"""What a rate costs, to the microsecond."""

import pytest

from vaultsigner.state import Rate


@pytest.mark.parametrize(
    ("count", "every_ms", "step_us"),
    [(1, 1, 1_000), (1, 60_000, 60_000_000), (3, 1_000, 333_334), (7, 60_000, 8_571_429), (10**9, 1, 1)],
)
def test_a_step_is_rounded_up_so_that_no_more_than_the_count_fit(
    count: int, every_ms: int, step_us: int
) -> None:
    assert Rate("r", count, every_ms).step_us == step_us
