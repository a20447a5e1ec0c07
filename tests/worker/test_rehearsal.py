"""Which examples of earlier memories a cycle takes."""

import random
from uuid import UUID, uuid4

from shared.contracts.memories import SeedExample
from worker.rehearsal import spread


def examples_of(num_memories: int, num_each: int) -> list[SeedExample]:
    return [
        SeedExample(
            id=uuid4(),
            memory_id=UUID(int=memory),
            split="train",
            form="question",
            messages=[],
            accept=[],
        )
        for memory in range(num_memories)
        for _ in range(num_each)
    ]


def test_every_memory_comes_before_one_comes_twice() -> None:
    chosen = spread(examples_of(5, 4), 7, random.Random(0))
    counts = [sum(item.memory_id.int == memory for item in chosen) for memory in range(5)]
    assert sorted(counts) == [1, 1, 1, 2, 2]
    assert len({item.id for item in chosen}) == 7


def test_with_more_memories_than_places_none_is_left_out_for_good() -> None:
    examples = examples_of(100, 3)
    seen = {
        item.memory_id for cycle in range(30) for item in spread(examples, 40, random.Random(cycle))
    }
    assert len(seen) == 100


def test_fewer_examples_than_places_all_come_once() -> None:
    examples = examples_of(2, 2)
    chosen = spread(examples, 64, random.Random(0))
    assert {item.id for item in chosen} == {item.id for item in examples}
    assert spread([], 64, random.Random(0)) == []
