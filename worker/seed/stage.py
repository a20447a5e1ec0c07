"""Seed: from memories to training examples and held-out probes (Knowledge Seeding).

General transforms of the question give many wordings, and the model's own thesaurus gives the same
in other words; the model, shown the evidence, adds paraphrases, and what users might ask about a
behaviour's topic. Every one is verified against the evidence. Facts that meet in a name give
conclusions. Held-out wordings never train, in this cycle or a later one; a memory that the base
knows already is not taught, and rehearsed from the next cycle on.
"""

import asyncio
from collections.abc import Iterable, Sequence

from shared.contracts.adapters import Route
from shared.contracts.memories import UNTAUGHT_STATES, Memory, SeedExample
from shared.engine.adapters import load_and_probe
from shared.storage.cycles import SleepCycleStore
from shared.storage.examples import ExampleStore
from shared.storage.memories import MemoryStore
from worker.context import Context
from worker.control import CycleControl
from worker.in_force import in_force_after
from worker.results import Resolved, Seeded
from worker.seed.derive import conclusion_examples, conclusions
from worker.seed.forms import Form, normalized
from worker.seed.known import known_already
from worker.seed.neighbours import form_example, lesson_of, values_of_others, words_of_others
from worker.seed.self_study import asked_about, own_words, paraphrases
from worker.seed.situations import with_own_words
from worker.seed.thesaurus import content_words, near_words
from worker.seed.wordings import wordings

# Memories; each asks for many drafts at once, and chats must get their turn between them.
NUM_WRITING = 4


async def seed(context: Context, control: CycleControl, awake: Route, resolved: Resolved) -> Seeded:
    """Write the examples of every memory that is to be learned and nobody rejected since."""
    async with context.sessions.begin() as session:
        found = await MemoryStore(session).by_ids(resolved.to_learn)
        memories = [memory for memory in found if memory.state in UNTAUGHT_STATES]
        held_out = await ExampleStore(session).probe_questions(control.lease.model_id)
        in_force = await in_force_after(session, control.lease.model_id, resolved)
        taken_subjects = await MemoryStore(session).subjects(control.lease.model_id)
    limit = asyncio.Semaphore(context.settings.gate_concurrency)
    writing = asyncio.Semaphore(NUM_WRITING)
    num_done = 0

    async def behave(form: Form) -> Form:
        if form.split == "heldout":
            return form
        async with limit:
            own = await own_words(context.engine, awake.base, form.question)
        return with_own_words(form, own)

    async def forms_of(memory: Memory) -> list[Form]:
        nonlocal num_done
        lesson = lesson_of(memory)
        taken = words_of_others(memory, in_force, near)
        forms = wordings(lesson, near, taken, values_of_others(memory, in_force))
        async with writing:
            if lesson.kind == "behaviour":
                forms += await asked_about(context.engine, awake.base, lesson)
            else:
                forms += await paraphrases(context.engine, awake.base, lesson, near, taken)
        if lesson.kind == "behaviour":
            forms = await asyncio.gather(*(behave(form) for form in forms))
        num_done += 1
        await control.report(num_done / len(memories), f"{num_done} of {len(memories)} memories")
        return forms

    subjects = {normalized(memory.subject) for memory in memories}
    words = (
        content_words(lesson_of(memory))
        for memory in (*memories, *in_force)
        if memory.kind != "behaviour" and normalized(memory.subject) in subjects
    )
    near = await near_words(
        context.settings.base_model_path,
        set().union(*words),
        context.settings.train_num_threads,
    )
    all_forms = await asyncio.gather(*(forms_of(memory) for memory in memories))
    seeds = [
        example
        for memory, forms in zip(memories, all_forms, strict=True)
        for example in seed_examples(memory, forms, held_out)
    ]
    concluded = conclusions(in_force, context.settings.recurrent_passes)
    probes = {normalized(item.question) for item in seeds if item.split == "heldout"}
    probes |= {normalized(question) for question in held_out}
    seeds += conclusion_examples(concluded, resolved.to_learn, probes)
    if awake.adapter is not None:
        # An engine that restarted a moment ago does not know it yet.
        await load_and_probe(context.engine, awake.adapter)
    known = await known_already(
        context.engine, awake, memories, seeds, taken_subjects, context.settings.gate_concurrency
    )
    async with context.sessions.begin() as session:
        await SleepCycleStore(session).hold(control.lease)
        await ExampleStore(session).replace_seeds(control.lease.cycle_id, seeds)
    num_heldout = sum(item.split == "heldout" for item in seeds)
    num_train = sum(item.split == "train" and item.memory_id not in known for item in seeds)
    control.count(seeds=num_train)
    return Seeded(
        num_train=num_train,
        num_heldout=num_heldout,
        known=tuple(sorted(known)),
        dropped=tuple(memory.id for memory in found if memory.state not in UNTAUGHT_STATES),
        taught={memory.id: memory.words_sha256 for memory in memories},
        near={word: tuple(others) for word, others in near.items()},
    )


def seed_examples(
    memory: Memory, forms: Sequence[Form], held_out: Iterable[str]
) -> list[SeedExample]:
    """A memory's examples; a wording that is or was held out is never trained on."""
    probes = {normalized(question) for question in held_out}
    probes |= {normalized(form.question) for form in forms if form.split == "heldout"}
    seen: set[tuple[str, str]] = set()
    examples = []
    for form in forms:
        key = (form.split, normalized(form.question))
        if key in seen or (form.split == "train" and key[1] in probes):
            continue
        seen.add(key)
        examples.append(form_example(memory, form))
    return examples
