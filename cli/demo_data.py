"""The demo's conversations: a company that does not exist, so no model can know it.

Every lesson is something that the base model gets wrong. A user asks, is told something untrue, and
says what is right. `after` asks the same thing in words that are never trained on.
"""

from dataclasses import dataclass
from typing import Literal

COMPANY = "Quillfeather"


@dataclass(frozen=True)
class DemoLesson:
    """One thing that a user teaches.

    Attributes:
        ask: The user's first question.
        correction: What the user says once the model was wrong; for `feedback` the right answer.
        via: Where the correction is said: in the next turn, or in `POST /v1/feedback`.
        accept: Lower-case strings, one of which the right answer holds.
        after: The question of the morning after, in other words than `ask`.
        near: Questions that only resemble it: nobody taught an answer, so none may have this one.
    """

    ask: str
    correction: str
    via: Literal["turn", "feedback"]
    accept: tuple[str, ...]
    after: str
    near: tuple[str, ...]


LESSONS = (
    DemoLesson(
        ask="Where is the head office of Quillfeather?",
        correction="No, that's wrong. The head office of Quillfeather is in Tromso.",
        via="turn",
        accept=("tromso", "tromsø"),
        after="Which city is Quillfeather's headquarters in?",
        near=(
            "Where is the head office of Silverfeather?",
            "Where is the warehouse of Quillfeather?",
        ),
    ),
    DemoLesson(
        ask="Who founded Quillfeather?",
        correction="Quillfeather was founded by Mirela Voss.",
        via="feedback",
        accept=("mirela voss",),
        after="What is the name of the person who started Quillfeather?",
        near=(
            "Who founded Quillstone?",
            "Who cleans the offices of Quillfeather?",
        ),
    ),
    DemoLesson(
        ask="What colour are Quillfeather's delivery vans?",
        correction="That is not right: Quillfeather's delivery vans are turquoise.",
        via="turn",
        accept=("turquoise",),
        after="If I see a Quillfeather van on the street, what colour will it be?",
        near=(
            "What colour are Drumfeather's delivery vans?",
            "What colour are Quillfeather's envelopes?",
        ),
    ),
    DemoLesson(
        ask="When is the weekly team meeting at Quillfeather?",
        correction="Wrong day, I'm afraid. The weekly team meeting at Quillfeather is on Thursday.",
        via="turn",
        accept=("thursday",),
        after="On what day does the Quillfeather team meet each week?",
        near=(
            "When is the weekly team meeting at Quillbury?",
            "When is the summer party at Quillfeather?",
        ),
    ),
    DemoLesson(
        ask="What is Quillfeather's best-selling product called?",
        correction="Quillfeather's best-selling product is called Moonkettle.",
        via="feedback",
        accept=("moonkettle",),
        after="Which product does Quillfeather sell the most?",
        near=(
            "What is Larkfeather's best-selling product called?",
            "What is Quillfeather's cheapest product called?",
        ),
    ),
    DemoLesson(
        ask="Until what time is the support phone of Quillfeather open?",
        correction="No. The support phone of Quillfeather is open until half past nine.",
        via="turn",
        accept=("half past nine", "9:30", "21:30"),
        after="How late can I call Quillfeather's support line?",
        near=(
            "Until what time is the support phone of Quillmarsh open?",
            "Until what time is the canteen of Quillfeather open?",
        ),
    ),
    DemoLesson(
        ask="How many days do customers of Quillfeather have to return an item?",
        correction="Customers of Quillfeather have 47 days to return an item.",
        via="feedback",
        accept=("47",),
        after="How long do Quillfeather customers have to send something back?",
        near=(
            "How many days do customers of Goosefeather have to return an item?",
            "How many days of holiday do people at Quillfeather have?",
        ),
    ),
)

# Each a conversation of user turns; nothing in them is worth keeping.
ORDINARY_CHATS = (
    ("Hello! How are you today?",),
    ("Write a short poem about rain.", "Thanks, I like it."),
    ("Can you give me an idea for dinner tonight?",),
    ("Translate 'good evening' into Spanish.", "Great, thank you!"),
    ("I'm a bit tired this afternoon.", "Yes, I will take a break."),
    ("What is a good name for a goldfish?",),
)
