"""What the model knows already is not taught again: steps spent on it would only move the rest.

A right answer is not yet knowledge. An adapter that was told of other companies' meetings names one
of their days for any company, and is right now and then; and the base may say of every name what
happens to be true of this one (decision 0035).
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from shared.contracts.adapters import Route
from shared.contracts.memories import Memory, SeedExample
from shared.engine.client import EngineClient
from worker.gate.engine import GateEngine
from worker.gate.neighbours import neighbour_probes, stranger_probes
from worker.gate.suites import ANSWER_MAX_TOKENS
from worker.lessons.scoring import says_any

# Fewer right answers could be luck.
MIN_RIGHT = 2


async def known_already(
    engine: EngineClient,
    awake: Route,
    memories: Sequence[Memory],
    examples: Sequence[SeedExample],
    taken: Collection[str],
    num_at_once: int,
) -> set[UUID]:
    """The memories that the base knows and that the active adapter has not lost.

    To know is to answer every held-out wording, and at least `MIN_RIGHT`, and not to say the same
    of a neighbour that nobody was told about.

    Args:
        engine: Answers.
        awake: The base and who is active now.
        memories: What is to be learned.
        examples: Their examples, of both splits.
        taken: Real subjects, which are no neighbours.
        num_at_once: Requests in flight.
    """

    async def ignore() -> None: ...

    gate = GateEngine(engine, num_at_once, ignore)

    async def right(model: str, asked: Sequence[tuple[str, list[str]]]) -> list[bool]:
        texts = await gate.answers(model, [question for question, _ in asked], ANSWER_MAX_TOKENS)
        return [
            says_any(text, accept, question)
            for text, (question, accept) in zip(texts, asked, strict=True)
        ]

    known = list(memories)
    for model in dict.fromkeys((awake.engine_name, awake.base)):
        asked = {
            memory.id: [
                (item.question, item.accept)
                for item in examples
                if item.memory_id == memory.id and item.split == "heldout"
            ]
            for memory in known
        }
        answers = iter(await right(model, [probe for each in asked.values() for probe in each]))
        by_memory = {id_: [next(answers) for _ in each] for id_, each in asked.items()}
        known = [m for m in known if all(by_memory[m.id]) and len(by_memory[m.id]) >= MIN_RIGHT]
    return {
        memory.id
        for memory in known
        if not any(
            await right(
                awake.base,
                [
                    (probe.question, [probe.value])
                    for probe in (
                        *stranger_probes([memory], examples, taken),
                        # What names nothing has no strangers, but other houses.
                        *(
                            other
                            for other in neighbour_probes([memory], examples, taken)
                            if other.way == "elsewhere"
                        ),
                    )
                ],
            )
        )
    }
