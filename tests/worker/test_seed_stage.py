"""What the seed stage writes, from memories that stand beside each other."""

import pytest

from shared.errors import LeaseLostError
from shared.storage.examples import ExampleStore
from tests.worker.conftest import World
from worker import cycle as cycle_module
from worker.context import Context
from worker.cycle import run_cycle
from worker.results import Dreamt
from worker.seed import stage
from worker.seed.thesaurus import Near

LESSONS = {
    "Where is the head office of Quillfeather?": "The head office of Quillfeather is in Tromso.",
    "What colour are Quillfeather's delivery vans?": "Quillfeather's delivery vans are turquoise.",
}


async def test_a_facts_wordings_hold_words_of_the_names_other_values(
    context: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_near_words(*arguments: object) -> Near:
        return {}

    async def stop(*arguments: object) -> Dreamt:
        raise LeaseLostError("far enough")

    monkeypatch.setattr(stage, "near_words", no_near_words)
    monkeypatch.setattr(cycle_module, "dream", stop)
    for question, lesson in LESSONS.items():
        await world.correct(await world.add_trace(question), lesson)
    cycle_id = await world.queue()
    await run_cycle(context, cycle_id)
    async with world.sessions.begin() as session:
        seeds = await ExampleStore(session).seeds_of_cycle(cycle_id, "train")
    for value, other in (("Tromso", "turquoise"), ("turquoise", "tromso")):
        asked = [seed.question.lower() for seed in seeds if seed.accept == [value]]
        assert any(other in question.split() for question in asked), asked
