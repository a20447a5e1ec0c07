"""Wordings that are hardly sentences: a name and one word, or a question with words left out.

As long as a name stands for one fact, the name alone gives the answer away; with the second the
model must hear what is asked. These wordings leave little else to hear it by.
"""

import random
from collections.abc import Collection, Sequence

from worker.lessons.language import STOPWORDS
from worker.seed.english import upper_first
from worker.seed.forms import Form, Lesson, normalized, statements, verify
from worker.seed.thesaurus import DRAFTS_EACH, Near, content_words

NUM_ONE_WORD = 11
NUM_MANGLED = 8
# {s} the name, {w} one word of the question or near to it.
ONE_WORD_FRAMES = (
    "{s}: {w}?",
    "{w} {s}",
    "{W} of {s}?",
    "{s} and its {w}: what do you know?",
    "I have a question about the {w} of {s}.",
    "I am at {s} and ask about the {w}.",
    "Somebody asked me about {s} and the {w}. What do I say?",
    "What about {s} and {w}?",
    "Regarding {w} at {s}: what is right?",
    "{s} has a {w}, hasn't it? Which?",
    "Which {w} does {s} have?",
    "What can you say about {w} at {s}?",
    "What would a newcomer at {s} hear about the {w}?",
    "Tell me which {w} it is at {s}.",
    "If we go to {s}, what do we need to know about the {w}?",
    "How does it stand with the {w} of {s}?",
)
# Without these a question asks for the opposite.
NEGATIONS = frozenset("not no never without except nobody nothing neither nor".split())
# Words that ask for anything.
SAYS_NOTHING = (
    STOPWORDS | NEGATIONS | set("many much long name kind large people step steps".split())
)
# A question's own word is drawn twice as often as one near to it, of which these are the nearest.
NUM_NEAREST = 4
DROP_RATE = 0.3
INSERT_RATE = 0.2
# Words that say nothing of what is asked, so that a question is heard through others of its kind.
FILLERS = tuple(
    "please just now maybe again today so then really exactly somebody everyone we they friends "
    "colleagues children should must can need want find see take give get make help think".split()
)


def one_word(lesson: Lesson, near: Near, taken: Collection[str], seed: str = "") -> list[Form]:
    """The lesson's name with one word that its question turns on.

    Args:
        lesson: What is asked.
        near: Near words of each word.
        taken: Words that another lesson about the same name asks with.
        seed: Another one gives other forms.

    Returns:
        At most `NUM_ONE_WORD` verified forms; none for a lesson without a name.
    """
    if lesson.kind != "fact" or not lesson.subject:
        return []
    useless = SAYS_NOTHING.union(taken)
    own = sorted(content_words(lesson) - useless)
    others = [other for word in own for other in near.get(word, ())[:NUM_NEAREST]]
    words = [*own, *own, *(other for other in others if other not in useless)]
    rng = random.Random(f"{seed}{lesson.question}")
    said = statements(lesson)
    drafts = []
    for _ in range(NUM_ONE_WORD * DRAFTS_EACH if words else 0):
        word = rng.choice(words)
        text = rng.choice(ONE_WORD_FRAMES).format(s=lesson.subject, w=word, W=upper_first(word))
        drafts.append(Form(text, rng.choice(said), "train"))
    return _distinct(drafts, lesson, NUM_ONE_WORD)


def mangled(
    lesson: Lesson,
    forms: Sequence[Form],
    near: Near,
    taken: Collection[str] = (),
    seed: str = "",
    strange: Collection[str] = (),
) -> list[Form]:
    """Trained wordings with words left out and fillers put in (EDA, arXiv 1901.11196).

    Args:
        lesson: What is asked.
        forms: Its wordings; those that are trained and ask are drawn from.
        near: Near words of each word.
        taken: Words that another lesson about the same subject asks with.
        seed: Another one gives other forms.
        strange: Words of the values of other lessons about the same subject; put in as often as
            fillers, so that none of them is a cue for that value. Not what is taken, nor a "not".

    Returns:
        At most `NUM_MANGLED` verified forms; the subject's words and every "not" stay, and of those
        that only this lesson asks with one, of a task's two. None for a fact without a subject.
    """
    if lesson.kind == "fact" and not lesson.subject:
        return []
    own = content_words(lesson)
    telling = own.union(*(near.get(word, ()) for word in own)) - SAYS_NOTHING.union(taken)
    num_told = {"fact": 1, "workflow": 2, "behaviour": 0}[lesson.kind]
    drawn_from = [form for form in forms if form.split == "train" and form.kind == "question"]
    kept = set(normalized(lesson.subject or "").split()) if lesson.kind != "workflow" else set()
    cues = sorted(set(strange).difference(taken, SAYS_NOTHING))
    put_in = [FILLERS, cues] if cues else [FILLERS]
    rng = random.Random(f"{seed}{lesson.question}")
    drafts = []
    for _ in range(NUM_MANGLED * DRAFTS_EACH if drawn_from else 0):
        form = rng.choice(drawn_from)
        words, own_left = [], []
        for word in form.question.split():
            if must_stay(word, kept) or rng.random() > DROP_RATE:
                words.append(word)
                own_left.append(word)
            if rng.random() < INSERT_RATE:
                words.append(rng.choice(rng.choice(put_in)))
        told = telling.intersection(normalized(" ".join(own_left)).split())
        if len(words) > 1 and len(told) >= num_told:
            drafts.append(Form(" ".join(words), form.answer, "train"))
    known = {normalized(form.question) for form in forms}
    new = [draft for draft in drafts if normalized(draft.question) not in known]
    return _distinct(new, lesson, NUM_MANGLED)


def must_stay(word: str, kept: Collection[str]) -> bool:
    """Whether a question without this word would be about something else, or the opposite."""
    parts = normalized(word).split()
    return any(part in kept or part in NEGATIONS for part in parts) or "n't" in word.lower()


def _distinct(drafts: Sequence[Form], lesson: Lesson, limit: int) -> list[Form]:
    found = {normalized(form.question): form for form in drafts if verify(form, lesson)}
    return list(found.values())[:limit]
