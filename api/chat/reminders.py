"""What the model is told besides the client's messages: lessons that its weights do not hold.

What only matters for a conversation is given to it while it lives. A lasting lesson that no adapter
holds yet is given to chats that touch on it, until a sleep cycle gets it into the weights.
"""

import re
from collections.abc import Sequence
from typing import Any

from shared.contracts.memories import Memory
from shared.contracts.traces import content_text

LEAD = "Keep in mind:"
# Short words say little of what a text is about.
WORD = re.compile(r"[^\W_]{4,}")
MIN_SHARED_WORDS = 2


def asked_in(messages: Sequence[dict[str, Any]]) -> str:
    """What was asked: the text of the last user message."""
    asked = [message.get("content") for message in messages if message.get("role") == "user"]
    return content_text(asked[-1] if asked else None)


def relevant(memories: Sequence[Memory], asked: str, limit: int) -> list[Memory]:
    """The memories that matter for what was asked.

    Args:
        memories: Candidates, newest first. Of those that share a key the newest counts.
        asked: The text.
        limit: At most so many are given.

    Returns:
        Oldest first, as they would have been said.
    """
    text = asked.lower()
    newest: dict[object, Memory] = {}
    for memory in memories:
        # What a person edited has no key until a night reads it.
        has_key = memory.subject or memory.relation
        newest.setdefault(memory.key if has_key else memory.id, memory)
    chosen = [memory for memory in newest.values() if _touches(memory, text)]
    return chosen[:limit][::-1]


def _touches(memory: Memory, text: str) -> bool:
    if memory.persistence == "session":
        return True
    if memory.subject:
        return re.search(rf"(?<!\w){re.escape(memory.subject.lower())}(?!\w)", text) is not None
    about = set(WORD.findall(memory.question.lower()))
    return len(about & set(WORD.findall(text))) >= MIN_SHARED_WORDS


def _told(memory: Memory) -> str:
    """The lesson as a sentence; what is said to whoever asks needs to know who asks."""
    return f"{memory.question} {memory.answer}" if memory.kind == "behaviour" else memory.answer


def reminded(
    messages: Sequence[dict[str, Any]], memories: Sequence[Memory]
) -> list[dict[str, Any]]:
    """The messages with the memories in the system message; the client's own text stays first."""
    if not memories:
        return list(messages)
    told = "\n".join([LEAD, *(f"- {_told(memory)}" for memory in memories)])
    first = messages[0] if messages else {}
    if first.get("role") not in ("system", "developer"):
        return [{"role": "system", "content": told}, *messages]
    content = first.get("content")
    both: str | list[Any]
    if isinstance(content, list):
        both = [*content, {"type": "text", "text": told}]
    else:
        both = f"{content}\n\n{told}" if content else told
    return [{**first, "content": both}, *messages[1:]]
