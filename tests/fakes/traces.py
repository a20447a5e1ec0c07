"""Traces for tests, as the awake side would record them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from shared.contracts.base import new_id
from shared.contracts.traces import Signal, Trace

# Who holds a teacher's key, unless a test says otherwise.
OWNER = "u:00000000000000000000000000000001"


def make_trace(
    said: str,
    replied: str = "I am not sure.",
    *,
    after: Trace | None = None,
    session_id: str | None = None,
    model_id: UUID | None = None,
    tenant_id: UUID | None = None,
    parent_id: UUID | None = None,
    **fields: Any,
) -> Trace:
    """One exchange; `after` is the turn before it."""
    earlier: list[dict[str, Any]] = []
    if after is not None:
        earlier = [*after.messages, {"role": "assistant", "content": after.reply_text}]
    return Trace.model_validate(
        {
            "id": new_id(),
            "tenant_id": tenant_id or (after.tenant_id if after else uuid4()),
            "model_id": model_id or (after.model_id if after else uuid4()),
            "session_id": session_id or (after.session_id if after else uuid4().hex),
            "parent_id": after.id if after else parent_id,
            "status": "complete",
            "request": {"messages": [*earlier, {"role": "user", "content": said}]},
            "reply": {"choices": [{"message": {"role": "assistant", "content": replied}}]},
            "thread_sha256": uuid4().hex,
            "created_at": datetime.now(UTC),
            "author": after.author if after else OWNER,
            "by_teacher": True,
            **fields,
        }
    )


def make_signal(trace: Trace, **fields: Any) -> Signal:
    """What somebody said of a trace."""
    said = {
        "id": new_id(),
        "trace_id": trace.id,
        "source": "feedback",
        "author": OWNER,
        "by_teacher": True,
        "created_at": datetime.now(UTC),
    }
    return Signal.model_validate({**said, **fields})
