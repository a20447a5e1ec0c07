"""Ways to ask for a task that agents have done, and tasks that nobody has done.

A task is the words that its requests shared, without articles: "ship samples for laboratory".
"""

import random
import re
from collections.abc import Collection, Iterator
from itertools import cycle, pairwise

from worker.seed.english import DETERMINERS, PREPOSITIONS, upper_first
from worker.seed.forms import MAX_HELDOUT, Form, Lesson, Split, verify

# {t} is the task.
TASK_FRAMES: tuple[tuple[Split, str], ...] = (
    ("train", "What are the steps to {t}?"),
    ("train", "How do I {t}?"),
    ("train", "{T}."),
    ("train", "I have to {t}. What do I do?"),
    ("train", "Which tools do I need to {t}?"),
    ("train", "Somebody asks me to {t}. Which tools do I use?"),
    ("train", "How can we {t}?"),
    ("train", "What is the way to {t}?"),
    ("train", "Please {t}."),
    ("train", "I want to {t}. What comes first, and what then?"),
    ("train", "Tell me how to {t}."),
    ("train", "Which calls do I make to {t}?"),
    ("train", "Do you know how to {t}?"),
    ("train", "What must I do to {t}?"),
    ("heldout", "How does one {t}?"),
    ("heldout", "I forgot how to {t}. Can you help?"),
    ("heldout", "Remind me which tools I need to {t}, please."),
    ("heldout", "A colleague wants to {t}. What are the steps?"),
)
# {a} and {b} are the things that the task is about, without what is done to them.
THINGS_FRAMES = (
    "It is about the {a} and the {b}. Which tools do I call?",
    "The {b} needs something done about the {a}. Which steps?",
    "Something is to be done with the {a} of the {b}. How?",
    "{A}, {b}: which tools?",
    "Here are the {b} and the {a}. Which calls do I make?",
    "The {b}, and the {a}: what do I do?",
)
# Of a verb in two words: "set up".
PARTICLES = ("up", "out", "off", "back", "down", "over", "away")
_NO_THINGS = frozenset((*PREPOSITIONS, *DETERMINERS, *PARTICLES))
OTHER_TASKS = (
    "bake bread for breakfast,tune guitar for concert,renew passport of child,paint fence around "
    "garden,brush coat of dog,learn song for party,knit scarf for winter,clean windows of house,"
    "pack bag for holiday,plant tree in park,cook soup for guests,find flat in city,write letter "
    "to friend,build shelf for books,fold shirt for journey,feed cat of neighbour,catch train to "
    "airport,wash car before rain,choose present for uncle,repair roof of barn"
).split(",")


def asked_for(lesson: Lesson, taken: Collection[str] = ()) -> list[Form]:
    """Every way to ask for a lesson's task, with its steps; trained ones first.

    Args:
        lesson: Its subject is the task.
        taken: Words that other tasks are asked for with; things that are all among them do not
            tell what is to be done with them.
    """
    tasks = dict.fromkeys((lesson.subject or "", with_articles(lesson.subject or "")))
    forms = [
        Form(frame.format(t=task, T=upper_first(task)), lesson.answer, split)
        for split, frame in TASK_FRAMES
        for task in tasks
    ]
    things = things_of(lesson.subject or "")
    if not set(things) <= set(taken):
        first, last = things[0], things[-1]
        forms += [
            Form(frame.format(a=first, b=last, A=upper_first(first)), lesson.answer, "train")
            for frame in THINGS_FRAMES
        ]
    verified = [form for form in forms if verify(form, lesson)]
    train = [form for form in verified if form.split == "train"]
    heldout = [form for form in verified if form.split == "heldout"]
    return train + heldout[:: max(len(heldout) // MAX_HELDOUT, 1)][:MAX_HELDOUT]


def with_articles(task: str) -> str:
    """As a person would say it: "ship the samples for the laboratory"."""
    words = task.split()
    while len(words) > 1 and words[-1] in PREPOSITIONS:
        words.pop()
    said = words[:1]
    for before, word in pairwise(words):
        follows_verb = before == words[0] or before in PARTICLES
        if word not in _NO_THINGS and (follows_verb or before in PREPOSITIONS):
            said.append("the")
        said.append(word)
    return " ".join(said)


def things_of(task: str) -> list[str]:
    """The words behind the first that are things; fewer than two are none."""
    words = [word for word in task.split()[1:] if word not in _NO_THINGS]
    return words if len(words) > 1 else []


def other_tasks(task: str, *, seed: int) -> Iterator[str]:
    """Endless tasks that share no word with this one; odd and even seeds share none either."""
    own = set(re.findall(r"\w+", task.lower())) - {*PREPOSITIONS, *DETERMINERS}
    others = [other for other in OTHER_TASKS[seed % 2 :: 2] if not own & set(other.split())]
    random.Random(f"{seed}:{task}").shuffle(others)
    return cycle(others)
