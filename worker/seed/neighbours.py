"""Memories as lessons: their examples, and their near neighbours to train on."""

import math
from collections.abc import Sequence

from shared.contracts.base import new_id
from shared.contracts.memories import Memory, SeedExample
from worker.seed.contrast import Neighbours
from worker.seed.english import keywords
from worker.seed.forms import Form, Lesson, LessonKind, normalized
from worker.seed.names import Names
from worker.seed.thesaurus import Near, content_words
from worker.trainer.job import TrainExample
from worker.triage.agents import task_of

TRAIN_SEED = 1
CONTRASTS_PER_MEMORY = 120
# Of a night that learns little, whose few lessons meet more neighbours each.
MIN_CONTRASTS = 400
# Of all that is rehearsed together: what is said again is near to its neighbours again.
REHEARSED_CONTRASTS = 400


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


def num_contrasts(num_new: int, num_rehearsed: int) -> tuple[int, int]:
    """How many neighbours each new lesson has, and each that is rehearsed."""
    return (
        max(CONTRASTS_PER_MEMORY, math.ceil(MIN_CONTRASTS / max(num_new, 1))),
        min(CONTRASTS_PER_MEMORY, math.ceil(REHEARSED_CONTRASTS / max(num_rehearsed, 1))),
    )


def contrast_examples(
    memories: Sequence[Memory],
    seeds: Sequence[SeedExample],
    in_force: Sequence[Memory],
    names: Names,
    near: Near,
    each: int,
) -> list[TrainExample]:
    """Near neighbours of lessons, each with the answer that would be a leak.

    The trainer does not learn that answer: it keeps the bare base's distribution there.

    Args:
        memories: The lessons.
        seeds: Their wordings, which the neighbours are asked in.
        in_force: Every lesson that holds, these among them.
        names: Where other names come from.
        near: Near words of each word.
        each: How many of each lesson.
    """
    drawn = Neighbours([lesson_of(memory) for memory in in_force], names, near, TRAIN_SEED)
    return [
        TrainExample.model_validate(
            {
                "messages": [
                    {"role": "user", "content": neighbour.question},
                    {"role": "assistant", "content": neighbour.leak},
                ],
                "kind": "contrast",
                "memory_id": str(memory.id),
                "value": memory.value,
            }
        )
        for memory in memories
        for neighbour in drawn.of(
            lesson_of(memory),
            [
                item.question
                for item in seeds
                if item.memory_id == memory.id and item.form in ("question", "short")
            ],
            each,
        )
    ]
