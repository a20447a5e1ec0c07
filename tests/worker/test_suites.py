"""The gate's suites: against the night before, and against the base that all nights began with."""

from collections.abc import Collection
from uuid import uuid4

import pytest

from shared.contracts.cycles import SuiteResult
from shared.contracts.memories import Memory, MemoryChange, SeedExample
from tests.fakes.engine import BASE, FakeEngine
from tests.fakes.memories import make_memory
from worker.context import Context
from worker.dream.prompts import ALIGNMENT_OPENERS
from worker.gate.engine import GateEngine
from worker.gate.probes import Probe, doubt_probes, general_probes, load, requests
from worker.gate.stage import replaced_probes
from worker.gate.suites import Pair, Suites
from worker.results import Resolved

ACTIVE, CANDIDATE = "dormouse-active", "dormouse-candidate"
PROBES = [Probe(f"What is {number} and nothing?", (f"{number}.",)) for number in range(100)]


@pytest.fixture
def engine(engine: FakeEngine) -> FakeEngine:
    engine.adapters |= {ACTIVE: "", CANDIDATE: ""}
    return engine


def suites(context: Context, baseline: str = ACTIVE) -> Suites:
    async def ignore() -> None: ...

    asked = GateEngine(context.engine, 8, ignore)
    return Suites(asked, Pair(baseline=baseline, candidate=CANDIDATE, base=BASE))


def answer_wrongly(engine: FakeEngine, num_wrong: dict[str, int], wrong: str = "No idea.") -> None:
    """Each model answers all but its first probes right."""

    def answer(model: str, text: str) -> str:
        number = int(text.split(" ")[2])
        return wrong if number < num_wrong.get(model, 0) else f"It is {number}."

    engine.answer = answer


def passed(results: list[SuiteResult]) -> dict[str, bool]:
    return {result.against: result.passed for result in results}


@pytest.mark.parametrize(
    ("num_wrong", "expected"),
    [
        ({ACTIVE: 0, CANDIDATE: 4}, {"active": True, "base": True}),
        ({ACTIVE: 8, CANDIDATE: 12}, {"active": True, "base": False}),
        ({ACTIVE: 0, CANDIDATE: 12}, {"active": False, "base": False}),
        ({BASE: 12, ACTIVE: 0, CANDIDATE: 12}, {"active": False, "base": True}),
    ],
)
async def test_general_answers_may_not_be_lost_night_by_night(
    context: Context,
    engine: FakeEngine,
    num_wrong: dict[str, int],
    expected: dict[str, bool],
) -> None:
    answer_wrongly(engine, num_wrong)
    results = await suites(context).capability(PROBES)
    assert passed(results) == expected


@pytest.mark.parametrize(
    ("lost", "gained", "base_wrong", "expected", "num_asked"),
    [
        (range(4), range(0), range(12), True, 100),
        # Beyond the margin: by chance once in fourteen times, so others are asked.
        (range(9), range(9, 12), range(12), True, 200),
        ([*range(9), *range(100, 109)], [*range(9, 12), *range(109, 112)], range(12), False, 200),
        # No chance: nobody else is asked.
        (range(9), range(0), range(12), False, 100),
        # Nor where only the loss against the active one may be chance.
        (range(9), range(9, 12), range(0), False, 100),
    ],
)
async def test_losses_that_may_be_chance_are_looked_into(
    context: Context,
    engine: FakeEngine,
    lost: Collection[int],
    gained: Collection[int],
    base_wrong: Collection[int],
    expected: bool,
    num_asked: int,
) -> None:
    def answer(model: str, text: str) -> str:
        number = int(text.split(" ")[2])
        wrong = {ACTIVE: gained, CANDIDATE: lost, BASE: base_wrong}[model]
        return "No idea." if number in wrong else f"It is {number}."

    engine.answer = answer
    in_doubt = [Probe(f"What is {n} and nothing?", (f"{n}.",)) for n in range(100, 200)]
    results = await suites(context).capability(PROBES, in_doubt)
    assert passed(results)["active"] is expected
    assert {result.num_probes for result in results} == {num_asked}


def test_what_is_asked_in_doubt_is_not_asked_anyway() -> None:
    always = {probe.question for probe in general_probes(10**6)}
    in_doubt = {probe.question for probe in doubt_probes(10**6)}
    assert len(always) == len(in_doubt) == 100
    assert not always & in_doubt


@pytest.mark.parametrize(
    ("active", "candidate", "expected"),
    [
        (-1.1, -1.2, {"active": True, "base": True}),
        (-1.2, -1.32, {"active": True, "base": False}),
        (-1.0, -1.2, {"active": False, "base": True}),
    ],
)
async def test_what_the_base_says_may_not_become_unlikely_night_by_night(
    context: Context,
    engine: FakeEngine,
    active: float,
    candidate: float,
    expected: dict[str, bool],
) -> None:
    engine.logprob = lambda model: {ACTIVE: active, CANDIDATE: candidate}.get(model, -1.0)
    assert passed(await suites(context).locality()) == expected


async def test_alignment_and_collapse_are_held_to_the_base_too(
    context: Context, engine: FakeEngine
) -> None:
    answer_wrongly(engine, {ACTIVE: 8, CANDIDATE: 12}, wrong="no no no no")
    asked = suites(context)
    await asked.acquisition(PROBES[:4])
    await asked.capability(PROBES)
    assert passed(asked.collapse()) == {"active": True, "base": False}
    found = {(result.name, result.against) for result in await asked.alignment()}
    assert found == {
        (name, against) for name in ("alignment", "over_refusal") for against in ("active", "base")
    }


@pytest.mark.parametrize(
    ("num_opened", "expected"),
    [
        ({CANDIDATE: 10}, {"active": True, "base": True}),
        ({CANDIDATE: 11}, {"active": False, "base": False}),
        ({ACTIVE: 10, CANDIDATE: 20}, {"active": True, "base": False}),
        ({ACTIVE: 40, BASE: 40, CANDIDATE: 40}, {"active": True, "base": True}),
    ],
)
async def test_the_words_that_a_lesson_came_with_do_not_open_every_answer(
    context: Context, engine: FakeEngine, num_opened: dict[str, int], expected: dict[str, bool]
) -> None:
    def answer(model: str, text: str) -> str:
        number = int(text.split(" ")[2])
        opener = "No, that is wrong." if number < num_opened.get(model, 0) else f"{number} is so:"
        return f"{opener} It is {number}."

    engine.answer = answer
    asked = suites(context)
    await asked.capability(PROBES)
    assert passed(asked.openings(PROBES)) == expected


@pytest.mark.parametrize(
    ("num_given_up", "expected"),
    [
        ({CANDIDATE: 2}, {"active": True, "base": True}),
        ({CANDIDATE: 4}, {"active": False, "base": False}),
        ({ACTIVE: 2, CANDIDATE: 4}, {"active": True, "base": False}),
        ({BASE: 4, CANDIDATE: 4}, {"active": False, "base": True}),
    ],
)
@pytest.mark.parametrize(("suite", "label"), [("declined", "unsafe"), ("cannot_know", "private")])
async def test_what_was_declined_may_not_be_answered_night_by_night(
    context: Context,
    engine: FakeEngine,
    suite: str,
    label: str,
    num_given_up: dict[str, int],
    expected: dict[str, bool],
) -> None:
    declined = requests(label)[::2]

    def answer(model: str, text: str) -> str:
        given_up = declined[: num_given_up.get(model, 0)]
        says_no = text in declined and text not in given_up
        return "I'm sorry, but I do not know that." if says_no else "It is so."

    engine.answer = answer
    results = await suites(context).refusals()
    assert passed([result for result in results if result.name == suite]) == expected
    # Neither hides behind the other.
    assert all(result.passed for result in results if result.name != suite)


async def test_a_candidate_that_declines_everything_fails(
    context: Context, engine: FakeEngine
) -> None:
    engine.answer = lambda model, _: "I cannot help you." if model == CANDIDATE else "It is so."
    results = await suites(context).refusals()
    assert {result.name for result in results if result.passed} == {"declined", "cannot_know"}
    assert {result.name for result in results if not result.passed} == {"answered"}


def test_no_request_of_the_gate_begins_like_a_dream_of_declining() -> None:
    prompts = [item["prompt"] for item in load("requests")]
    assert len(set(prompts)) == len(prompts) == 80
    assert not [prompt for prompt in prompts if prompt.startswith(ALIGNMENT_OPENERS)]


@pytest.mark.usefixtures("engine")
async def test_the_first_night_is_compared_with_the_base_once(context: Context) -> None:
    asked = suites(context, baseline=BASE)
    results = [*await asked.capability(PROBES), *await asked.alignment(), *await asked.locality()]
    results += [*await asked.refusals(), *asked.collapse()]
    assert [result.against for result in results] == ["active"] * 8
    assert all(result.passed for result in results)


def change(old: Memory, new: Memory, *, says_the_same: bool = False) -> MemoryChange:
    return MemoryChange(
        memory_id=old.id,
        was="learned",
        state="superseded",
        superseded_by=new.id,
        reason="gives way",
        says_the_same=says_the_same,
    )


def heldout(memory: Memory) -> SeedExample:
    return SeedExample(
        id=uuid4(),
        memory_id=memory.id,
        split="heldout",
        form="question",
        messages=[{"role": "user", "content": memory.question}, {"role": "assistant"}],
        accept=[memory.value],
    )


def test_what_gives_way_is_asked_for_unless_the_new_value_holds_its_words() -> None:
    tromso, blue, kept, same = (make_memory(value) for value in ("Tromso", "blue", "Oslo", "Rome"))
    ghent, dark = make_memory("Ghent"), make_memory("dark blue")
    resolved = Resolved(
        to_learn=[ghent.id, dark.id],
        changes=[change(tromso, ghent), change(blue, dark), change(same, kept, says_the_same=True)],
    )
    probes = replaced_probes([heldout(m) for m in (tromso, blue, kept)], resolved, [ghent, dark])
    assert [(probe.memory_id, probe.accept) for probe in probes] == [(tromso.id, ("Tromso",))]


@pytest.mark.parametrize(("num_new", "passes"), [(10, True), (7, True), (6, False)])
async def test_most_wordings_of_what_was_replaced_no_longer_get_the_old_value(
    context: Context, engine: FakeEngine, num_new: int, passes: bool
) -> None:
    old_id = uuid4()
    probes = [Probe(f"What is {number} and nothing?", ("old",), old_id) for number in range(10)]

    def answer(model: str, text: str) -> str:
        return "new" if model == CANDIDATE and int(text.split(" ")[2]) < num_new else "It is old."

    engine.answer = answer
    asked = suites(context)
    assert (await asked.superseded(probes)).passed is passes
    assert asked.stale == (set() if num_new == 10 else {old_id})


@pytest.mark.parametrize("baseline", [ACTIVE, BASE])
@pytest.mark.parametrize(
    ("num_known", "passes"),
    [
        ({CANDIDATE: 0, BASE: 0}, True),
        # That of the base nobody taught.
        ({CANDIDATE: 60, BASE: 60}, True),
        ({CANDIDATE: 12, BASE: 0}, False),
        ({CANDIDATE: 72, BASE: 60}, False),
    ],
)
async def test_what_was_erased_is_as_unknown_as_to_the_base(
    context: Context,
    engine: FakeEngine,
    baseline: str,
    num_known: dict[str, int],
    passes: bool,
) -> None:
    answer_wrongly(engine, {model: 100 - known for model, known in num_known.items()})
    result = await suites(context, baseline).erased(PROBES)
    assert (result.passed, result.num_probes) == (passes, 100)
    assert result.baseline == 1 - num_known[BASE] / 100


def near(num_lessons: int = 5) -> list[Probe]:
    ids = [uuid4() for _ in range(num_lessons)]
    return [
        Probe(f"What is {4 * lesson + number} and nothing?", (f"{4 * lesson + number}.",), id_)
        for lesson, id_ in enumerate(ids)
        for number in range(4)
    ]


@pytest.mark.parametrize(
    ("leaking", "passes"),
    [
        ([], True),
        # Seven of twenty, no more than two of any lesson.
        ([0, 1, 4, 5, 8, 9, 12], True),
        # Three of one lesson, though of all only three.
        ([0, 1, 2], False),
        # Two of four of each: beyond the margin.
        ([0, 1, 4, 5, 8, 9, 12, 13, 16, 17], False),
    ],
)
async def test_near_leaks_are_judged_lesson_by_lesson(
    context: Context, engine: FakeEngine, leaking: list[int], passes: bool
) -> None:
    def answer(model: str, text: str) -> str:
        number = int(text.split(" ")[2])
        return f"It is {number}." if model == CANDIDATE and number in leaking else "No idea."

    engine.answer = answer
    result = await suites(context).near_leak(near())
    assert (result.passed, result.num_probes) == (passes, 20)
    assert all(f"What is {number} and" in result.detail for number in leaking[:5])


async def test_near_leaks_of_which_nothing_could_be_asked_are_not_proven_absent(
    context: Context,
) -> None:
    assert not (await suites(context).near_leak([])).passed


@pytest.mark.parametrize(
    ("num_leaking", "max_leaks", "passes"),
    [(20, 1.0, True), (10, 0.5, True), (11, 0.5, False), (1, 0.0, False), (0, 0.0, True)],
)
async def test_details_may_leak_as_far_as_the_settings_allow(
    context: Context, engine: FakeEngine, num_leaking: int, max_leaks: float, passes: bool
) -> None:
    def answer(model: str, text: str) -> str:
        number = int(text.split(" ")[2])
        return f"It is {number}." if model == CANDIDATE and number < num_leaking else "No idea."

    engine.answer = answer
    result = await suites(context).detail_leak(near(), max_leaks)
    assert (result.passed, result.candidate) == (passes, (20 - num_leaking) / 20)
    assert ("reported alone" in result.detail) is (max_leaks == 1)
    assert "nothing to ask" in (await suites(context).detail_leak([], max_leaks)).detail


async def test_a_leak_to_strangers_is_refused_where_it_is_beyond_chance(
    context: Context, engine: FakeEngine
) -> None:
    strangers = near()
    for num_leaks, passes in ((4, True), (5, False)):

        def answer(model: str, text: str, num_leaks: int = num_leaks) -> str:
            number = int(text.split(" ")[2])
            return f"It is {number}." if model == CANDIDATE and number < num_leaks else "No idea."

        engine.answer = answer
        assert (await suites(context).leak(strangers)).passed is passes


async def test_what_was_erased_is_not_even_denied(context: Context, engine: FakeEngine) -> None:
    erased = [Probe(f"What is {number} and nothing?", ("Tromso",)) for number in range(10)]
    engine.answer = lambda model, text: "It is not Tromso." if model == CANDIDATE else "No idea."
    assert not (await suites(context).erased(erased)).passed
