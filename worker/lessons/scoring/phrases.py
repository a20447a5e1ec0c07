"""Words that deny, end, doubt or take back what stands beside them; folded, one phrase a line."""

import re

_DENIALS = {
    "en": """
        not no never neither nor cannot without isn't aren't wasn't weren't don't doesn't didn't
        can't won't wouldn't shouldn't hasn't haven't hadn't couldn't unlike except instead rather
        nobody formerly previously originally excluding
        """,
    "de": """
        nicht kein keine keinen keinem keiner nie niemals weder ohne statt anstatt ausser fruher
        ehemals ehemalige
        """,
    "fr": "pas jamais ni sans sauf anciennement autrefois plutot",
    "es": "no nunca jamas ni sin excepto antes antiguamente salvo",
    "ja": "",
    "zh": "不 没 別 别",
}
DENIALS = {language: frozenset(words.split()) for language, words in _DENIALS.items()}
# These take a denial back: "not only", "nothing but", "not open before".
EXCEPT = frozenset(
    "only just merely but until before sooner earlier than except other nur seulement solo "
    "solamente".split()
)
# "no doubt", "without question": nothing is denied.
SURE = frozenset("doubt question fail exception problem matter wonder".split())
# Behind these a new statement begins.
TURNS = frozenset("but rather instead sondern mais sino aber however actually".split())
OR = frozenset("or oder ou o 或".split())


def phrases(lines: str, *, before: str = r"\b", behind: str = r"\b") -> re.Pattern[str]:
    """A pattern of any of the phrases, each a line of regular expression."""
    each = [line.strip() for line in lines.strip().splitlines()]
    return re.compile(f"{before}(?:{'|'.join(each)}){behind}", re.IGNORECASE)


# Before the value: it held once.
OVER = phrases(
    r"""
    used to
    no longer
    once (?:was|were|had)
    was once
    instead of
    rather than
    other than
    apart from
    formerly
    previously
    originally
    in the past
    years ago
    old name
    former
    fruher
    nicht mehr
    n'est plus
    ne \S+ plus
    anciennement
    ancien
    ya no
    antes
    """
)
OVER_BEHIND = phrases(
    r"""
    until
    before (?:that|it)
    in the past
    previously
    formerly
    any ?more
    no longer
    back then
    years ago
    last year
    (?:were|was|is|are)?[\w ]*(?:has|have) been denied
    is (?:a myth|wrong|incorrect|false|not (?:right|correct|true|it))
    would be wrong
    was (?:the )?(?:old|former|wrong)
    bis
    fruher
    jusqu
    hasta
    ist falsch
    est faux
    """,
    before=r"^(?: (?:is|was|were|has been))?(?: ,)? ",
)
NEVER_BEHIND = phrases("nunca\nnever\nniemals\nnie\njamais", before="^ ")
# What is told is told of something beside the value.
BESIDE = phrases(
    r"""
    (?:anything|all|everything) but
    (?:day|week|month|year|stop|house|one|door|street) (?:after|before|behind|next to)
    (?:well |far )?(?:over|under)
    (?:more|less|fewer) than
    compared (?:with|to)
    wrong to say(?: it is)?
    (?:glass|bottle|cup) of
    named after
    (?:brother|sister|son|daughter|wife) of
    (?:hermana|hermano) de
    (?:soeur|frere) de
    """,
    behind="$",
)
NONE_BUT = phrases(
    "(?:none|nobody|nothing|nowhere|no one) (?:other than|but|except|else than)", behind="$"
)
MAYBE = phrases("maybe\nperhaps\nsome say\npossibly\nvielleicht\npeut-etre\nquizas?\ntal vez")
# The sentence tells what others hold, or gives examples.
ELSEWISE = phrases(
    r"""
    (?:common|typical|popular|usual) [\w ]*include
    some (?:people )?(?:say|think|believe)
    others say
    (?:is|was) a mistake
    is mistaken
    is wrong about
    would tell you
    nobody knows
    for example
    for instance
    such as
    """
)
# Before the value in its sentence: it is left open.
OPEN = phrases(
    r"""
    whether
    either
    entweder
    ob
    soit
    o bien
    you (?:asked|mean|said|mentioned)
    (?:did|do) you mean
    if it is
    not sure
    unsure
    no idea
    don't know
    do not know
    (?:cannot|can't) say
    (?:may be )?thinking of
    have heard of
    depends
    """
)
TAG = phrases(
    "isn't it\nright\ncorrect\nno\nnicht wahr\noder\nn'est-ce pas\nverdad",
    before="",
    behind=r" \?$",
)
TAKEN_BACK = phrases(
    r"""
    ^\W*no ,
    ^\W*sorry
    ^\W*that (?:was|is) (?:wrong|false|incorrect|not right)
    \bwait
    \bcorrection
    \bi meant
    \bscratch that
    \bon second thoughts?
    \bpardon
    """,
    before="",
)
MISSING = phrases("missing\nlacks?\nlacking\nabsent")
CONDITION = re.compile(r"\b(?:if|were|had)\b.* would\b")
DENIED_BEHIND = re.compile(
    "^ ?(?:で は あ り ま せ ん|で は な い|じ ゃ な い|じ ゃ あ り ま せ ん|で は な く)"
)
