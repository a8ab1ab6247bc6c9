"""A clock that jumps is not believed at once: what is forgotten by a wrong time is forgotten for good."""

from dataclasses import dataclass

from vaultsigner.signing.forgetting import STEP_SECONDS, SteadyClock


@dataclass
class Clock:
    """Two clocks that a test moves."""

    wall: float = 1_795_262_400.0
    steady: float = 0.0

    def seconds(self) -> float:
        return self.wall

    def milliseconds(self) -> int:
        return int(self.wall * 1000)

    def monotonic(self) -> float:
        return self.steady

    def wait(self, seconds: float, *, drift: float = 0.0) -> None:
        self.wall += seconds + drift
        self.steady += seconds


def test_a_clock_that_runs_as_it_should_is_believed() -> None:
    clock = Clock()
    steady = SteadyClock(clock)
    for drift in (0.0, 0.5, -0.5, STEP_SECONDS - 1):
        clock.wait(30.0, drift=drift)
        assert steady.milliseconds() == clock.milliseconds()


def test_a_jump_is_not_believed_until_it_has_lasted() -> None:
    clock = Clock()
    steady = SteadyClock(clock)
    clock.wait(30.0, drift=3600.0)
    assert steady.milliseconds() is None
    clock.wait(30.0)
    assert steady.milliseconds() == clock.milliseconds()


def test_a_jump_that_is_taken_back_is_never_believed() -> None:
    clock = Clock()
    steady = SteadyClock(clock)
    clock.wait(30.0, drift=3600.0)
    assert steady.milliseconds() is None
    clock.wait(30.0, drift=-3600.0)
    assert steady.milliseconds() is None
    clock.wait(30.0)
    assert steady.milliseconds() == clock.milliseconds()
