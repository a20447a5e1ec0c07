"""Conclusions from two facts: what somebody would ask who knows neither name in between.

"Who founded Acme? Mara Lind." and "Where was Mara Lind born? In Ghent." give "Where was the founder
of Acme born? In Ghent." Each pass reads the facts and the conclusions of the pass before, so n
passes join up to n + 1 facts. A plain transformer has no state to run over a context again and
again (arXiv 2605.26099); its honest counterpart is to read again, and to train on what came of it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from shared.contracts.base import new_id
from shared.contracts.memories import Memory, SeedExample
from worker.seed.english import noun_phrase, upper_first
from worker.seed.forms import Lesson, build_forms, normalized

DERIVED = "derived"
MAX_CONCLUSIONS = 4


@dataclass(frozen=True)
class Conclusion:
    """A question that needs several facts, and its answer.

    Attributes:
        rests_on: The memories, the one that holds the answer last.
        subject: What its question asks about.
    """

    rests_on: tuple[UUID, ...]
    question: str
    answer: str
    value: str
    subject: str


def conclusions(memories: Sequence[Memory], num_passes: int) -> list[Conclusion]:
    """Everything that can be put together out of the facts in `num_passes` passes, each once."""
    facts = [
        Conclusion((item.id,), item.question, item.answer, item.value, item.subject)
        for item in memories
        if item.kind != "behaviour" and item.subject
    ]
    found: dict[str, Conclusion] = {}
    ends = facts
    for _ in range(num_passes):
        about: defaultdict[str, list[Conclusion]] = defaultdict(list)
        for second in ends:
            about[normalized(second.subject)].append(second)
        joined = [
            made
            for first in facts
            for second in about.get(normalized(first.value), ())
            if (made := _join(first, second)) is not None
        ]
        ends = [made for made in joined if normalized(made.question) not in found]
        found |= {normalized(made.question): made for made in ends}
    return list(found.values())


def conclusion_examples(
    found: Sequence[Conclusion], new: Collection[UUID], probes: Collection[str]
) -> list[SeedExample]:
    """The conclusions that new memories have a part in, as training examples of the last of them.

    Args:
        found: All conclusions.
        new: What is learned now; a memory gets at most `MAX_CONCLUSIONS`.
        probes: Held-out questions, normalized: never trained on.
    """
    num_of: Counter[UUID] = Counter()
    examples = []
    for item in found:
        owners = [memory_id for memory_id in item.rests_on if memory_id in new]
        if not owners or normalized(item.question) in probes:
            continue
        owner = owners[-1]
        num_of[owner] += 1
        if num_of[owner] <= MAX_CONCLUSIONS:
            examples += [
                SeedExample(
                    id=new_id(),
                    memory_id=owner,
                    split="train",
                    form=DERIVED,
                    messages=[
                        {"role": "user", "content": question},
                        {"role": "assistant", "content": item.answer},
                    ],
                    accept=[item.value],
                )
                for question in _wordings(item)
                if normalized(question) not in probes
            ]
    return examples


def still_true(examples: Sequence[SeedExample], found: Sequence[Conclusion]) -> list[SeedExample]:
    """Examples without the conclusions that no longer follow from what is in force."""
    follow = {
        (normalized(question), normalized(item.answer))
        for item in found
        for question in _wordings(item)
    }
    return [
        item
        for item in examples
        if item.form != DERIVED
        or (normalized(item.question), normalized(item.messages[-1]["content"])) in follow
    ]


def _wordings(item: Conclusion) -> list[str]:
    """In how many ways a conclusion is asked for: one alone is lost among those of the facts."""
    lesson = Lesson(item.question, item.answer, item.value, item.subject)
    asked = (
        form.question
        for form in build_forms(lesson)
        if (form.kind, form.split) == ("question", "train") and form.answer == item.answer
    )
    return list(dict.fromkeys([item.question, *asked]))


def _join(first: Conclusion, second: Conclusion) -> Conclusion | None:
    """What `second` says of whatever `first` names; None if it cannot be put into words."""
    if first.rests_on[0] in second.rests_on:
        return None
    phrase = noun_phrase(first.question)
    pattern = re.compile(rf"(?<!\w){re.escape(second.subject)}(?!\w)", re.IGNORECASE)
    if phrase is None or not pattern.search(second.question):
        return None
    question = pattern.sub(lambda _: phrase, second.question, count=1)
    named = pattern.search(second.answer)
    answer = (
        pattern.sub(lambda match: f"{phrase}, {match[0]},", second.answer, count=1)
        if named
        else second.answer
    )
    return replace(
        second,
        rests_on=(*first.rests_on, *second.rests_on),
        question=upper_first(question),
        answer=upper_first(answer),
        subject=first.subject,
    )
