"""Memories as lessons: their examples, contrasts, and leak probes about what was never taught."""

import math
import random
from collections.abc import Collection, Iterator, Sequence

from shared.contracts.base import new_id
from shared.contracts.memories import Memory, SeedExample
from worker.seed.contrast import leaked_answer, neighbours
from worker.seed.english import keywords
from worker.seed.forms import Form, Lesson, LessonKind, normalized
from worker.seed.thesaurus import Near, content_words
from worker.trainer.job import TrainExample
from worker.triage.agents import task_of

# Other invented names for probes than for training.
TRAIN_SEED = 1
PROBE_SEED = 2
CONTRASTS_PER_MEMORY = 6
PROBES_PER_MEMORY = 1
# Of a night that learns little, whose few lessons meet more names each.
MIN_CONTRASTS = 24
MIN_PROBES = 4


def lesson_of(memory: Memory) -> Lesson:
    """A memory as what is to be learned."""
    kind: LessonKind = "fact"
    subject = memory.subject or None
    if memory.kind == "behaviour":
        kind = "behaviour"
    elif memory.kind == "workflow" and (task := task_of(memory.question)):
        kind, subject = "workflow", task
    return Lesson(memory.question, memory.answer, memory.value, subject, kind)


def form_example(memory: Memory, form: Form) -> SeedExample:
    """One wording of a memory as it is stored."""
    return SeedExample(
        id=new_id(),
        memory_id=memory.id,
        split=form.split,
        form=form.kind,
        messages=[
            {"role": "user", "content": form.question},
            {"role": "assistant", "content": form.answer},
        ],
        accept=[memory.value],
    )


def words_of_others(memory: Memory, in_force: Sequence[Memory], near: Near) -> set[str]:
    """The words that other memories about the same subject ask with, or near to these.

    Whoever says "visitors" may mean guests as well as customers; what is near to theirs and this
    one's own is this one's.
    """
    others: set[str] = set().union(
        *(
            content_words(lesson_of(other))
            for other in in_force
            if other.id != memory.id and normalized(other.subject) == normalized(memory.subject)
        )
    )
    alike = set().union(*(near.get(word, ()) for word in others))
    return others | (alike - content_words(lesson_of(memory)))


def values_of_others(memory: Memory, in_force: Sequence[Memory]) -> set[str]:
    """The words of what other facts about the same subject say, none of this one's value."""
    said = (
        set(keywords(other.value.lower()))
        for other in in_force
        if other.id != memory.id
        and lesson_of(other).kind == lesson_of(memory).kind == "fact"
        and normalized(other.subject) == normalized(memory.subject)
    )
    return set().union(*said) - set(normalized(memory.value).split())


def contrast_examples(
    memories: Sequence[Memory], seeds: Sequence[SeedExample], taken: Collection[str]
) -> list[TrainExample]:
    """Neighbours of the new lessons, each with the answer that would be a leak.

    The trainer does not learn that answer: it keeps the bare base's distribution there.
    """
    return [
        TrainExample.model_validate(
            {
                "messages": [
                    {"role": "user", "content": question},
                    {"role": "assistant", "content": leak},
                ],
                "kind": "contrast",
                "memory_id": str(memory.id),
            }
        )
        for memory, question, leak in _neighbours(
            memories,
            seeds,
            taken,
            max(CONTRASTS_PER_MEMORY, _share(MIN_CONTRASTS, memories)),
            TRAIN_SEED,
        )
    ]


def neighbour_probes(
    memories: Sequence[Memory], seeds: Sequence[SeedExample], taken: Collection[str]
) -> list[tuple[str, list[str]]]:
    """Questions that must not get the taught value, each with that value."""
    return [
        (question, [memory.value])
        for memory, question, _ in _neighbours(
            memories,
            seeds,
            taken,
            max(PROBES_PER_MEMORY, _share(MIN_PROBES, memories)),
            PROBE_SEED,
        )
    ]


def _share(number: int, memories: Sequence[Memory]) -> int:
    return math.ceil(number / max(len(memories), 1))


def _neighbours(
    memories: Sequence[Memory],
    seeds: Sequence[SeedExample],
    taken: Collection[str],
    num_each: int,
    seed: int,
) -> Iterator[tuple[Memory, str, str]]:
    """(memory, a neighbour's question, the answer that would be a leak)."""
    for memory in memories:
        lesson = lesson_of(memory)
        wordings = [
            item.question
            for item in seeds
            if item.memory_id == memory.id and item.form in ("question", "short")
        ]
        rng = random.Random(f"{seed}:{memory.question}")
        asked = rng.sample(wordings, min(num_each, len(wordings)))
        for found in neighbours(lesson, asked, taken=taken, seed=seed):
            yield memory, found.question, leaked_answer(lesson, found)
