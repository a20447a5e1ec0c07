"""What the model knows already is not taught again: steps spent on it would only move the rest."""

from collections.abc import Sequence
from uuid import UUID

from shared.contracts.memories import SeedExample
from shared.engine.client import EngineClient
from worker.gate.engine import GateEngine
from worker.gate.statistics import holds_any
from worker.gate.suites import ANSWER_MAX_TOKENS

# Fewer right answers could be luck.
MIN_RIGHT = 2


async def known_already(
    engine: EngineClient, model: str, examples: Sequence[SeedExample], num_at_once: int
) -> set[UUID]:
    """The memories of which `model` answers every held-out wording, and at least `MIN_RIGHT`."""

    async def ignore() -> None: ...

    asked = [item for item in examples if item.split == "heldout"]
    texts = await GateEngine(engine, num_at_once, ignore).answers(
        model, [item.question for item in asked], ANSWER_MAX_TOKENS
    )
    right: dict[UUID, list[bool]] = {}
    for item, text in zip(asked, texts, strict=True):
        right.setdefault(item.memory_id, []).append(holds_any(text, item.accept))
    return {memory for memory, each in right.items() if all(each) and len(each) >= MIN_RIGHT}
