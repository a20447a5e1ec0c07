"""The gate's suites: against the night before, and against the base that all nights began with."""

import pytest

from shared.contracts.cycles import SuiteResult
from tests.fakes.engine import BASE, FakeEngine
from worker.context import Context
from worker.gate.engine import GateEngine
from worker.gate.suites import Pair, Probe, Suites

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


@pytest.mark.usefixtures("engine")
async def test_the_first_night_is_compared_with_the_base_once(context: Context) -> None:
    asked = suites(context, baseline=BASE)
    results = [*await asked.capability(PROBES), *await asked.alignment(), *await asked.locality()]
    results += asked.collapse()
    assert [result.against for result in results] == ["active"] * 5
    assert all(result.passed for result in results)
