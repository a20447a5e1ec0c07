"""What a cycle rehearses: as much, however many memories there are, and nothing against them."""

import random
import re
from collections.abc import Iterable, Sequence
from uuid import UUID

from shared.contracts.memories import Dream, SeedExample
from worker.triage.language import STOPWORDS


def spread(examples: Sequence[SeedExample], limit: int, rng: random.Random) -> list[SeedExample]:
    """Up to `limit` examples, every memory in turn, other ones each time.

    With more memories than `limit` some are left out; which ones is drawn anew by each cycle, so
    that none is left out for good.
    """
    by_memory: dict[UUID, list[SeedExample]] = {}
    for example in rng.sample(list(examples), len(examples)):
        by_memory.setdefault(example.memory_id, []).append(example)
    chosen: list[SeedExample] = []
    while by_memory and len(chosen) < limit:
        chosen += [theirs.pop() for theirs in by_memory.values()]
        by_memory = {memory_id: theirs for memory_id, theirs in by_memory.items() if theirs}
    return chosen[:limit]


def unrelated(dreams: Sequence[Dream], subjects: Iterable[str]) -> list[Dream]:
    """The dreams that name no subject: of that the base would hold what a lesson changes."""
    names = [re.escape(name) for name in subjects if name and name.lower() not in STOPWORDS]
    if not names:
        return list(dreams)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(names)})(?!\w)", re.IGNORECASE)
    return [
        dream
        for dream in dreams
        if not any(pattern.search(message["content"]) for message in dream.messages)
    ]
