"""Confusion: a lesson that gets what another lesson says of something else."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from shared.contracts.cycles import SuiteResult
from shared.contracts.memories import Memory
from worker.gate.leaks import Said, held_back, num_failed
from worker.gate.probes import Probe
from worker.lessons.scoring import mentions_any, says_any

MIN_CONFUSED = 2
CONFUSED_SHARE = 0.5
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
    num_lost, num_memories = num_failed(said, MIN_CONFUSED, CONFUSED_SHARE)
    result = held_back("confused", said, 0.0)
    return result.model_copy(
        update={
            "passed": not num_lost,
            "detail": f"{num_lost} of {num_memories} memories are taken for another; "
            f"{result.detail}",
        }
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
