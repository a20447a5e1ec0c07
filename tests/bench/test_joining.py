"""What the joining bench teaches meets in a name, and its questions are never trained on."""

from datetime import UTC, datetime
from uuid import uuid4

from bench.joining import lessons
from shared.contracts.base import new_id
from shared.contracts.memories import Memory
from tests.fakes.traces import make_signal, make_trace
from worker.seed.derive import conclusions
from worker.seed.forms import normalized
from worker.triage.findings import Finding
from worker.triage.rules import judge


def memory(finding: Finding) -> Memory:
    values = {**finding.__dict__, "evidence": [], "id": new_id(), "model_id": uuid4()}
    values |= {"cycle_id": uuid4(), "state": "pending", "created_at": datetime.now(UTC)}
    return Memory.model_validate(values)


def test_triage_and_one_pass_put_every_pair_together() -> None:
    taught, asked = lessons(seed=0)
    memories = []
    for lesson in taught:
        trace = make_trace(lesson.ask, "I do not know.")
        _, [finding] = judge([trace], [make_signal(trace, correction=lesson.correction)])
        memories.append(memory(finding))
    found = conclusions(memories, 1)
    assert sorted(item.value for item in found) == sorted({answer for _, answer in asked})
    trained = {normalized(item.question) for item in found}
    assert trained.isdisjoint(normalized(question) for question, _ in asked)
