"""Contradictions become explicit: supersede, hold, or say the same."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from shared.contracts.base import new_id
from shared.contracts.memories import Evidence, Memory, MemoryChange
from worker.resolve.rules import portion
from worker.resolve.rules import resolve_memories as resolve_at

MODEL: UUID = uuid4()
NOW = datetime.now(UTC)


def resolve_memories(
    old: list[Memory],
    new: list[Memory],
    held: list[Memory] | None = None,
    turned_down: list[Memory] | None = None,
) -> list[MemoryChange]:
    return resolve_at(old, new, held or [], turned_down or [], now=NOW)


def said(**fields: Any) -> Evidence:
    """A teacher's words, unless it says otherwise."""
    said = {"trace_id": uuid4(), "quote": "q", "author": "u:owner", "by_teacher": True}
    return Evidence.model_validate({**said, **fields})


def memory(value: str, *, evidence: int = 1, **fields: Any) -> Memory:
    return Memory.model_validate(
        {
            "id": new_id(),
            "model_id": MODEL,
            "cycle_id": uuid4(),
            "kind": "fact",
            "persistence": "long_term",
            "state": "pending",
            "subject": "Quillfeather",
            "relation": "head office",
            "question": "Where is the head office of Quillfeather?",
            "answer": f"It is in {value}.",
            "value": value,
            "reason": "feedback corrected it",
            "authority": "teacher",
            "evidence": [said() for _ in range(evidence)],
            "created_at": datetime.now(UTC),
            **fields,
        }
    )


def test_what_contradicts_nothing_stays_as_it_is() -> None:
    other = memory("teal", relation="colour van")
    assert resolve_memories([memory("Tromso", state="learned")], [other]) == []


def test_the_same_said_again_is_kept_once() -> None:
    old, new = memory("Tromso", state="learned"), memory("TROMSO")
    [change] = resolve_memories([old], [new])
    assert (change.memory_id, change.state, change.superseded_by) == (new.id, "superseded", old.id)
    assert change.says_the_same


def test_a_correction_with_enough_evidence_supersedes_with_its_reason() -> None:
    old, new = memory("Tromso", state="learned"), memory("Bergen")
    [change] = resolve_memories([old], [new])
    assert (change.memory_id, change.state, change.superseded_by) == (old.id, "superseded", new.id)
    assert "Tromso" in change.reason
    assert "Bergen" in change.reason


def test_newest_does_not_win_against_more_evidence() -> None:
    old, new = memory("Tromso", state="learned", evidence=3), memory("Bergen")
    [change] = resolve_memories([old], [new])
    assert (change.memory_id, change.state) == (new.id, "held")


def test_one_session_counts_once_however_often_it_says_so() -> None:
    old = memory("Tromso", state="learned", evidence=2)
    stubborn = [said(session_id="one") for _ in range(5)]
    [change] = resolve_memories([old], [memory("Bergen").model_copy(update={"evidence": stubborn})])
    assert change.state == "held"
    several = [said(session_id=name) for name in ("one", "two")]
    [change] = resolve_memories([old], [memory("Bergen").model_copy(update={"evidence": several})])
    assert (change.memory_id, change.state) == (old.id, "superseded")


def test_feedback_speaks_louder_than_a_turn_and_old_words_softer() -> None:
    feedback = memory("Tromso", state="learned").model_copy(
        update={"evidence": [said(signal_id=uuid4(), said_at=NOW)]}
    )
    turn = memory("Bergen").model_copy(update={"evidence": [said(said_at=NOW)]})
    [change] = resolve_memories([feedback], [turn])
    assert change.state == "held"
    long_ago = [
        item.model_copy(update={"said_at": NOW - timedelta(days=100)}) for item in feedback.evidence
    ]
    [change] = resolve_memories([feedback.model_copy(update={"evidence": long_ago})], [turn])
    assert (change.memory_id, change.state) == (feedback.id, "superseded")


def test_what_was_held_speaks_for_the_same_said_again() -> None:
    old = memory("Tromso", state="learned", evidence=2)
    held, new = memory("Bergen", state="held"), memory("Bergen")
    changes = resolve_memories([old], [new], [held])
    assert [(c.memory_id, c.state, c.superseded_by) for c in changes] == [
        (old.id, "superseded", new.id),
        (held.id, "superseded", new.id),
    ]
    assert changes[1].says_the_same
    other = memory("Oslo", state="held")
    [change] = resolve_memories([old], [new], [other])
    assert change.state == "held"


def test_what_says_the_same_in_one_batch_speaks_for_it_before_what_contradicts_comes() -> None:
    old, again, new = memory("Tromso", state="learned"), memory("Tromso"), memory("Bergen")
    same, held = resolve_memories([old], [again, new])
    assert (same.memory_id, same.superseded_by) == (again.id, old.id)
    assert (held.memory_id, held.state) == (new.id, "held")
    assert "2 against 1" in held.reason


def test_who_says_something_else_in_the_same_session_speaks_for_that() -> None:
    old = memory("Tromso", state="learned")
    again, new = (
        memory(value).model_copy(update={"evidence": [said(session_id="one")]})
        for value in ("Tromso", "Bergen")
    )
    same, change = resolve_memories([old], [again, new])
    assert (same.memory_id, same.says_the_same) == (again.id, True)
    assert (change.memory_id, change.superseded_by) == (old.id, new.id)


def test_what_a_person_accepted_settles_what_was_held_beside_it() -> None:
    accepted = memory("Bergen", reviewed_by="admin")
    held = [memory("Bergen", state="held"), memory("Oslo", state="held")]
    [change] = resolve_memories([], [accepted], held)
    assert (change.memory_id, change.superseded_by) == (held[0].id, accepted.id)
    assert change.says_the_same
    back = memory("Bergen", state="rolled_back")
    assert resolve_memories([], [accepted], [back]) == []


def test_what_is_held_in_a_batch_speaks_for_what_comes_later_in_it() -> None:
    old = memory("Tromso", state="learned", evidence=2)
    first, second = memory("Bergen"), memory("Bergen")
    changes = resolve_memories([old], [first, second])
    assert [(c.memory_id, c.state, c.superseded_by) for c in changes] == [
        (old.id, "superseded", second.id),
        (first.id, "superseded", second.id),
    ]


def test_what_a_person_accepted_wins_and_is_not_overruled_by_one_who_did_not() -> None:
    old = memory("Tromso", state="learned", evidence=3)
    accepted = memory("Bergen", reviewed_by="admin")
    [change] = resolve_memories([old], [accepted])
    assert (change.memory_id, change.state) == (old.id, "superseded")
    [change] = resolve_memories([accepted], [memory("Oslo", evidence=9)])
    assert change.state == "held"


def test_what_a_person_rejected_waits_for_a_person_when_it_is_said_again() -> None:
    prank = memory("Atlantis", state="rejected", reviewed_by="admin")
    again, other = memory("Atlantis", evidence=3), memory("Bergen")
    [change] = resolve_memories([], [again, other], [], [prank])
    assert (change.memory_id, change.state) == (again.id, "held")
    assert "admin rejected" in change.reason
    accepted = memory("Atlantis", reviewed_by="admin")
    assert resolve_memories([], [accepted], [], [prank]) == []
    learned = memory("Atlantis", state="learned")
    [change] = resolve_memories([learned], [again], [], [prank])
    assert change.says_the_same


def test_two_that_disagree_in_one_batch_do_not_both_enter() -> None:
    first, second = memory("Tromso"), memory("Bergen")
    [change] = resolve_memories([], [first, second])
    assert change.state == "superseded"
    assert change.memory_id == first.id


def test_of_several_in_a_row_all_give_way_to_the_last() -> None:
    old, first, second = memory("Tromso", state="learned"), memory("Bergen"), memory("Oslo")
    changes = resolve_memories([old], [first, second])
    assert [(c.memory_id, c.was, c.superseded_by) for c in changes] == [
        (old.id, "learned", second.id),
        (first.id, "pending", second.id),
    ]


def test_the_key_ignores_case() -> None:
    old = memory("Tromso", state="learned")
    [change] = resolve_memories([old], [memory("Bergen", subject="QUILLFEATHER")])
    assert change.memory_id == old.id


def test_another_scope_is_no_contradiction() -> None:
    old = memory("Tromso", state="learned")
    assert resolve_memories([old], [memory("Bergen", scope="in the EU")]) == []


def test_a_cycle_learns_so_many_and_none_keeps_the_others_waiting_for_good() -> None:
    new = [memory("Tromso", relation=f"relation {number}") for number in range(5)]
    nights = [portion(new, [], 3, random.Random(cycle)) for cycle in range(30)]
    ids = [item.id for item in new]
    for to_learn, changes in nights:
        assert to_learn == [item for item in ids if item in to_learn]
        assert len(to_learn) == 3
        assert changes == []
    assert {item for to_learn, _ in nights for item in to_learn} == set(ids)


def test_what_a_postponed_memory_replaces_stays_in_force() -> None:
    old = memory("Tromso", state="learned")
    new = [memory("Larkspur", relation="guest wifi"), memory("Bergen")]
    changes = resolve_memories([old], new)
    assert [change.memory_id for change in changes] == [old.id]
    found = [portion(new, changes, 1, random.Random(cycle)) for cycle in range(30)]
    assert ([new[0].id], []) in found
    assert ([new[1].id], changes) in found
    assert len({to_learn[0] for to_learn, _ in found}) == 2
    assert portion(new, changes, 2, random.Random(0)) == ([item.id for item in new], changes)


def test_what_no_question_asks_for_takes_no_place_and_replaces_nothing() -> None:
    old = memory("Tromso", state="learned")
    new = [memory("Larkspur", relation="guest wifi"), memory("Bergen")]
    changes = resolve_memories([old], new)
    for cycle in range(10):
        rng = random.Random(cycle)
        assert portion(new, changes, 1, rng, unaskable={new[1].id}) == ([new[0].id], [])


def test_of_equal_weights_a_trace_that_is_read_again_does_not_beat_what_was_said_since() -> None:
    monday, tuesday = NOW - timedelta(days=2), NOW - timedelta(days=1)
    since = memory("Ghent", state="learned", evidence=0)
    since = since.model_copy(update={"evidence": [said(said_at=tuesday)]})
    again = memory("Tromso").model_copy(update={"evidence": [said(said_at=monday)]})
    [change] = resolve_memories([since], [again])
    assert (change.memory_id, change.state) == (again.id, "held")
    late = again.model_copy(update={"evidence": [said(said_at=monday, signal_id=uuid4())]})
    [change] = resolve_memories([since], [late])
    assert (change.memory_id, change.state) == (since.id, "superseded"), "feedback comes late"


def test_what_was_rolled_back_is_not_learned_because_its_traces_are_read_again() -> None:
    told = said()
    taken_back = memory("Tromso", state="rolled_back").model_copy(update={"evidence": [told]})
    again = memory("Tromso").model_copy(update={"evidence": [told]})
    [change] = resolve_memories([], [again], [taken_back])
    assert (change.memory_id, change.state) == (again.id, "held")
    assert str(taken_back.id) in change.reason
    by_others = again.model_copy(update={"evidence": [told, said()]})
    assert all(
        change.memory_id != by_others.id
        for change in resolve_memories([], [by_others], [taken_back])
    )


def test_a_document_that_is_read_again_does_not_beat_what_was_said_since() -> None:
    given = {"document_id": new_id(), "document_given_at": NOW - timedelta(days=2)}
    since = said(said_at=NOW - timedelta(days=1), signal_id=new_id())
    corrected = memory("Bergen", evidence=0, state="learned").model_copy(
        update={"evidence": [since]}
    )
    again = memory("Tromso", evidence=0, **given)
    [change] = resolve_memories([corrected], [again])
    assert (change.memory_id, change.state) == (again.id, "held")
    later = memory("Tromso", evidence=0, **given | {"document_given_at": NOW})
    [change] = resolve_memories([corrected], [later])
    assert (change.memory_id, change.superseded_by) == (corrected.id, later.id)


def test_what_was_rolled_back_is_not_learned_because_its_document_is_read_again() -> None:
    page = new_id()
    old = memory("Tromso", evidence=0, state="rolled_back", document_id=page)
    again = memory("Tromso", evidence=0, document_id=page)
    [change] = resolve_memories([], [again], [old])
    assert (change.memory_id, change.state) == (again.id, "held")
    assert resolve_memories([], [memory("Tromso", evidence=0, document_id=new_id())], [old]) == []


def test_what_was_said_since_does_not_age_against_what_is_read_again() -> None:
    long_ago, since = NOW - timedelta(days=120), NOW - timedelta(days=110)
    corrected = memory("Bergen", evidence=0, state="learned").model_copy(
        update={"evidence": [said(said_at=since, signal_id=new_id())]}
    )
    again = memory("Tromso", evidence=0, document_id=new_id(), document_given_at=long_ago)
    [change] = resolve_memories([corrected], [again])
    assert (change.memory_id, change.state) == (again.id, "held")
    now = memory("Tromso", evidence=0, document_id=new_id(), document_given_at=NOW)
    [change] = resolve_memories([corrected], [now])
    assert (change.memory_id, change.superseded_by) == (corrected.id, now.id)
