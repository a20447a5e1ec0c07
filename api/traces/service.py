"""Traces for administrators: one with what became of it, all as a file, and a file brought in."""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.authors import HASHED, author_of
from api.directory import Directory
from api.traces.archive import from_line, to_line
from shared.contracts.adapters import Route
from shared.contracts.archive import ArchivedSignal, Imported, TraceRecord
from shared.contracts.keys import Caller
from shared.contracts.traces import FeedbackRequest, Trace
from shared.errors import BadRequestError, NotFoundError
from shared.settings import Settings
from shared.storage.adapters import AdapterStore
from shared.storage.late import LateStore
from shared.storage.signals import SignalStore
from shared.storage.traces import TraceStore

# A line's exchanges, and what was said of the last.
Exchanges = tuple[list[Trace], Sequence[ArchivedSignal]]

PAGE = 500
BATCH = 200
# Of one statement's JSON, of which PostgreSQL takes less than 256 MiB; a line adds at most
# `MAX_EXPANDED_BYTES`.
BATCH_BYTES = 2**26

log = logging.getLogger(__name__)


class TraceService:
    """Shows, exports and imports traces.

    Args:
        settings: The longest line.
        directory: Knows the caller's models.
    """

    def __init__(self, settings: Settings, directory: Directory) -> None:
        self._max_line_bytes = settings.max_body_bytes
        self._directory = directory
        self._sessions = directory.sessions

    async def get(self, caller: Caller, trace_id: UUID) -> TraceRecord:
        """One exchange, why it was kept or not, and the memories that rest on it.

        Raises:
            NotFoundError: If the tenant has none of this id.
        """
        async with self._sessions.begin() as session:
            record = await TraceStore(session).record(caller.tenant_id, trace_id)
        if record is None:
            raise NotFoundError(f"There is no trace {trace_id}.")
        return record

    async def export(
        self, caller: Caller, model: str, since: datetime | None, until: datetime | None
    ) -> AsyncIterator[bytes]:
        """The model's complete exchanges as lines, oldest first; nothing is held in between.

        Raises:
            NotFoundError: If the tenant has no such model.
        """
        route = await self._directory.route(caller.tenant_id, model)
        return self._lines(route, since, until)

    async def _lines(
        self, route: Route, since: datetime | None, until: datetime | None
    ) -> AsyncIterator[bytes]:
        after = None
        while True:
            async with self._sessions.begin() as session:
                traces = await TraceStore(session).page(
                    route.model_id, after=after, since=since, until=until, limit=PAGE
                )
                signals = await SignalStore(session).of_traces([trace.id for trace in traces])
                versions = await AdapterStore(session).versions(route.model_id)
            for trace in filter(_is_conversation, traces):
                said = [signal for signal in signals if signal.trace_id == trace.id]
                yield to_line(trace, said, versions)
            if len(traces) < PAGE:
                return
            after = traces[-1].id

    async def bring_in(self, caller: Caller, model: str, body: AsyncIterator[bytes]) -> Imported:
        """Read lines as they come and queue their exchanges for the next sleep cycle.

        Raises:
            NotFoundError: If the tenant has no such model.
            BadRequestError: If a line is none of ours; those before it are in.
        """
        route = await self._directory.route(caller.tenant_id, model)
        found = Imported(imported=0, known=0)
        batch: list[Exchanges] = []
        number = num_bytes = 0
        try:
            async for line in self._split(body):
                number += 1
                if len(line) > self._max_line_bytes:
                    raise BadRequestError(f"it is longer than {self._max_line_bytes} bytes")
                if line.strip():
                    turns, signals = from_line(line, route, partial(_author, caller))
                    batch.append((turns, signals))
                    num_bytes += len(line) * len(turns)
                if sum(len(turns) for turns, _ in batch) >= BATCH or num_bytes >= BATCH_BYTES:
                    found = await self._add(found, batch)
                    batch, num_bytes = [], 0
        except BadRequestError as error:
            found = await self._add(found, batch)
            raise BadRequestError(
                f"Line {number}: {error.message}. What stands before it is in "
                f"({found.imported} new exchanges); mend it and send the file again."
            ) from error
        if not (batch or found.imported or found.known):
            raise BadRequestError("There is no line in the body; send one conversation a line.")
        return await self._add(found, batch)

    async def _split(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Whole lines; one that grows too long is given up as it is, and nothing after it."""
        rest = b""
        async for piece in body:
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                yield line
            if len(rest) > self._max_line_bytes:
                break
        yield rest

    async def _add(self, found: Imported, batch: list[Exchanges]) -> Imported:
        traces = [trace for turns, _ in batch for trace in turns]
        if not traces:
            return found
        async with self._sessions.begin() as session:
            erased = await _erased(session, batch)
            new = await TraceStore(session).add_new([t for t in traces if not _is_late(t, erased)])
            store = SignalStore(session)
            for turns, signals in batch:
                last = turns[-1]
                for number, signal in enumerate(signals if last.id in new else ()):
                    if _is_late(last, erased, signal.author):
                        continue
                    said = signal.model_dump(exclude={"author", "by_teacher"})
                    await store.add(
                        last.tenant_id,
                        FeedbackRequest(trace_id=last.id, **said),
                        source="feedback",
                        author=signal.author,
                        by_teacher=signal.by_teacher,
                        idempotency_key=f"import:{last.id}:{number}",
                    )
        return Imported(
            imported=found.imported + len(new), known=found.known + len(traces) - len(new)
        )


async def _erased(session: AsyncSession, batch: Sequence[Exchanges]) -> dict[str, datetime]:
    """Who of a batch was erased, and when; what they said before does not come back."""
    authors = {turn.author for turns, _ in batch for turn in turns}
    authors |= {signal.author for _, signals in batch for signal in signals}
    erased = await LateStore(session).erased(batch[0][0][0].tenant_id, authors)
    for turns, _ in batch:
        for turn in turns:
            if _is_late(turn, erased):
                log.info("trace %s is not brought in: its author was erased", turn.id)
    return erased


def _is_late(trace: Trace, erased: Mapping[str, datetime], author: str | None = None) -> bool:
    """Whether its author, or who spoke of it then, was erased since it began."""
    erased_at = erased.get(author or trace.author or "")
    return erased_at is not None and trace.created_at < erased_at


def _author(caller: Caller, name: str | None) -> str:
    """The author that a line names, or as it was exported; the importing key's without a name."""
    return name if name and HASHED.fullmatch(name) else author_of(caller, name)


def _is_conversation(trace: Trace) -> bool:
    """False for a continued text, which no line of OpenAI's chat format can hold."""
    return bool(trace.messages)
