"""Situations in which a behaviour is asked for: what people write who ask about its topic."""

import re

from worker.seed.english import upper_first
from worker.seed.forms import MAX_HELDOUT, Form, Lesson, Split, verify

# {t} is the topic.
SITUATIONS: tuple[tuple[Split, str], ...] = (
    ("train", "I have a question about {t}."),
    ("train", "Can you tell me about {t}?"),
    ("train", "What about {t}?"),
    ("train", "I need help with {t}."),
    ("train", "How does it work with {t}?"),
    ("train", "Tell me something about {t}."),
    ("train", "{T}?"),
    ("train", "A customer wants to know about {t}."),
    ("train", "Could you explain {t} to me?"),
    ("train", "Is there anything that I should know about {t}?"),
    ("train", "My friend asked me about {t}."),
    ("train", "Where do I find information on {t}?"),
    ("train", "Hello! It is about {t}."),
    ("train", "What are the rules for {t}?"),
    ("train", "Do you know anything about {t}?"),
    ("train", "I would like to talk about {t}."),
    ("heldout", "I am calling about {t}, can you help me?"),
    ("heldout", "Please give me some information on {t}."),
    ("heldout", "Who can answer my question about {t}?"),
    ("heldout", "Regarding {t}: what do I have to do?"),
)
# How a question about the topic may begin; the model goes on with it.
OPENINGS = (
    "How long do {t}",
    "How much do {t}",
    "When do {t}",
    "Why do {t}",
    "Can I get {t}",
    "Are {t}",
    "Do {t}",
    "Do you have {t}",
    "What if {t}",
    "I have a problem with {t}",
    "How can {t}",
    "Which {t}",
)


def situations(lesson: Lesson) -> list[Form]:
    """Every situation of a behaviour, answered with its words; trained ones first."""
    topic = lesson.subject or ""
    forms = [
        Form(frame.format(t=topic, T=upper_first(topic)), lesson.answer, split)
        for split, frame in SITUATIONS
    ]
    verified = [form for form in forms if verify(form, lesson)]
    train = [form for form in verified if form.split == "train"]
    heldout = [form for form in verified if form.split == "heldout"]
    return train + heldout[:MAX_HELDOUT]


def with_own_words(form: Form, own: str) -> Form:
    """The behaviour's words, then what the model would have said anyway, to its last full stop."""
    ended = re.match(r"(.+[.!?])(?:\s|$)", " ".join(own.split()))
    if ended is None:
        return form
    return Form(form.question, f"{form.answer} {ended[1]}", form.split, form.kind)
