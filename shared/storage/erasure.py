"""What came of a trace, and the erasing of it: what remains says that something was, not what."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Row,
    Select,
    Text,
    Uuid,
    any_,
    cast,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from shared.contracts.memories import MemoryState, SeedExample
from shared.contracts.traces import Trace
from shared.db.tables import (
    AdapterMemoryRow,
    AdapterRow,
    DocumentRow,
    MemoryEvidenceRow,
    MemoryRow,
    SeedExampleRow,
    SignalRow,
    SleepCycleRow,
    StageResultRow,
    TraceDecisionRow,
    TraceRow,
)
from shared.storage.examples import seed_example

_NOT_FETCHED = {"synchronize_session": False}
_READ_AGAIN: Sequence[MemoryState] = ("pending", "learned", "held")
_TAKEN_BACK: Sequence[MemoryState] = ("rolled_back", "rejected")


def _among(
    column: InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None], ids: Collection[UUID]
) -> ColumnElement[bool]:
    """As `in_`, with one parameter: a person may have more traces than a statement takes."""
    is_one: ColumnElement[bool] = column == any_(cast(list(ids), ARRAY(Uuid)))
    return is_one


class ErasureStore:
    """SQL of erasing.

    Args:
        session: The transaction; with what writes, the model is locked and no cycle is active.
        model_id: The model.
    """

    def __init__(self, session: AsyncSession, model_id: UUID) -> None:
        self._session = session
        self._model_id = model_id

    async def conversation(self, trace_id: UUID) -> list[Trace]:
        """The trace, its session, and the turns behind it, oldest first; an erased one is empty."""
        chain = select(TraceRow.id).where(TraceRow.id == trace_id).cte(recursive=True)
        later = select(TraceRow.id).join(chain, TraceRow.parent_id == chain.c.id)
        chain = chain.union(later.where(TraceRow.model_id == self._model_id))
        one = aliased(TraceRow)
        is_of_session = (
            select(one.id)
            .where(
                one.id == trace_id,
                one.session_id != "",
                one.session_id == TraceRow.session_id,
                one.author.is_not_distinct_from(TraceRow.author),
            )
            .exists()
        )
        statement = select(TraceRow).where(
            TraceRow.model_id == self._model_id,
            or_(TraceRow.id.in_(select(chain.c.id)), is_of_session),
        )
        found = await self._session.scalars(statement.order_by(TraceRow.id))
        return [Trace.model_validate(row, from_attributes=True) for row in found]

    async def resting_on(self, trace_ids: Collection[UUID]) -> list[UUID]:
        """The memories with evidence in these traces: they may hold their words."""
        statement = (
            select(MemoryRow.id)
            .join(MemoryEvidenceRow, MemoryEvidenceRow.memory_id == MemoryRow.id)
            .where(
                MemoryRow.model_id == self._model_id,
                MemoryRow.state != "erased",
                _among(MemoryEvidenceRow.trace_id, trace_ids),
            )
        )
        return list(await self._session.scalars(statement.distinct().order_by(MemoryRow.id)))

    async def studied_in(self, document_id: UUID) -> list[UUID]:
        """The memories that a document gave, or supports."""
        statement = select(MemoryRow.id).where(
            MemoryRow.model_id == self._model_id,
            MemoryRow.state != "erased",
            MemoryRow.document_id == document_id,
        )
        return list(await self._session.scalars(statement.order_by(MemoryRow.id)))

    async def also_said_in(
        self, memory_ids: Collection[UUID], trace_ids: Collection[UUID]
    ) -> list[UUID]:
        """The traces, but for some, that these memories rest on.

        Not those of memories that gave way or were taken back: that was decided.
        """
        statement = (
            select(MemoryEvidenceRow.trace_id)
            .join(MemoryRow, MemoryRow.id == MemoryEvidenceRow.memory_id)
            .where(
                _among(MemoryRow.id, memory_ids),
                MemoryRow.state.in_(_READ_AGAIN),
                ~_among(MemoryEvidenceRow.trace_id, trace_ids),
            )
        )
        found = await self._session.scalars(
            statement.distinct().order_by(MemoryEvidenceRow.trace_id)
        )
        return list(found)

    async def trained_on(self, memory_ids: Collection[UUID]) -> dict[UUID, int]:
        """The adapters whose training saw these memories, or began with one that did: versions."""
        saw = (
            select(AdapterMemoryRow.adapter_id.label("id"))
            .where(_among(AdapterMemoryRow.memory_id, memory_ids))
            .cte(recursive=True)
        )
        saw = saw.union(select(AdapterRow.id).join(saw, AdapterRow.parent_id == saw.c.id))
        statement = select(AdapterRow.id, AdapterRow.version).where(
            AdapterRow.id.in_(select(saw.c.id)),
            AdapterRow.model_id == self._model_id,
            AdapterRow.erased_at.is_(None),
        )
        found = await self._session.execute(statement.order_by(AdapterRow.version))
        return {row.id: row.version for row in found}

    async def erase_traces(self, trace_ids: Collection[UUID], why: str) -> None:
        """Keep the rows, which nothing can then bring back, without what was said.

        Whoever gives feedback on one has locked it: what comes before is erased, too.
        """
        await self._session.execute(
            update(TraceRow)
            .where(_among(TraceRow.id, trace_ids), TraceRow.state != "erased")
            .values(
                state="erased",
                store=False,
                session_id="",
                request={},
                reply=None,
                prompt_token_ids=None,
                token_ids=None,
                usage=None,
                error=why,
                thread_sha256="",
            ),
            execution_options=_NOT_FETCHED,
        )
        # Who stays beside an erased turn is not taken for one that repeats it some day.
        await self._session.execute(
            update(TraceRow)
            .where(
                TraceRow.model_id == self._model_id,
                _among(TraceRow.parent_id, trace_ids),
                TraceRow.state != "erased",
            )
            .values(parent_id=None),
            execution_options=_NOT_FETCHED,
        )
        await self._session.execute(
            delete(TraceDecisionRow).where(_among(TraceDecisionRow.trace_id, trace_ids))
        )
        await self._session.execute(
            update(MemoryEvidenceRow)
            .where(_among(MemoryEvidenceRow.trace_id, trace_ids))
            .values(quote="", signal_id=None)
        )
        await self._session.execute(delete(SignalRow).where(_among(SignalRow.trace_id, trace_ids)))

    async def erase_document(self, document_id: UUID, why: str) -> None:
        """Keep the row without its text; the same text may be given again."""
        await self._session.execute(
            update(DocumentRow)
            .where(DocumentRow.id == document_id, DocumentRow.state != "erased")
            .values(state="erased", title=why, text="", sha256=f"erased {document_id}", counts=None)
        )

    async def read_again(self, trace_ids: Collection[UUID], memory_ids: Collection[UUID]) -> int:
        """Queue what else these memories rest on: the next night reads it by itself.

        Returns:
            How many traces, documents and signals wait again.
        """
        await self._session.execute(
            delete(TraceDecisionRow).where(_among(TraceDecisionRow.trace_id, trace_ids))
        )
        documents = select(MemoryRow.document_id).where(
            _among(MemoryRow.id, memory_ids), MemoryRow.state.in_(_READ_AGAIN)
        )
        num_queued = 0
        for row, ids, settled in (
            (TraceRow, _among(TraceRow.id, trace_ids), "consolidated"),
            (DocumentRow, DocumentRow.id.in_(documents), "studied"),
            (SignalRow, _among(SignalRow.trace_id, trace_ids), "consolidated"),
        ):
            queued = await self._session.scalars(
                update(row)
                .where(ids, row.state == settled)
                .values(state="queued", cycle_id=None)
                .returning(row.id),
                execution_options=_NOT_FETCHED,
            )
            num_queued += len(queued.all())
        return num_queued

    async def erase_memories(
        self,
        memory_ids: Collection[UUID],
        trace_ids: Collection[UUID],
        document_id: UUID | None,
        why: str,
    ) -> None:
        """Keep the rows without their words, and of their evidence only what was erased."""
        await self._let_go(memory_ids)
        await self._session.execute(
            delete(MemoryEvidenceRow).where(
                _among(MemoryEvidenceRow.memory_id, memory_ids),
                ~_among(MemoryEvidenceRow.trace_id, trace_ids),
            )
        )
        words = dict.fromkeys(("scope", "subject", "relation", "question", "answer", "value"), "")
        await self._session.execute(
            update(MemoryRow)
            .where(_among(MemoryRow.id, memory_ids))
            .values(
                **words,
                state="erased",
                reason=why,
                session_id=None,
                author=None,
                expires_at=None,
                superseded_by=None,
                document_id=document_id,
            )
        )

    async def _let_go(self, erased: Collection[UUID]) -> None:
        """What gave way to these, or is held for them, waits for a night; no reason quotes them."""
        found = await self._session.scalars(select(MemoryRow).where(_among(MemoryRow.id, erased)))
        rows: dict[UUID | None, MemoryRow] = {row.id: row for row in found}
        theirs = (MemoryRow.model_id == self._model_id) & ~_among(MemoryRow.id, erased)
        await self._free_what_gave_way(rows, theirs)
        held = theirs & (MemoryRow.state == "held")
        rivals = [f"contradicts memory {memory_id}" for memory_id in rows]
        for memory_id, _, _ in await self._reasons_with(rivals, held):
            freed = {"state": "pending", "reason": "what it contradicted is erased"}
            await self._set(memory_id, freed)
        quotes = [repr(row.value) for row in rows.values()]
        reasons: dict[UUID, str] = {}
        for memory_id, reason, quote in await self._reasons_with(quotes, theirs):
            reasons[memory_id] = reasons.get(memory_id, reason).replace(quote, "what is erased")
        for memory_id, reason in reasons.items():
            await self._set(memory_id, {"reason": reason})

    async def _free_what_gave_way(
        self, rows: Mapping[UUID | None, MemoryRow], theirs: ColumnElement[bool]
    ) -> None:
        """To one that a person took back: it waits for a person."""
        followed: dict[tuple[UUID | None, MemoryState], list[UUID]] = {}
        for row in rows.values():
            last = row
            while last.superseded_by in rows:
                last = rows[last.superseded_by]
            state: MemoryState = "held" if last.state in _TAKEN_BACK else "pending"
            if last.superseded_by is not None:
                state = "superseded"
            followed.setdefault((last.superseded_by, state), []).append(row.id)
        for (successor, state), ids in followed.items():
            await self._session.execute(
                update(MemoryRow)
                .where(
                    theirs, MemoryRow.state == "superseded", _among(MemoryRow.superseded_by, ids)
                )
                .values(
                    superseded_by=successor, state=state, reason="what it gave way to is erased"
                ),
                execution_options=_NOT_FETCHED,
            )

    async def _reasons_with(
        self, words: Sequence[str], whose: ColumnElement[bool]
    ) -> Sequence[Row[UUID, str, str]]:
        """(memory, reason, which of the words it holds)."""
        word = func.unnest(cast(words, ARRAY(Text))).table_valued("word").render_derived()
        statement = (
            select(MemoryRow.id, MemoryRow.reason, word.c.word)
            .join(word, func.strpos(MemoryRow.reason, word.c.word) > 0)
            .where(whose)
        )
        return (await self._session.execute(statement)).all()

    async def _set(self, memory_id: UUID, values: dict[str, str]) -> None:
        await self._session.execute(
            update(MemoryRow).where(MemoryRow.id == memory_id).values(**values)
        )

    async def erase_adapters(self, adapter_ids: Collection[UUID]) -> None:
        """None of them may answer again; the database refuses it of one that still does."""
        await self._session.execute(
            update(AdapterRow)
            .where(_among(AdapterRow.id, adapter_ids), AdapterRow.erased_at.is_(None))
            .values(erased_at=func.now())
        )

    async def erase_seeds(self, memory_ids: Collection[UUID]) -> None:
        """Delete what was written of them, but for the questions that the next gate asks.

        The examples of other memories go with those of the same nights and of later ones, as they
        may hold the same words, unless a version that stays was trained on them. What is learned
        and has none left is learned again.
        """
        first = (
            select(SeedExampleRow.cycle_id)
            .where(_among(SeedExampleRow.memory_id, memory_ids))
            .order_by(SeedExampleRow.cycle_id)
            .limit(1)
            .scalar_subquery()
        )
        since = select(SleepCycleRow.id).where(
            SleepCycleRow.model_id == self._model_id, SleepCycleRow.id >= first
        )
        clean = select(AdapterRow.cycle_id).where(
            AdapterRow.model_id == self._model_id,
            AdapterRow.erased_at.is_(None),
            AdapterRow.cycle_id.is_not(None),
        )
        probes = SeedExampleRow.memory_id.in_(self._erased()) & (SeedExampleRow.split == "heldout")
        deleted = await self._session.scalars(
            delete(SeedExampleRow)
            .where(
                SeedExampleRow.cycle_id.in_(since), SeedExampleRow.cycle_id.not_in(clean), ~probes
            )
            .returning(SeedExampleRow.memory_id),
            execution_options=_NOT_FETCHED,
        )
        any_left = select(SeedExampleRow.id).where(SeedExampleRow.memory_id == MemoryRow.id)
        await self._session.execute(
            update(MemoryRow)
            .where(
                _among(MemoryRow.id, set(deleted)), MemoryRow.state == "learned", ~any_left.exists()
            )
            .values(state="pending"),
            execution_options=_NOT_FETCHED,
        )

    async def erase_results(self) -> None:
        """What the stages of ended cycles handed on may quote anything, and is not read again."""
        cycles = select(SleepCycleRow.id).where(SleepCycleRow.model_id == self._model_id)
        await self._session.execute(
            update(StageResultRow).where(StageResultRow.cycle_id.in_(cycles)).values(result={})
        )

    async def num_pending(self, but: Collection[UUID] = ()) -> int:
        """How many lasting memories wait for a night, some left out."""
        statement = select(func.count()).where(
            MemoryRow.model_id == self._model_id,
            MemoryRow.state == "pending",
            MemoryRow.persistence == "long_term",
            ~_among(MemoryRow.id, but),
        )
        return await self._session.scalar(statement) or 0

    async def probes(self) -> list[SeedExample]:
        """The questions about what was erased that no promoted version was asked yet."""
        statement = select(SeedExampleRow).where(SeedExampleRow.memory_id.in_(self._erased()))
        found = await self._session.scalars(statement.order_by(SeedExampleRow.id))
        return [seed_example(row) for row in found]

    async def drop_probes(self, memory_ids: Collection[UUID] | None = None) -> None:
        """The last words of what was erased go; of all of it, or of some."""
        theirs = self._erased() if memory_ids is None else memory_ids
        await self._session.execute(
            delete(SeedExampleRow).where(SeedExampleRow.memory_id.in_(theirs)),
            execution_options=_NOT_FETCHED,
        )

    def _erased(self) -> Select[UUID]:
        return select(MemoryRow.id).where(
            MemoryRow.model_id == self._model_id, MemoryRow.state == "erased"
        )
