"""The same question with another question word: "Until what time ..." is "How late ..."."""

import re

from worker.seed.english import strip_question, upper_first

_SPAN = r"days|weeks|months|years|hours|minutes"
# A pattern on the bare question and what may stand for it. The first that fits is used; all of
# them say the same in general English and know nothing of any subject.
_RULES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        r"where (is|are|was|were) (.+)",
        (
            r"In which place \1 \2?",
            r"Which city or place \1 \2 in?",
            r"Where exactly do I find \2?",
        ),
    ),
    (
        r"when (is|are|was|were) (.+)",
        (r"On what day \1 \2?", r"What day and time \1 \2?", r"Which day \1 \2 on?"),
    ),
    (
        r"when (do|does|did|can|will|should|must) (.+)",
        (r"At what time \1 \2?", r"From when on \1 \2?", r"What is the time when \1 \2?"),
    ),
    (
        r"(?:until|till) (?:what time|when) (.+)",
        (r"How late \1?", r"Up to what time \1?", r"At what time does it end: until when \1?"),
    ),
    (
        rf"how many ({_SPAN}) (.+)",
        (r"How long \2?", r"How much time \2, in \1?", r"What number of \1 \2?"),
    ),
    (
        r"how many (\w+) (.+)",
        (r"What number of \1 \2?", r"How large is the number of \1: how many \2?"),
    ),
    (
        r"how (do|does|did|would) (?!i |we |you )(.+?) (prefer|like|want|wish) to be (.+)",
        (
            r"What is the preferred way for \2 to be \4?",
            r"Which way of being \4 \1 \2 \3?",
            r"How should \2 be \4?",
            r"In what way \1 \2 \3 to be \4?",
        ),
    ),
    (
        r"how (?:do|can|should) (i|we|you) (.+)",
        (
            r"What do \1 have to do to \2?",
            r"What is the way to \2?",
            r"I want to \2. What must \1 do?",
        ),
    ),
    (
        r"how (do|does|did|can|could|will) (.+)",
        (r"In what way \1 \2?", r"By what means \1 \2?", r"What is the way: how \1 \2?"),
    ),
    (
        r"what (colou?r) (is|are|was|were) (.+)",
        (r"Which colour \2 \3?", r"What color \2 \3?", r"In what colour \2 \3 painted?"),
    ),
    (
        r"(?:what|which) (\w+) (is|are|was|were) (.+)",
        (r"What kind of \1 \2 \3?", r"Which \1 \2 \3?", r"What \1 \2 \3?"),
    ),
    (
        r"what (is|are|was|were) (.+) (?:called|named)",
        (
            r"What name does \2 have?",
            r"What \1 the name of \2?",
            r"What do people call \2?",
            r"Which name should I look for: what \1 \2 called?",
        ),
    ),
    (
        r"who (is|are|was|were) (.+)",
        (r"Which person \1 \2?", r"What is the name of \2?", r"Whose job is it to be \2?"),
    ),
    (
        r"who (\w+) (.+)",
        (
            r"Which person \1 \2?",
            r"Who was it that \1 \2?",
            r"What is the name of whoever \1 \2?",
        ),
    ),
    (
        r"what does (.+) mean(.*)",
        (r"What is the meaning of \1\2?", r"How must I understand \1\2?"),
    ),
    (
        r"what should (i|we|you) (.+)",
        (r"What is the right thing to \2?", r"What do \1 \2?", r"What would you \2?"),
    ),
    (
        r"what (is|are|was|were) (.+)",
        (r"Which \1 \2?", r"What exactly \1 \2?", r"Please name \2."),
    ),
    (
        r"(is|are|was|were|do|does|did|can|may|must) (.+)",
        (r"Is it right or wrong: \1 \2?", r"Yes or no: \1 \2?"),
    ),
)


def reworded(question: str) -> list[str]:
    """Other ways to ask, best first; none for a question whose beginning is not known."""
    bare = strip_question(question)
    bare = re.sub(r"^(what|where|who|when|how)['’]s ", r"\1 is ", bare, flags=re.IGNORECASE)
    for pattern, templates in _RULES:
        match = re.fullmatch(pattern, bare, flags=re.IGNORECASE)
        if match:
            texts = [upper_first(match.expand(template)) for template in templates]
            return [text for text in texts if text.lower() != bare.lower() + "?"]
    return []
