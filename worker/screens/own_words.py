"""What somebody says himself in a turn, without what he pasted into it: that is nobody's word."""

import re

# Code, quoted lines, tagged passages, mails and what follows the head of one.
PASTED = (
    re.compile(r"(?ms)^\s*(```|~~~).*?(?:^\s*\1|\Z)"),
    re.compile(r"(?m)^\s*(?:>|\|).*$"),
    re.compile(r"(?s)<(\w[\w-]*)(?:\s[^<>]*)?>.*?</\1>"),
    re.compile(
        r"(?is)^\W*(?:-{2,}|begin)\s*(?:original|forwarded|weitergeleitete)[^\n]*\n.*", re.M
    ),
    re.compile(
        r"(?ims)^(?:from|von|de|subject|betreff|to|an|date|sent):[^\n]*\n"
        r"(?:(?:from|von|de|subject|betreff|to|an|date|sent|cc):[^\n]*\n)+.*"
    ),
)
# A quotation of more than a few words.
QUOTED = re.compile(r"[\"“„«](?=(?:[^\"“”»]*\s){8})[^\"“”»]*[\"”»]")
# "Summarise this page:" and then another's text, set apart.
HANDED_OVER = re.compile(
    r"(?is)^(?P<own>[^\n]{0,200}?\b(?:summar\w+|translat\w+|proofread|review|read|check|look at"
    r"|what does|explain|rewrite|reply to|answer|extract|decode|this (?:page|mail|e-?mail|document"
    r"|text|article|note|ticket|diff|message|file))\b[^\n]*)(?::|\n)\s*\n.+$"
)


def own_words(text: str) -> str:
    """The turn without what is pasted; empty if nothing else is left."""
    own = text
    for pattern in (*PASTED, QUOTED):
        own = pattern.sub(" ", own)
    if (handed := HANDED_OVER.match(own)) is not None:
        own = handed["own"]
    return text if own == text else own.strip()
