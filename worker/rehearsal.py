"""Which examples of earlier memories a cycle takes: as many, however many memories there are."""

import random
from collections.abc import Sequence
from uuid import UUID

from shared.contracts.memories import SeedExample


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
