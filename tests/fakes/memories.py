"""Memories for tests, as a night's triage would leave them."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from shared.contracts.base import new_id
from shared.contracts.memories import Memory


def make_memory(answer: str = "It is in Tromso.", **fields: Any) -> Memory:
    """One thing worth keeping."""
    now = datetime.now(UTC)
    return Memory.model_validate(
        {
            "id": new_id(),
            "model_id": uuid4(),
            "cycle_id": uuid4(),
            "kind": "fact",
            "persistence": "long_term",
            "state": "pending",
            "subject": "Quillfeather",
            "relation": "head office",
            "question": "Where is the head office of Quillfeather?",
            "answer": answer,
            "value": answer,
            "reason": "feedback corrected it",
            "created_at": now,
            "authority": "teacher",
            **fields,
        }
    )
