"""What a trace or a document teaches, before it becomes a memory; what says the same is one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from uuid import UUID

from shared.contracts.memories import Evidence, MemoryKind, Persistence
from worker.lessons.language import words


@dataclass(frozen=True)
class Finding:
    """What a trace teaches, before it becomes a memory."""

    kind: MemoryKind
    persistence: Persistence
    subject: str
    relation: str
    question: str
    answer: str
    value: str
    reason: str
    session_id: str
    evidence: tuple[Evidence, ...]
    document_id: UUID | None = None

    @property
    def author(self) -> str | None:
        """Who said it first."""
        return self.evidence[0].author if self.evidence else None

    @property
    def session(self) -> tuple[str | None, str]:
        """Whose conversation it holds for, if it is not lasting."""
        return self.author, self.session_id


def merged(findings: Sequence[Finding]) -> list[Finding]:
    """Lessons of one batch that say the same become one with all the evidence.

    But for those of another document: whatever is erased, each of the others still has its own.
    """
    by_content: dict[tuple[str, ...], Finding] = {}
    for finding in findings:
        key = (
            finding.persistence,
            # What only matters for a session is not another session's.
            repr(finding.session) if finding.persistence == "session" else "",
            finding.subject.lower(),
            finding.relation,
            " ".join(words(finding.value)),
            str(finding.document_id),
        )
        first = by_content.get(key)
        if first is None:
            by_content[key] = finding
            continue
        # A teacher's words, if there are any, and not those of who said the same.
        base = finding if _is_teachers(finding) and not _is_teachers(first) else first
        by_content[key] = replace(base, evidence=_together(first.evidence, finding.evidence))
    return list(by_content.values())


def _together(*evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Each author's words in each trace once: a teacher's first, and feedback before a turn."""
    kept: dict[tuple[UUID, str | None], Evidence] = {}
    for item in chain(*evidence):
        here = (item.trace_id, item.author)
        if here not in kept or _rank(item) > _rank(kept[here]):
            kept[here] = item
    return tuple(kept.values())


def _is_teachers(finding: Finding) -> bool:
    return any(item.by_teacher for item in finding.evidence)


def _rank(item: Evidence) -> tuple[bool, bool]:
    return item.by_teacher, item.signal_id is not None
