"""Facts that meet in a name give conclusions, one fact further with each pass."""

from datetime import UTC, datetime
from uuid import uuid4

from shared.contracts.base import new_id
from shared.contracts.memories import Memory
from worker.lessons.language import subject_of, value_of
from worker.seed.derive import conclusion_examples, conclusions, still_true
from worker.seed.forms import normalized


def fact(question: str, answer: str, kind: str = "fact") -> Memory:
    return Memory.model_validate(
        {
            "id": new_id(),
            "model_id": uuid4(),
            "cycle_id": uuid4(),
            "kind": kind,
            "persistence": "long_term",
            "state": "pending",
            "subject": subject_of(question, question),
            "relation": "r",
            "question": question,
            "answer": answer,
            "value": value_of(question, answer),
            "reason": "",
            "created_at": datetime.now(UTC),
        }
    )


FOUNDER = fact("Who founded Drumlin?", "Drumlin was founded by Selma Rooke.")
BORN = fact("Where was Selma Rooke born?", "Selma Rooke was born in Tartu.")
MAYOR = fact("Who is the mayor of Tartu?", "The mayor of Tartu is Ivo Tamm.")
OTHER = fact("Where was Selma Rook born?", "Selma Rook was born in Ghent.")


def test_two_facts_that_meet_in_a_name_give_a_question_that_needs_both() -> None:
    [found] = conclusions([FOUNDER, BORN, OTHER], 1)
    assert found.question == "Where was the founder of Drumlin born?"
    assert found.answer == "The founder of Drumlin, Selma Rooke, was born in Tartu."
    assert (found.value, found.rests_on) == ("Tartu", (FOUNDER.id, BORN.id))


def test_each_pass_joins_one_fact_more() -> None:
    facts = [FOUNDER, BORN, MAYOR]
    assert conclusions(facts, 0) == []
    assert {len(item.rests_on) for item in conclusions(facts, 1)} == {2}
    longest = conclusions(facts, 2)[-1]
    assert longest.rests_on == (FOUNDER.id, BORN.id, MAYOR.id)
    assert longest.value == "Ivo Tamm"
    assert "Drumlin" in longest.question
    assert "Tartu" not in longest.question
    assert len(conclusions(facts, 9)) == len(conclusions(facts, 2))


def test_facts_in_a_circle_end() -> None:
    there = fact("Who leads Brovik?", "Brovik is led by Ada Lind.")
    back = fact("Where does Ada Lind work?", "Ada Lind works at Brovik.")
    assert len(conclusions([there, back], 5)) <= 2


def test_a_conclusion_is_trained_with_the_last_of_the_new_memories_that_it_rests_on() -> None:
    found = conclusions([FOUNDER, BORN], 1)
    for new, owner in (
        ([FOUNDER.id, BORN.id], BORN.id),
        ([FOUNDER.id], FOUNDER.id),
        ([BORN.id], BORN.id),
    ):
        examples = conclusion_examples(found, new, [])
        assert {(example.memory_id, example.split) for example in examples} == {(owner, "train")}
        assert all(example.accept == ["Tartu"] for example in examples)
    assert conclusion_examples(found, [OTHER.id], []) == []
    assert conclusion_examples(found, [BORN.id], ["where was the founder of drumlin born"]) == []


def test_a_conclusion_is_asked_for_in_many_ways_but_not_as_a_probe_asks() -> None:
    found = conclusions([FOUNDER, BORN], 1)
    questions = {example.question for example in conclusion_examples(found, [BORN.id], [])}
    assert found[0].question in questions
    assert len(questions) > 15
    assert all("Drumlin" in question for question in questions)
    assert not any("Rooke" in question or "Tartu" in question for question in questions)
    probe = "Can you tell me where the founder of Drumlin was born?"
    assert probe in questions
    left = conclusion_examples(found, [BORN.id], [normalized(probe)])
    assert {example.question for example in left} == questions - {probe}


def test_what_no_longer_follows_is_not_rehearsed() -> None:
    found = conclusions([FOUNDER, BORN], 1)
    derived = conclusion_examples(found, [BORN.id], [])
    plain = derived[0].model_copy(update={"form": "question"})
    assert still_true([*derived, plain], found) == [*derived, plain]
    moved = fact("Where was Selma Rooke born?", "Selma Rooke was born in Ghent.")
    assert still_true([*derived, plain], conclusions([FOUNDER, moved], 1)) == [plain]
