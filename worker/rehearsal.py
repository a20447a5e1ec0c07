"""What a cycle rehearses: as much, however many memories there are, and nothing against them."""

import random
import re
from collections.abc import Iterable, Sequence
from uuid import UUID

from shared.contracts.memories import Dream, Memory, SeedExample
from worker.lessons.language import STOPWORDS
from worker.seed.forms import Form, normalized
from worker.seed.loose import mangled, one_word
from worker.seed.neighbours import form_example, lesson_of, values_of_others, words_of_others
from worker.seed.thesaurus import Near, substituted


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


def in_new_words(
    examples: Sequence[SeedExample],
    in_force: Sequence[Memory],
    held_out: Iterable[str],
    near: Near,
    limit: int,
    rng: random.Random,
) -> list[SeedExample]:
    """Up to `limit` of the same lessons in other and loose words that this night alone has.

    The stored ones are soon answered whatever else changes; what goes wrong first are wordings
    that were never trained on, so each night tries others.

    Args:
        examples: Stored examples of earlier memories.
        in_force: All memories, theirs among them.
        held_out: Questions that are never trained on.
        near: Near words, as far as the night has them.
        limit: As `spread` takes it.
        rng: The night's own.
    """
    probes = {normalized(question) for question in held_out}
    by_subject: dict[str, list[Memory]] = {}
    for memory in in_force:
        by_subject.setdefault(normalized(memory.subject), []).append(memory)
    by_memory: dict[UUID, list[Form]] = {}
    for item in examples:
        if item.form == "question":
            form = Form(item.question, item.messages[-1]["content"], "train")
            by_memory.setdefault(item.memory_id, []).append(form)
    rehearsed = [memory for memory in in_force if memory.id in by_memory]
    night = str(rng.random())
    found = []
    for memory in rng.sample(rehearsed, min(limit, len(rehearsed))):
        lesson = lesson_of(memory)
        stored = by_memory[memory.id]
        beside = by_subject[normalized(memory.subject)]
        taken, strange = words_of_others(memory, beside, near), values_of_others(memory, beside)
        forms = one_word(lesson, near, taken, night)
        if lesson.kind != "behaviour":
            forms += substituted(lesson, stored, near, taken, night)
        forms += mangled(lesson, stored, near, taken, night, strange)
        found += [form_example(memory, form) for form in forms]
    return spread([item for item in found if normalized(item.question) not in probes], limit, rng)


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
