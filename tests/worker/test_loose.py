"""Wordings that are hardly sentences."""

from dataclasses import replace

from tests.worker.test_derive import fact
from tests.worker.test_forms import OFFICE
from tests.worker.test_tasks import TASK
from worker.seed.forms import Form, Lesson, build_forms, normalized, verify
from worker.seed.loose import NUM_MANGLED, NUM_ONE_WORD, mangled, one_word
from worker.seed.neighbours import lesson_of, values_of_others, words_of_others
from worker.seed.wordings import wordings

NEAR = {"head": ["chief"], "office": ["bureau", "desk", "Vesk", "room"]}
REFUNDS = Lesson("What about refunds?", "Have form R7.", "form R7", "refunds", "behaviour")


def test_one_word_of_the_question_or_near_to_it_stands_beside_the_name() -> None:
    found = one_word(OFFICE, NEAR, taken=())
    assert 1 < len(found) <= NUM_ONE_WORD
    own, near = {"head", "office"}, {"chief", "bureau", "desk", "room"}
    for form in found:
        said = set(normalized(form.question).split())
        assert "brovik" in said
        assert len(said & (own | near)) == 1
        assert verify(form, OFFICE)
    assert found == one_word(OFFICE, NEAR, taken=())


def test_what_two_facts_about_a_name_ask_with_tells_neither_from_the_other() -> None:
    who = fact("Who founded Brovik?", "Brovik was founded by Ada Lind.")
    when = fact("When was Brovik founded?", "Brovik was founded in 1987.")
    taken = words_of_others(who, [who, when], {})
    lesson = lesson_of(who)
    assert taken == {"founded"}
    assert one_word(lesson, {}, taken) == []
    assert mangled(lesson, build_forms(lesson), {}, taken) == []


def test_words_of_a_names_other_values_are_no_cue_for_them() -> None:
    how = fact("How does Brovik like to be contacted?", "Brovik prefers a video call.")
    how = how.model_copy(update={"kind": "preference"})
    when = fact("When does Brovik's support line close?", "It closes at 22:30.")
    strange = values_of_others(when, [how, when, fact("Who runs Vesk?", "Vesk is run by Bo Lind.")])
    assert {"video", "call"} <= strange
    assert not strange & {"22:30", "bo", "lind", "brovik"}
    lesson = lesson_of(when)
    forms = build_forms(lesson)
    made = [
        form for seed in "abcd" for form in mangled(lesson, forms, {}, {"prefers"}, seed, strange)
    ]
    said = [set(normalized(form.question).split()) for form in made]
    assert sum(bool(words & {"video", "call"}) for words in said) > len(made) / 4
    assert all("22:30" in form.answer for form in made)
    assert not any("prefers" in words for words in said)


def test_a_word_put_in_is_not_what_a_question_is_told_by() -> None:
    forms = [Form("Where is Brovik?", OFFICE.answer, "train")]
    made = [form for seed in "abcd" for form in mangled(OFFICE, forms, {}, (), seed, {"office"})]
    assert made == []


def test_another_values_not_is_not_put_in() -> None:
    forms = build_forms(OFFICE)
    made = [form for seed in "abcd" for form in mangled(OFFICE, forms, {}, (), seed, {"not"})]
    assert made
    assert not any("not" in form.question.split() for form in made)


def test_what_must_not_be_is_never_asked_without_the_not() -> None:
    lesson = Lesson("Which doors at Brovik must not be shut?", "The fire doors.", "fire", "Brovik")
    forms = build_forms(lesson)
    made = [form for seed in "abcdefgh" for form in mangled(lesson, forms, {}, (), seed)]
    assert len(made) > 8
    assert all("not" in form.question.lower().split() for form in made)
    assert not any("not" in form.question.lower().split() for form in one_word(lesson, {}, ()))


def test_no_word_that_another_lesson_about_the_name_asks_with_is_put_beside_it() -> None:
    found = one_word(OFFICE, NEAR, taken={"office", "chief"})
    assert found
    assert not any({"office", "chief"} & set(form.question.lower().split()) for form in found)


def test_a_word_near_to_what_another_fact_about_the_name_asks_with_is_left_to_it() -> None:
    guests = fact("What is the guest wifi at Brovik called?", "It is called Sorrel.")
    returns = fact("How long may customers of Brovik wait?", "They may wait 47 days.")
    elsewhere = fact("Who repairs the vans of Drumlin?", "Ada Lind does.")
    near = {"guest": ["visitors"], "customers": ["clients", "visitors"], "vans": ["lorries"]}
    found = words_of_others(guests, [guests, returns, elsewhere], near)
    assert {"customers", "clients", "visitors"} <= found
    assert not {"guest", "wifi", "vans", "lorries"} & found


def test_what_has_no_name_or_no_telling_word_gets_no_such_wordings() -> None:
    assert one_word(replace(OFFICE, subject=None), NEAR, ()) == []
    assert one_word(REFUNDS, NEAR, ()) == []
    assert one_word(OFFICE, {}, taken={"head", "office"}) == []


def test_words_are_left_out_but_never_the_name_nor_all_that_says_what_is_asked() -> None:
    forms = build_forms(OFFICE)
    found = mangled(OFFICE, forms, NEAR)
    assert 1 < len(found) <= NUM_MANGLED
    known = {normalized(form.question) for form in forms}
    for form in found:
        said = normalized(form.question)
        assert said not in known
        assert "brovik" in said
        assert {"head", "office"} & set(said.split())
        assert verify(form, OFFICE)


def test_two_of_a_tasks_words_are_always_left() -> None:
    form = Form("How do I ship samples for laboratory?", TASK.answer, "train")
    for made in mangled(TASK, [form], {}):
        said = set(normalized(made.question).split())
        assert len({"ship", "samples", "laboratory"} & said) > 1
    assert mangled(TASK, [replace(form, question="How do I ship it?")], {}) == []
    assert mangled(TASK, [form], {}, taken={"ship", "samples"}) == []
    assert mangled(replace(OFFICE, subject=None), build_forms(OFFICE), {}) == []


def test_heldout_wordings_are_not_mangled_and_nothing_is_asked_twice() -> None:
    held_out = [form for form in build_forms(OFFICE) if form.split == "heldout"]
    assert mangled(OFFICE, held_out, NEAR) == []
    for lesson in (OFFICE, TASK, REFUNDS):
        forms = wordings(lesson, NEAR)
        questions = [normalized(form.question) for form in forms if form.split == "heldout"]
        trained = [normalized(form.question) for form in forms if form.split == "train"]
        assert len(questions) == 4
        assert len(trained) == len(set(trained)) > 16
        assert not set(questions) & set(trained)
