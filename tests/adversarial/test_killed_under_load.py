"""kill -9 at 200 random moments, with several callers at work: one chain and one state from the first life to the last."""

import random
from pathlib import Path

from tests.adversarial.lives import Lives, require_no_answer_without_its_record

KILLS, BOTS, STEPS_OF_A_LIFE = 200, 6, 100_000


def test_200_kills_lose_no_answer_and_use_no_number_twice(tmp_path: Path) -> None:
    chance = random.Random(20261121)  # noqa: S311 - when to kill is no secret.
    with Lives() as lives:
        lived = []
        for number in range(KILLS):
            steps = range(number * STEPS_OF_A_LIFE, (number + 1) * STEPS_OF_A_LIFE)
            lived.append(lives.live_under_load(tmp_path, steps, BOTS, chance.uniform(0, 0.08)))
            assert not lived[-1].done
        steps = range(KILLS * STEPS_OF_A_LIFE, KILLS * STEPS_OF_A_LIFE + BOTS)
        lived.append(lives.live_under_load(tmp_path, steps, BOTS, None))
    assert lived[-1].done
    assert all(life.signed for life in lived)
    require_no_answer_without_its_record(tmp_path, *lived)
