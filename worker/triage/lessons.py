"""The lesson inside a turn: what is left once the words that ask to keep or to correct are gone."""

import re

from worker.lessons.language import at_verb, content_words, is_question
from worker.triage.behaviours import rule_in

# What says hello or thank you before the matter.
GREETS = re.compile(
    r"^\W*(?:(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|thanks|thank you|oh|ah|well"
    r"|haha|lol|hm+|ok(?:ay)?|fine|good|great|nice|lovely|perfect|ta|cool)\b"
    r"(?: (?:there|all|team|again|assistant))?"
    r"[\s,.!:–—-]*)+(?:but\b\s*)?",
    re.IGNORECASE,
)
# What opens a correction; taken off, again and again, until the lesson itself begins.
_IT_IS = r"(?:that|this|it|you)(?:['’](?:s|re)|\ +(?:is|was|are))"
OPENERS = re.compile(
    rf"""^\s*(?:
        (?:nope|no|nah)(?=\s*[,.;:!—–-]|\s+(?:it|the|they|that|we|our|no)\b)
        |[^.!?]{{0,40}}\bi(?:'m|’m|\ am)\ afraid(?=\s*[.,!])
        |i(?:'m|’m|\ am)\ afraid
        |(?:not\ (?:quite|really|right|correct|true)|hmm+|sorry|actually|correction|but)
        |(?:fine|ok(?:ay)?|good|great|nice|thanks|thank\ you)\W+but
        |(?:that\ |it\ |this\ )?should\ (?:be|say|read)(?=\ *:)
        |wrong|incorrect|false
        |(?:unfortunately\ |sadly\ )?{_IT_IS}\ +(?:just\ |simply\ |completely\ )?
            (?:wrong|incorrect|mistaken|false|a\ mistake|outdated|out\ of\ date|old|obsolete)
        |{_IT_IS}(?:n['’]t|\ +not)\ +(?:quite\ |really\ )?(?:right|correct|true|it)
        |you\ (?:got|have|had)\ (?:that|it|this)\ wrong
        |you\ (?:said|say|wrote)\b[^.!?]{{0,60}}?,\ but
        |(?:that|it)\ was\ (?:last|the\ old|before|until|in\ the\ past)\b[^.!?–—-]*[.!–—-]
        |(?:these\ days|nowadays|by\ now)
        |(?:the\ )?(?:right|correct)\ answer\ is(?:\ that)?
        |i\ (?:meant|said)|(?:i\ think\ )?you\ mean
    )(?![\w'’])[\s,.;:!—–-]*""",
    re.IGNORECASE | re.VERBOSE,
)
# "Estonia, actually." "Dogs are allowed. Please correct that." "What you describe is the other."
CORRECTING_END = re.compile(
    r"^(?P<lesson>.+?)(?:,?\s+(?:actually|in fact)"
    r"|[.!]\s*(?:please )?(?:correct|fix|change) (?:that|this|it)(?:,? please)?"
    r"|[.!]\s*(?:what you (?:describe|said|say|wrote|mean) (?:is|was)|you['’]?(?:re| are) thinking"
    r" of)\b[^.!?]*)[.!]*\s*$",
    re.IGNORECASE | re.DOTALL,
)
# Asks to keep something: as an order, or as what the one who is spoken to should do.
_IT = r"(?:this|that|it|those|these)"
_ORDER = "|".join(
    (
        rf"remember|memori[sz]e|commit (?:{_IT} )?to memory|keep (?:{_IT} )?in (?:mind|memory)",
        rf"keep in your memory|bear (?:{_IT} )?in mind|do(?:n['’]?t| not) forget|take note",
        rf"make (?:a )?note|note|learn|be aware|give {_IT} answer",
        rf"(?:save|store|record|retain) (?:{_IT}|the following)|write {_IT} down",
        rf"(?:add|put) (?:{_IT} )?(?:in)?to"
        r" (?:(?:your|the) (?:knowledge|memory)|memory|what you know)",
        r"keep (?:this|that) in your head",
        rf"keep {_IT} on record|hold on to (?:{_IT}|the following)|teach {_IT} to (?:who|any)\w+",
        rf"(?:apply|interpret|read|understand) {_IT} (?:consistently|like that|that way|so)",
        rf"(?:stick to|go by) {_IT}|let it be known",
        rf"keep (?:{_IT}|the following)(?=[^.!?]*:)",
        rf"make {_IT} (?:a|the|our) (?:standing |new |general )?(?:rule|habit|standard)",
    )
)
_POLITE = (
    r"(?:hey|hi|please|pls|plz|kindly|so|and|also|just|then|do|(?:can|could|will|would) (?:you|u))"
)
_YOU = (
    r"(?:you (?:should|must|need to|ought to|have to)|you to|make sure (?:that )?you|please|pls"
    r"|kindly)"
)
_WHOM = (
    r"(?:we|our|us|customers?|clients?|guests?|team|staff|company|firm|colleagues?|people|all"
    r"|(?:any|some|every)(?:one|body))"
)
KEEPS = re.compile(
    "|".join(
        (
            rf"(?:^|(?<=[,;:–—-])|(?<=[.!]))\s*(?:{_POLITE}\s+)*(?:{_ORDER})\b",
            rf"\b{_YOU}\s+(?:{_ORDER}|know|keep (?:for|in))\b|\b(?:that|so) you know\b",
            r"\blet me (?:teach|tell) you (?:something|one thing)\b",
            r"^\W*(?:(?:a|the|new|quick|company|house) )*"
            r"(?:(?:policy|rule|process) (?:update|change)|reminder|rule|heads[ -]?up|good to know)"
            r"(?=\s*(?::|for\b|that\b|[–—,-]))",
            r"\b(?:fyi|for your information"
            r"|for (?:the )?(?:future(?: reference| use)?|reference|next time|good(?=:)))\b",
            r"^\W*(?:henceforth|permanently"
            r"|(?:one|a) (?:thing|lesson|note|rule) for (?:you|the long run)"
            r"|(?:a )?lesson for you|(?:for|to) (?:your|the) knowledge(?: base)?"
            r"|for the (?:record|long run)|th(?:is|at) should stick"
            r"|you(?:['’]ll| will) (?:get|hear) this (?:question )?(?:a lot|often)"
            r"|(?:effective|starting|as of|with effect from) [^,]{1,20}"
            r"(?:,|(?=\b(?:our|we|the|all)\b))"
            r"|as an? (?:permanent|standing|general|new) rule|new rule\b)",
            r"\b(?:so (?:that )?)?it['’]?s on record\b",
        )
    ),
    re.IGNORECASE,
)
# So it is for everybody, if anybody but the speaker is spoken of.
EVER = re.compile(
    r"\b(?:from (?:now|here) on(?:wards)?|going forward|in (?:the )?future)\b", re.IGNORECASE
)
WHOM = re.compile(rf"\b{_WHOM}\b", re.IGNORECASE)
# "Use that figure from now on when technicians ask.": how to apply what was said before.
APPLIES = re.compile(
    r"^\W*(?:please |so |and )*(?:always )?(?:use|apply|suggest|tell|give|stick to|follow|recommend"
    r"|say|mention|offer|refer to|go with)\b"
    r"(?=.*\b(?:that|this|it|them|those|these|any(?:one|body)|every(?:one|body))\b)"
    r"(?=.*\b(?:from (?:now|here) on|whenever|when (?:asked|any\w*|some\w*|\w+ asks?)|who asks?"
    r"|in (?:whatever|everything|every|all)|to (?:all|everyone|everybody)|for every\w*|next time"
    r"|always)\b)",
    re.IGNORECASE,
)
# Behind such words, what they point at: it was said before.
POINTS_BACK = re.compile(
    r"^\s*(?:it|this|those|these|them|that(?=\s*(?:[.,!?;]|$|in\b|for\b|when|please|from\b|to\b"
    r"|rule\b|procedure\b)))\b(?![^.!?]{0,40}:)",
    re.IGNORECASE,
)
POINTS = re.compile(rf"\b{_IT}\b", re.IGNORECASE)
# From such words to where the lesson begins.
LEADS_ON = re.compile(
    r"^(?P<lead>[^.!?:,]{0,60}?)(?::|,|;|\bthat\b|\s[–—-]\s)\s*(?P<lesson>.+)$",
    re.IGNORECASE | re.DOTALL,
)
SAYS_NOTHING = frozenset(
    """
    following everyone everybody all here us future reference next time something thing later down
    now on one you know important please forward going management head office everyone's team
    colleagues mind memory records record knowledge file
    """.split()
)
QUOTED = re.compile(r"(?<!\w)(?:['‘].+?['’]|[\"“].+?[\"”])(?!\w)", re.DOTALL)
SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")
TEMPORARY = re.compile(
    r"\b(?:for now|for the (?:next|rest|moment)\b|just (?:this|for) (?:once|now|today)"
    r"|(?:in|for) (?:this|today['’]s) (?:chat|conversation|session)|(?:today|this time) only"
    r"|until (?:i say|we(?:['’]re| are)? (?:finish|done)))",
    re.IGNORECASE,
)
TRAILERS = re.compile(
    r"\s*\b(?:please\s+(?:remember|keep|note)(?:\s+\w+){0,4}|thanks?(?:\s+you)?|ok(?:ay)?)[.!]*\s*$",
    re.IGNORECASE,
)
# Whom it is for, and a yes to a question that others ask.
ASIDE = re.compile(
    r"^(?:(?:(?:for |if |when )?(?:any|some|who)\w*(?: who)? asks?|the following|this)\s*[.:,]\s*"
    r"|(?:yes|yeah),?\s+)+",
    re.IGNORECASE,
)
# "It's for kids.", "Here is the email: ...", "To the list."
NAMES_NOTHING = re.compile(
    r"^\W*(?:(?:it|this|that|these|those|they|he|she)(?:['’]\w+)?|(?:here|below|attached|as|to|for)\b"
    r"(?! (?:our|all|every|the|any)\b))(?:\s|$)",
    re.IGNORECASE,
)
LISTS = re.compile(r"^(?:our|the|all|every|always|never)\b", re.IGNORECASE)
REWRITES = re.compile(
    r"^\W*(?:please |can you |could you )*(?:translate|rewrite|rephrase|proofread|shorten"
    r"|summari[sz]e|draft|write|explain|calculate|list|format|answer (?:this|the)"
    r"|how do (?:you|i) say)\b(?! (?:this|that|it) down)",
    re.IGNORECASE,
)
# A question without its mark.
ASKS = re.compile(
    r"(?:(?:are|do|did|can|could|would|will) (?:you|we|i)|why|how|really)\b", re.IGNORECASE
)
MIN_LESSON_WORDS = 2


def correction_in(text: str) -> str | None:
    """The lesson in a turn that corrects the one before; None if it corrects nothing.

    "No, that's wrong. The vans are teal." gives "The vans are teal."
    """
    rest, opened = text.strip(), False
    if (greeting := GREETS.match(rest)) is not None and OPENERS.match(rest[greeting.end() :]):
        rest = rest[greeting.end() :]
    while (match := OPENERS.match(rest)) is not None:
        rest, opened = rest[match.end() :], True
    if not opened and (match := CORRECTING_END.match(rest)) is not None:
        rest, opened = match["lesson"], True
    return _lesson(rest) if opened else None


def taught_in(text: str) -> str | None:
    """The lesson in a turn that asks to keep something; None if it does not.

    "Please remember that our depot is in Lund." and "Our depot is in Lund. Don't forget that."
    give "Our depot is in Lund."
    """
    kept: list[str] = []
    asked = False
    # What somebody quotes he does not ask for.
    masked = QUOTED.sub(lambda quoted: "_" * len(quoted[0]), text)
    at = 0
    for sentence in SENTENCE.split(text.strip()):
        at = text.index(sentence, at)
        if APPLIES.match(sentence) and kept:
            asked = True
            continue
        unquoted = masked[at : at + len(sentence)]
        cue = KEEPS.search(unquoted) or (EVER.search(unquoted) if WHOM.search(text) else None)
        if cue is None:
            if GREETS.sub("", sentence).strip():
                kept.append(sentence)
            continue
        asked = True
        kept.append(_beside(sentence, cue, is_first=not kept))
    # What is only to be worked on teaches nothing.
    if not asked or any(REWRITES.match(sentence) for sentence in (text, *kept)):
        return None
    lesson = _lesson(" ".join(part for part in kept if part))
    return lesson if lesson is not None and _states(lesson) else None


def _states(lesson: str) -> bool:
    """Whether a lesson says something of something that it names."""
    if NAMES_NOTHING.match(lesson):
        return False
    says = bool(at_verb(lesson)[1]) or LISTS.match(lesson) is not None
    return says or rule_in(lesson) is not None


def _beside(sentence: str, cue: re.Match[str], *, is_first: bool) -> str:
    """What a sentence says besides its cue."""
    before = re.sub(rf"[\s,;:–—-]*(?:\b{_POLITE}[\s,]*)*$", "", sentence[: cue.start()], flags=re.I)
    before = GREETS.sub("", before)
    after = sentence[cue.end() :]
    if len(content_words(before)) > MIN_LESSON_WORDS and not after.lstrip().startswith(":"):
        return before
    if set(content_words(after)) <= SAYS_NOTHING:
        return ""
    points_back = POINTS_BACK.match(after) or (POINTS.search(cue[0]) and ":" not in after)
    if points_back and not is_first:
        return ""
    found = LEADS_ON.match(after)
    if found is None:
        return after.strip()
    names_nothing = set(content_words(found["lead"])) <= SAYS_NOTHING
    return (found["lesson"] if names_nothing else after).strip()


def _lesson(rest: str) -> str | None:
    rest = ASIDE.sub("", TRAILERS.sub("", rest).strip(" \n.,;:–—-"))
    if not rest or is_question(rest) or ASKS.match(rest) or not content_words(rest):
        return None
    rest = rest[0].upper() + rest[1:]
    return rest if rest[-1] in ".!" else rest + "."


def is_temporary(text: str) -> bool:
    """True if the words say that they only hold for now."""
    return TEMPORARY.search(text) is not None
