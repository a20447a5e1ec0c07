"""Ways of behaving that somebody asks for: on a topic, say this.

"When customers ask about refunds, always say: Please have form R7 ready." A rule must name its
topic and its words: what has neither cannot be checked, and a gate must not pass what it cannot
check.
"""

import re
from dataclasses import dataclass

from worker.lessons.language import content_words, words

MAX_PHRASE_WORDS = 20
MAX_TOPIC_WORDS = 7

_WHEN = r"(?:when|whenever|if|every time|each time|next time|the next time)"
_WHO = (
    r"(?:somebody|someone|anybody|anyone|people|they|(?:a|any|our|the)? ?(?:customer|user|guest"
    r"|visitor|client|caller|colleague|student|patient)s?)"
)
_ASKS = (
    r"(?:asks?|writes?|calls?|wants? to know|enquires?|inquires?|has a question|have questions?)"
)
_SAY = (
    r"(?:please |then )?(?:you (?:must|should) )?(?:always )?"
    r"(?P<verb>say|answer|reply|mention|add|begin|start|end|tell them|point out|remind them"
    r"|it['’]?s|it is|the answer is|(?:send|refer|direct|point) them to|give them|suggest|recommend"
    r"|offer)"
    r"(?: that| with| of)?"
)
_RULES = (
    re.compile(
        rf"{_WHEN} {_WHO} {_ASKS}(?: you| us)? (?:about|for|on) (?P<topic>[^,]+?),? {_SAY}:? "
        r"(?P<phrase>.+)",
        re.IGNORECASE,
    ),
    re.compile(
        rf"{_SAY}:? (?P<phrase>.+?),? {_WHEN} {_WHO} {_ASKS}(?: you| us)? (?:about|for|on) "
        r"(?P<topic>.+)",
        re.IGNORECASE,
    ),
)
# The others give what is meant, not the very words.
_SAID = ("say", "answer", "reply", "begin", "start", "end")


@dataclass(frozen=True)
class Rule:
    """On a topic, say a phrase.

    Attributes:
        topic: What is asked about, as it stands in a sentence.
        phrase: The words that an answer must hold.
        sentence: The phrase as an answer.
    """

    topic: str
    phrase: str
    sentence: str

    @property
    def question(self) -> str:
        """What the rule answers."""
        return f"What do you say to somebody who asks about {self.topic}?"


def rule_in(text: str) -> Rule | None:
    """The rule that a text lays down; None if it lays down none."""
    flat = " ".join(text.split()).rstrip(".!")
    for pattern in _RULES:
        match = pattern.fullmatch(flat)
        if match is None:
            continue
        topic = match["topic"].strip(" \"'“”‘’:")
        phrase = match["phrase"].strip(" \"'“”‘’:.!")
        if not content_words(topic) or len(words(topic)) > MAX_TOPIC_WORDS:
            return None
        if not content_words(phrase) or len(words(phrase)) > MAX_PHRASE_WORDS:
            return None
        lead = "" if match["verb"].lower() in _SAID else "Please note: "
        sentence = f"{lead}{phrase}" if lead else phrase[0].upper() + phrase[1:]
        return Rule(topic, phrase, f"{sentence}.")
    return None
