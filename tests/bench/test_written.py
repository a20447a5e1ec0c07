"""The hand-written lessons: as many as asked for, updates behind what they replace."""

import pytest

from bench.written import MAX_UPDATES, written_curriculum
from worker.lessons.scoring import says_any


@pytest.mark.parametrize("seed", range(5))
def test_ten_nights_of_ten_have_ten_lessons_each_and_updates_that_replace_one(seed: int) -> None:
    in_force: dict[tuple[str, int], str] = {}
    num_updates = 0
    for cycle in written_curriculum(10, 10, seed):
        assert len({lesson.key for lesson in cycle}) == len(cycle) == 10
        assert sum(lesson.replaces is not None for lesson in cycle) <= MAX_UPDATES
        for lesson in cycle:
            assert lesson.replaces == in_force.get(lesson.key)
            num_updates += lesson.replaces is not None
        in_force |= {lesson.key: lesson.value for lesson in cycle}
    assert num_updates >= 8


def test_a_lessons_questions_do_not_give_its_value_away() -> None:
    for lesson in (item for cycle in written_curriculum(10, 10, 0) for item in cycle):
        assert len(lesson.again) == 3
        assert len(lesson.neighbours) >= 3
        for question in (lesson.ask, *lesson.again, *lesson.neighbours):
            assert not says_any(question.rstrip("?"), lesson.accepted)


def test_more_than_were_written_are_an_error() -> None:
    with pytest.raises(ValueError, match="written lessons"):
        written_curriculum(11, 10, 0)
