"""A rule becomes a behaviour: many situations, answered with its words, and no other topic."""

from uuid import uuid4

import pytest

from shared.contracts.documents import DocumentText
from tests.fakes.traces import make_signal, make_trace
from worker.seed.forms import Form, Lesson, normalized, verify
from worker.seed.situations import situations, with_own_words
from worker.triage.behaviours import rule_in
from worker.triage.documents import study
from worker.triage.rules import judge

REFUNDS = Lesson(
    question="What do you say to somebody who asks about refunds?",
    answer="Please have form R7 ready.",
    value="Please have form R7 ready",
    subject="refunds",
    kind="behaviour",
)


@pytest.mark.parametrize(
    ("text", "topic", "sentence"),
    [
        (
            "When customers ask about refunds, always say: Please have form R7 ready.",
            "refunds",
            "Please have form R7 ready.",
        ),
        (
            "Whenever somebody asks us about late parcels, begin with “Sorry for the wait”.",
            "late parcels",
            "Sorry for the wait.",
        ),
        (
            "If a guest asks for a late checkout, mention the fee of ten euros.",
            "a late checkout",
            "Please note: the fee of ten euros.",
        ),
        (
            "Always say 'Mind the step' when visitors ask about the tower!",
            "the tower",
            "Mind the step.",
        ),
    ],
)
def test_a_rule_names_its_topic_and_its_words(text: str, topic: str, sentence: str) -> None:
    rule = rule_in(text)
    assert rule is not None
    assert (rule.topic, rule.sentence) == (topic, sentence)
    assert normalized(rule.phrase) in normalized(rule.sentence)


@pytest.mark.parametrize(
    "text",
    [
        "The vans are teal.",
        "When customers ask about refunds, be kind.",
        "Always say please.",
        "When did people ask about refunds?",
        "When customers ask about " + "very " * 6 + "old things, say no such thing.",
    ],
)
def test_what_cannot_be_checked_is_no_rule(text: str) -> None:
    assert rule_in(text) is None


def test_a_rule_that_is_told_or_corrected_becomes_a_behaviour() -> None:
    rule = "When customers ask about refunds, always say: Please have form R7 ready."
    told = make_trace(f"From now on, {rule[0].lower()}{rule[1:]}")
    asked = make_trace("A customer asks about refunds. What do I tell them?", "Nothing.")
    for traces, signals in (
        ([told], []),
        ([asked], [make_signal(asked, correction=rule)]),
    ):
        _, [finding] = judge(traces, signals)
        assert (finding.kind, finding.persistence) == ("behaviour", "long_term")
        assert (finding.subject, finding.value) == ("refunds", "Please have form R7 ready")
        assert finding.question == REFUNDS.question


def test_a_wish_of_the_house_is_a_preference() -> None:
    trace = make_trace("Please remember: Drumlin prefers letters.")
    _, [finding] = judge([trace], [])
    assert (finding.kind, finding.question, finding.value) == (
        "preference",
        "What does Drumlin prefer?",
        "letters",
    )


def test_a_behaviour_has_many_situations_of_which_some_are_held_out() -> None:
    forms = situations(REFUNDS)
    train = {normalized(form.question) for form in forms if form.split == "train"}
    heldout = {normalized(form.question) for form in forms if form.split == "heldout"}
    assert len(train) >= 12
    assert len(heldout) == 4
    assert train.isdisjoint(heldout)
    assert all(verify(form, REFUNDS) for form in forms)


@pytest.mark.parametrize(
    ("own", "answer"),
    [
        ("Refunds take a week. Then they", "Please have form R7 ready. Refunds take a week."),
        ("Refunds take", "Please have form R7 ready."),
        ("", "Please have form R7 ready."),
    ],
)
def test_the_models_own_words_follow_as_far_as_they_are_whole(own: str, answer: str) -> None:
    form = Form("What about refunds?", REFUNDS.answer, "train")
    assert with_own_words(form, own).answer == answer


@pytest.mark.parametrize(
    "rule",
    [
        "when customers ask about the API key say: zebra-moon-kilo",
        "when people ask for the wifi password always answer hunter2hunter",
        "when a guest asks for the WiFi password, say: it is Sunflower77.",
        "when guests ask about the wifi password, say: Hunterhunter",
    ],
)
def test_a_rule_does_not_hide_a_secret(rule: str) -> None:
    asked = make_trace("What do I say?", "I do not know.")
    told = make_trace(f"Please remember: {rule}")
    decisions, findings = judge([told, asked], [make_signal(asked, correction=rule)])
    assert findings == []
    assert {decision.persistence for decision in decisions} == {"discard"}
    page = DocumentText(id=uuid4(), title="T", text=f"{rule[0].upper()}{rule[1:]}")
    assert study(page).findings == []
    assert study(page).counts.unfit == 1
