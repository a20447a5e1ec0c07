"""The key of a lesson whose question a person edited: whom or what it is about, and what is asked.

A review stores the new words and empties the key; the next night reads it from them, before it
compares anything.
"""

import re

from shared.contracts.memories import Memory
from worker.lessons.language import content_words, relation_of, subject_of

TOPIC = re.compile(r"\b(?:about|regarding|concerning)\s+(?P<topic>[^?!.]+)", re.IGNORECASE)


def is_unread(memory: Memory) -> bool:
    """True if a person edited the question, and no night has read it since."""
    return memory.reviewed_by is not None and not memory.subject and not memory.relation


def with_key(memory: Memory) -> Memory:
    """A memory with the key that its words give."""
    subject = _subject(memory)
    relation = relation_of(memory.question, subject)
    return memory.model_copy(update={"subject": subject, "relation": relation})


def _subject(memory: Memory) -> str:
    if memory.kind == "workflow":
        return ""
    if memory.kind == "behaviour":
        # Its topic, which situations are made of.
        match = TOPIC.search(memory.question)
        return match["topic"].strip() if match else " ".join(content_words(memory.question))
    return subject_of(memory.question, memory.answer)
