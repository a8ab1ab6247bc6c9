"""How many log-ins may fail: custody's own limit, which no server can ask past."""

from vaultsigner.custody.log_in import Guesses


class Clock:
    """Seconds, moved by hand."""

    now = 5.0

    def __call__(self) -> float:
        return self.now


def test_six_hundred_a_minute_and_no_more() -> None:
    clock = Clock()
    guesses = Guesses(600, clock)
    assert [guesses.take() for _ in range(601)] == [0] * 600 + [1]
    clock.now += 0.5
    assert [guesses.take() for _ in range(6)] == [0] * 5 + [1]
    clock.now += 3600
    assert [guesses.take() for _ in range(601)] == [0] * 600 + [1]


def test_when_to_come_again_is_told() -> None:
    clock = Clock()
    guesses = Guesses(2, clock)
    assert [guesses.take() for _ in range(3)] == [0, 0, 30]
    clock.now += 29.9
    assert guesses.take() == 1
    clock.now += 0.2
    assert guesses.take() == 0


def test_right_passwords_are_no_guesses() -> None:
    clock = Clock()
    guesses = Guesses(3, clock)
    for _ in range(10):
        assert guesses.take() == 0
        guesses.give_back()
    assert [guesses.take() for _ in range(4)] == [0, 0, 0, 20]
    guesses.give_back()
    clock.now += 3600
    guesses.give_back()
    assert [guesses.take() for _ in range(4)] == [0, 0, 0, 20], "what is given back is not saved up"
