"""Feedback becomes a signal of a trace."""

from api.authors import author_of
from shared.contracts.keys import Caller
from shared.contracts.traces import Feedback, FeedbackRequest
from shared.db.session import Sessions
from shared.errors import BadRequestError, IdempotencyError, NotFoundError
from shared.storage.signals import SignalStore
from shared.storage.traces import TraceStore


class FeedbackService:
    """Records what people say.

    Args:
        sessions: The database.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def give(
        self,
        caller: Caller,
        content: FeedbackRequest,
        *,
        named: str | None,
        idempotency_key: str | None,
    ) -> Feedback:
        """Record one signal; `named` says it, or the author that the content names, or the key.

        Raises:
            BadRequestError: If nothing is said.
            NotFoundError: If the caller's tenant has no such trace.
            IdempotencyError: If the key came before with other content.
        """
        if content.rating is None and content.correction is None and content.comment is None:
            raise BadRequestError("Give at least one of rating, correction and comment.")
        async with self._sessions.begin() as session:
            store = TraceStore(session)
            if await store.get(caller.tenant_id, content.trace_id, lock=True) is None:
                raise NotFoundError(f"There is no trace {content.trace_id}.", param="trace_id")
            feedback, same = await SignalStore(session).add(
                caller.tenant_id,
                content,
                source="feedback",
                author=author_of(caller, named or content.user),
                by_teacher=caller.teaches,
                idempotency_key=idempotency_key,
            )
        if not same:
            raise IdempotencyError(
                f"Idempotency-Key {idempotency_key!r} was used for other feedback. Use a new key."
            )
        return feedback
