"""The words by which `turns.py` tells a lesson from other talk.

Each pattern has one use there; the labelled set of `bench/triage.py` shows what each is good for.
"""

import re


def _starts(*alternatives: str) -> re.Pattern[str]:
    """One of these at the beginning, whole words."""
    return re.compile(rf"^\W*(?:{'|'.join(alternatives)})\b", re.IGNORECASE)


def _holds(*alternatives: str) -> re.Pattern[str]:
    """One of these anywhere, whole words."""
    return re.compile(rf"\b(?:{'|'.join(alternatives)})\b", re.IGNORECASE)


# Questions, and requests, for something that has one right answer.
QUESTION_START = _starts(
    "(?:who|what|where|when|how)['’]?s?",
    "whom|whose|which|why|is|are|was|were|does|do|did|can|until|from",
    "(?:in|on|at|to) (?:which|what|whom)",
    "give me the|name the|tell me|remind me",
)
ASKED_FOR = _holds("(?:wants?|needs?|like) to know|i need .+ (?:which|what|who|where|when)")
NOWADAYS = _holds("now|nowadays|these days|since|anymore|any more|(?:the )?new(?:er)? one")
# A wish of one person's own.
ABOUT_ME = re.compile(
    r"^\W*(?:call me\b|my own\b"
    r"|i(?:['’](?:m|ve)| am| prefer| work| live| don['’]t)\b.*\b(?:so|please|when you|for me)\b)",
    re.IGNORECASE | re.DOTALL,
)
# Questions of taste, advice or play have none.
OPEN_QUESTION = _holds(
    "(?:should|shall|could|may) (?:i|we)",
    "do you (?:like|think|prefer|want)",
    "okay|better|best(?!-)|good|nice|favou?rite|bored|jokes?|poems?|stor(?:y|ies)|funny",
)
# What somebody says of himself.
PERSONAL = re.compile(
    r"^(?:i(?:['’]m| am) (?!only|just|not|sure|afraid|kidding|joking)|my |i['’]ve been "
    r"|i (?:prefer|live|work|was born|hate|love|like|speak|don['’]t (?:eat|drink|speak|like))\b)",
    re.IGNORECASE,
)
# What somebody asks about himself.
ABOUT_MINE = re.compile(
    r"^\W*(?:what|who|where|when|how \w+)(?:['’]s|\s+(?:is|are|was|were))\s+my\b", re.IGNORECASE
)
FIRST_PERSON = re.compile(r"^i(?:['’]\w+)?\b(?! (?:think|believe|mean))", re.IGNORECASE)
APOLOGIZES = _starts("i(?: am|['’]m) (?:very |so |really )?(?:sorry|afraid)")
DENIES_ONLY = re.compile(
    r"^(?:it|that|this|he|she|they|there)(?: \w+)?(?:n['’]t| not| no longer)\b", re.IGNORECASE
)
# Wishes for another answer.
WISH = _starts(
    "(?:(?:please|just|now|then|only) )*(?:make|try|use|give|tell|write|do|add|put|let|take|keep"
    "|start|stop|say|pick|show|explain|be|think|read|go|check|look|change|remove|rewrite|shorten"
    "|translate|continue|choose|forget|leave|another|something|too|more|less|still)"
)
# "It is", "they closed": the beginning of an answer.
ANSWERS = re.compile(
    r"^(?:(?:its|thats|theyre|here (?:it|we|the))\b"
    r"|(?:it|he|she|they|we|there|that)\b(?:['’](?:s|re|ve)\b"
    r"|.{0,3}\b(?:is|are|was|were|has|have|do|did|don['’]t|costs?|takes?|opens?|closes?|starts?"
    r"|ends?|means?|needs?|runs?|moved|went|changed|became|only|all|now|always|never)\b))",
    re.IGNORECASE,
)
# "Here summaries are always written as three bullets": a rule of the house needs no question.
_HOUSE = r"(?:[Ww]e|[Oo]ur|[Hh]ere|[Uu]s|[Cc]ustomers?|[Aa]t [A-Z]\w+)"
_RULES = r"(?:[Aa]lways|[Nn]ever|[Mm]ust|mustn['’]t|every|[Ww]henever|each time|not allowed)"
HOUSE_RULE = re.compile(
    rf"\b{_HOUSE}\b.*\b{_RULES}\b|\b{_RULES}\b.*\b{_HOUSE}\b"
    r"|^\W*(?:Any(?:thing)?|All|Every|Each)\b.*\b(?:must|ha(?:s|ve) to)\b",
    re.DOTALL,
)
# What a house says of itself.
OF_THE_HOUSE = re.compile(r"^(?:we|our|us)\b", re.IGNORECASE)
# "Red is for hazmat": what the answer said belongs elsewhere.
BELONGS_ELSEWHERE = re.compile(
    r"\b(?P<old>[\w-]+) (?:(?:is|are|was|were) (?:only |just )?(?:for|the old|last|before|until)\b"
    r"|appl(?:y|ies) to\b|(?<=\d )(?:is|are|was)\b)",
    re.IGNORECASE,
)
ACKNOWLEDGES = _starts(
    "thanks?|thank you|thx|cheers|ok(?:ay)?|great|perfect|interesting|wow|good|cool|nice|ah+|oh",
    "i see|right|exactly|correct|true|yes|yeah|yep|fine|got it|haha|lol|hello|hi|hey|never ?mind",
    "(?:that|this|it)(?:['’]s| is) (?:right|correct|true|fine|good|great)|me n?either|me too",
    "no (?:thanks|thank|worries|problem)|you really|you know",
)
# Goes on from the answer, or with it.
GOES_ON = _starts(
    "and|so|suppose|if|then|with|copy|put|which|how|when|imagine|compare|divide|phew|same",
    "what (?:if|about)|for (?:a|an|my)",
)
# "Sorry, scrap that, I was reading the other line": what was said before it does not hold.
TAKES_BACK = _holds(
    "(?:forget|scrap|ignore|strike) what i (?:said|wrote)|oops",
    # Not "ignore that mail".
    "(?:forget|scrap|ignore|strike) (?:it|that|this)(?! (?!(?:please|then|sorry|i|for|my)\\b)\\w)",
    "never ?mind(?! (?:the|about|my|your|his|her|our|their)\\b)",
    "my (?:mistake|bad|error)|i (?:was (?:looking|reading|thinking)|mixed|misread|misremember\\w*)",
    "(?:you(?:['’]re| are| were)|(?:it|that|the (?:old|first|earlier|original) \\w+) was) right",
)
AGREES = frozenset("yes yeah yep yup correct right exactly true indeed".split())
OPINION = _holds(
    "sucks?|beautiful|lovely|amazing|gorgeous|fascinating|cute|wonderful|not bad",
    "better|worse|boring|ugly|awesome|terrible|awful|stupid|useless|hate|love",
)
PASSING = _holds("today|tonight|tomorrow|yesterday|right now")
# A house's or a group's lasting wish.
PREFERS = _holds("prefers?|preferred|favours?|favou?rites?|(?:likes?|wants?) (?:to|it|them)|rather")
# What judges an answer instead of giving one.
VERDICT = _holds(
    "too (?:long|short|boring|vague|formal|complicated|much)|useless|perfect|great|thanks?",
    "terrible|awful|nonsense|wrong|bad|boring|helpful|rude|unfriendly|confusing|love it|well done",
    "meh|my thing|funny|in vain|waste of time|helped|help (?:me )?at all|sounds? like|not what i",
    "(?:not|n['’]t) (?:right|correct|true)|incorrect|unhelpful|disappoint\\w+",
)
INSTEAD = re.compile(r"\b(?:not|rather than|instead of) (?P<denied>[^.,;!]+)", re.IGNORECASE)
# Names and numbers; the first word of a sentence has a capital anyway.
_NUMBER_WORDS = (
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty"
    r"|fifty|sixty|ninety|hundred|thousand|once|twice|daily|weekly|monthly|quarterly|yearly|noon"
    r"|midnight)\b"
)
NAMED = re.compile(rf"[\w:.]*[A-Z0-9][\w:]*|{_NUMBER_WORDS}")
NAMED_INSIDE = re.compile(
    rf"(?<![.!?]\s)(?<!^)[\w:.]*[A-Z][\w:]*|[\w:.]*\d[\w:]*|(?i:{_NUMBER_WORDS})"
)
# "Two: the head and somebody from treasury."
VALUE_FIRST = re.compile(r"^\W*[\w.,%]+(?: [\w.,%]+){0,2}\s*(?::|[–—]| - |=)|^\W*\d[\w.%]*,")
