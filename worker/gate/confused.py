"""Confusion: a lesson that gets what another lesson says of something else."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from shared.contracts.cycles import SuiteResult
from shared.contracts.memories import Memory
from worker.gate.leaks import Said
from worker.gate.probes import Probe
from worker.lessons.scoring import mentions_any, says_any

MIN_CONFUSED = 2
CONFUSED_SHARE = 0.5
MAX_SHOWN = 5
Answers = Mapping[str, str]


def confusions(
    probes: Sequence[Probe], lessons: Sequence[Memory], before: Answers, after: Answers
) -> list[Said]:
    """Each question about a lesson, and whether it got another's value instead of its own.

    Args:
        probes: Held-out wordings of lessons.
        lessons: All that are in force.
        before: What the active one answered, by question.
        after: What the candidate did.
    """
    found = []
    for probe in probes:
        was, now = (_whose(answers[probe.question], probe, lessons) for answers in (before, after))
        found.append(Said(probe, bool(was), bool(now), others=tuple(now)))
    return found


def judge_confused(said: Sequence[Said]) -> SuiteResult:
    """No lesson may be taken for another in half of its wordings."""
    confused: defaultdict[UUID | None, list[bool]] = defaultdict(list)
    for each in said:
        confused[each.probe.memory_id].append(each.is_new)
    lost = [
        id_
        for id_, each in confused.items()
        if sum(each) >= max(MIN_CONFUSED, CONFUSED_SHARE * len(each))
    ]
    questions = [each.probe.question for each in said if each.is_new]
    num_asked = max(len(said), 1)
    return SuiteResult(
        name="confused",
        baseline=round(1 - sum(each.before for each in said) / num_asked, 4),
        candidate=round(1 - sum(each.after for each in said) / num_asked, 4),
        margin=0.0,
        passed=not lost,
        num_probes=len(said),
        detail=f"{len(lost)} of {len(confused)} memories are taken for another; "
        f"at: {' '.join(questions[:MAX_SHOWN]) or 'none'}",
    )


def _whose(answer: str, probe: Probe, lessons: Sequence[Memory]) -> list[UUID]:
    """Whose value an answer gives that does not give its own."""
    if says_any(answer, probe.accept, probe.question):
        return []
    return [
        lesson.id
        for lesson in lessons
        if lesson.kind not in ("behaviour", "workflow")
        and lesson.id != probe.memory_id
        and says_any(answer, [lesson.value], probe.question)
        and not _is_part_of(lesson.value, probe)
    ]


def _is_part_of(value: str, probe: Probe) -> bool:
    """Whether a value stands in the question, or holds or is a part of what is right."""
    return (
        mentions_any(probe.question, [value])
        or mentions_any(value, probe.accept)
        or any(mentions_any(own, [value]) for own in probe.accept)
    )
