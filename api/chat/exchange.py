"""One exchange on its way: who answers it, since when, and the trace that it becomes."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from api.chat.dialects.base import Answered, Asked
from api.chat.request import thread_sha256
from api.health import metrics
from shared.contracts.adapters import Route
from shared.contracts.base import new_id
from shared.contracts.memories import Memory
from shared.contracts.traces import Trace, TraceStatus


@dataclass
class Exchange:
    """What is known of an exchange before its reply.

    `body` is the client's, `session_id` and `parent_id` place it in its conversation, `memories`
    are given to the model besides; `author` speaks, with a teacher's key or not. With `is_pinned`
    an operator chose the version: a test, from which nothing is learned.
    """

    body: dict[str, Any]
    asked: Asked
    route: Route
    session_id: str
    parent_id: UUID | None
    memories: list[Memory] = field(default_factory=list)
    author: str | None = None
    by_teacher: bool = False
    is_pinned: bool = False
    id: UUID = field(default_factory=new_id)
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    timing: dict[str, float] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    @property
    def headers(self) -> dict[str, str]:
        """What tells the client which trace this is and who answered."""
        headers = {
            "X-Dormouse-Trace": str(self.id),
            "X-Dormouse-Adapter": self.route.version,
            "X-Dormouse-Session": self.session_id,
        }
        if self.memories:
            headers["X-Dormouse-Memories"] = ",".join(str(memory.id) for memory in self.memories)
        return headers

    def mark_first_token(self) -> None:
        """The first piece of the reply is here."""
        if "first_token_s" not in self.timing:
            self.timing["first_token_s"] = self._elapsed()
            metrics.FIRST_TOKEN_S.observe(self.timing["first_token_s"])

    def trace(
        self,
        status: TraceStatus,
        *,
        answered: Answered | None = None,
        error: str | None = None,
    ) -> Trace:
        """The exchange as it ended."""
        total_s = self._elapsed()
        metrics.CHATS.labels(status, self.route.version).inc()
        metrics.CHAT_S.observe(total_s)
        choices = (answered.reply if answered else {}).get("choices") or []
        said = [choices[0]["message"]] if choices else []
        return Trace(
            id=self.id,
            tenant_id=self.route.tenant_id,
            model_id=self.route.model_id,
            session_id=self.session_id,
            parent_id=self.parent_id,
            adapter_id=self.route.adapter.id if self.route.adapter else None,
            status=status,
            store=self._is_learned_from,
            request=self.asked.recorded(self.body),
            reply=answered.reply if answered else None,
            # With what the model was reminded of, they hold what may be erased some day.
            prompt_token_ids=answered.prompt_token_ids if answered and not self.memories else None,
            token_ids=answered.token_ids if answered else None,
            usage=answered.usage if answered else None,
            timing={**self.timing, "total_s": total_s},
            memory_ids=[memory.id for memory in self.memories] or None,
            error=error,
            thread_sha256=thread_sha256([*self.asked.conversation(self.body), *said]),
            created_at=self.created_at,
            author=self.author,
            by_teacher=self.by_teacher,
        )

    @property
    def _is_learned_from(self) -> bool:
        return self.asked.store is not False and self.asked.is_chat and not self.is_pinned

    def _elapsed(self) -> float:
        return round(time.monotonic() - self._began, 4)
