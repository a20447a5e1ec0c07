"""The learning bench's lessons: they must be what its measures take them for."""

import pytest

from bench.arms import agents_way, examples_of, words_of
from bench.lessons import NEIGHBOURS, SUBJECTS, Lesson, curriculum
from cli.home import Home
from tests.fakes.traces import make_signal, make_trace
from worker.lessons.language import words
from worker.lessons.scoring import says
from worker.seed.forms import normalized
from worker.seed.thesaurus import near_words
from worker.triage.rules import judge


@pytest.fixture(scope="module")
def cycles() -> list[list[Lesson]]:
    return curriculum(10, 10, 2, seed=0)


async def test_a_lessons_rewordings_are_never_trained_on(cycles: list[list[Lesson]]) -> None:
    lessons = [lesson for cycle in cycles for lesson in cycle]
    near = await near_words(str(Home.at(None, None).model), words_of(lessons), 2)
    for lesson in lessons:
        examples = examples_of(lesson, near)
        trained = {normalized(example["messages"][0]["content"]) for example in examples}
        assert len(trained) >= 8
        assert trained.isdisjoint(normalized(question) for question in lesson.again)


def test_triage_reads_in_a_correction_what_the_bench_asks_for(
    cycles: list[list[Lesson]],
) -> None:
    for lesson in (item for cycle in cycles for item in cycle if item.kind != "workflow"):
        asked = make_trace(lesson.ask, "I do not know.")
        _, [finding] = judge([asked], [make_signal(asked, correction=lesson.correction)])
        assert (finding.kind, finding.subject) == (lesson.kind, lesson.key[0])
        assert finding.persistence == "long_term"
        assert says(finding.value, lesson.value), (lesson.correction, finding.value)


def test_updates_contradict_what_is_in_force_and_nothing_is_taught_twice(
    cycles: list[list[Lesson]],
) -> None:
    in_force: dict[tuple[str, int], str] = {}
    for number, cycle in enumerate(cycles):
        assert len({lesson.key for lesson in cycle}) == len(cycle) == 10
        assert sum(lesson.replaces is not None for lesson in cycle) == (2 if number else 0)
        for lesson in cycle:
            assert lesson.replaces == in_force.get(lesson.key)
            assert lesson.value != lesson.replaces
        in_force |= {lesson.key: lesson.value for lesson in cycle}


def test_a_longer_run_begins_as_a_shorter_one(cycles: list[list[Lesson]]) -> None:
    assert curriculum(3, 10, 2, seed=0) == cycles[:3]
    assert curriculum(3, 10, 2, seed=1) != cycles[:3]


def test_neighbours_are_never_taught(cycles: list[list[Lesson]]) -> None:
    assert set(NEIGHBOURS).isdisjoint(SUBJECTS)
    facts = [item for cycle in cycles for item in cycle if item.key[1] >= 0]
    assert all(any(n in item.neighbours[0] for n in NEIGHBOURS) for item in facts)


def test_each_cycle_teaches_another_behaviour_and_its_neighbour_asks_of_something_else(
    cycles: list[list[Lesson]],
) -> None:
    habits = [item for cycle in cycles for item in cycle if item.kind == "behaviour"]
    assert len({item.key for item in habits}) == len(cycles)
    for item in habits:
        topic = set(item.key[0].split()) - {"the"}
        assert all(topic & set(words(question)) for question in item.again)
        assert not topic & set(words(item.neighbours[0]))


def test_triage_reads_in_two_agents_ways_what_the_bench_asks_for(
    cycles: list[list[Lesson]],
) -> None:
    routines = [item for cycle in cycles for item in cycle if item.kind == "workflow"]
    assert len({item.key for item in routines}) == len(cycles)
    for item in routines:
        traces = [
            make_trace(request, "All done.").model_copy(
                update={"request": {"messages": agents_way(request, item.value.split(", then "))}}
            )
            for request in item.requests
        ]
        _, [finding] = judge(traces, [])
        assert (finding.kind, finding.question) == ("workflow", item.ask)
        assert (finding.answer, finding.value) == (item.correction, item.value)


@pytest.mark.parametrize(("num_lessons", "message"), [(20, "lessons for"), (4, "no room")])
def test_more_or_fewer_lessons_than_there_can_be_are_an_error(
    num_lessons: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        curriculum(10, num_lessons, 2, seed=0)
