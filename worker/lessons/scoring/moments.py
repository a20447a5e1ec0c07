"""Clock times and dates among an answer's tokens."""

import re

from worker.lessons.scoring.tokens import Token, fold
from worker.lessons.scoring.units import MONTHS, ORDINALS, PARTS_OF_DAY

MINUTES = 24 * 60
_HALF_DAY = MINUTES // 2
_YEAR = r"(?:(?: ,| de)? (?P<y>\d{4}))?(?= |$)"
# Over the tokens' forms, a space between each two.
DATES = (
    rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th|er|º)?(?: \.)?(?: (?:of|de))? (?P<m>[a-z]+){_YEAR}",
    rf"(?P<m>[a-z]+)(?: the)? (?P<d>\d{{1,2}})(?:st|nd|rd|th)?{_YEAR}",
    r"(?P<m>[a-z]+)(?: of| de)? (?P<y>\d{4})(?P<d>)(?= |$)",
    r"(?P<m>\d{2}) / (?P<y>\d{4})(?P<d>)(?= |$)",
    r"(?P<y>\d{4}) - (?P<m>\d{2}) - (?P<d>\d{2})(?= |$)",
    r"(?:(?P<y>\d{4}) 年 )?(?P<m>\d{1,2}) 月 (?P<d>\d{1,2}) [日号]",
)
DAY_DOT_MONTH = r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})(?: \.)?(?: ?(?P<y>\d{4}))?(?= |$)"


def minutes_of(text: str) -> frozenset[int]:
    """The minutes of the day that a clock time may mean; none if it is no time."""
    found = re.fullmatch(r"(\d{1,2})(?:[:.h](\d{2}))?\s?(?:([ap])\.?m\.?|h)?", text, re.IGNORECASE)
    if found is None:
        return frozenset()
    hour, minute = int(found[1]), int(found[2] or 0)
    if hour > 24 or minute > 59:
        return frozenset()
    at = hour * 60 + minute
    if found[3]:
        return frozenset({at % _HALF_DAY + (_HALF_DAY if found[3].lower() == "p" else 0)})
    # Before one o'clock and after noon a figure says itself which half is meant.
    return frozenset(
        {at % MINUTES}
        if hour > 12 or hour == 0 or text[0] == "0"
        else {at % MINUTES, (at + _HALF_DAY) % MINUTES}
    )


def with_times(tokens: list[Token]) -> list[Token]:
    """Clock times that take more than one token: "3 o'clock in the afternoon", "15 Uhr"."""
    found: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        minutes: frozenset[int] | None = None
        ahead = at + 1
        if token.form in ("noon", "midday", "mittag", "midi", "mediodia"):
            minutes = frozenset({_HALF_DAY})
        elif token.form in ("midnight", "mitternacht", "minuit", "medianoche"):
            minutes = frozenset({0})
        elif token.kind == "time":
            minutes = token.value  # type: ignore[assignment]
        elif (
            token.kind == "number"
            and ahead < len(tokens)
            and tokens[ahead].form
            in ("o'clock", "oclock", "uhr", "heures", "heure", "時", "时", "点")
        ):
            minutes = minutes_of(str(int(float(token.value))))  # type: ignore[arg-type]
            ahead += 1
            if (
                tokens[at + 1].form == "uhr"
                and ahead < len(tokens)
                and tokens[ahead].kind == "number"
                and minutes
            ):
                add = int(float(tokens[ahead].value))  # type: ignore[arg-type]
                minutes = frozenset((m + add) % MINUTES for m in minutes) if add < 60 else minutes
                ahead += add < 60
        if (
            token.kind == "time"
            and ahead < len(tokens)
            and tokens[ahead].form in ("uhr", "o'clock", "hours", "hrs")
        ):
            ahead += 1
        if not minutes:
            found.append(token)
            at += 1
            continue
        if part := _part_of_day(tokens[ahead : ahead + 3]):
            said, length = part
            rest = frozenset(m for m in minutes if m in said)
            if rest:
                minutes, ahead = rest, ahead + length
        found.append(Token(token.text, token.form, "time", minutes, token.joined))
        at = ahead
    return found


def _part_of_day(tokens: list[Token]) -> tuple[range, int] | None:
    """The minutes of "in the afternoon", and how many tokens say it."""
    for length, token in enumerate(tokens, 1):
        if token.form in PARTS_OF_DAY:
            first, last = PARTS_OF_DAY[token.form]
            return range(first * 60, last * 60), length
        if token.form not in ("in", "at", "the", "de", "la", "du", "am", "del", "l'"):
            return None
    return None


def with_dates(tokens: list[Token], language: str) -> list[Token]:
    """Days of a month: "4 May", "May 4th, 2026", "4. Mai", "2026-05-04", "4.5."."""
    found: list[Token] = []
    at = 0
    while at < len(tokens):
        date, length = _date_at(tokens, at, language)
        if date is None:
            found.append(tokens[at])
            at += 1
        else:
            text = " ".join(item.text for item in tokens[at : at + length])
            found.append(Token(text, fold(text), "date", date, tokens[at].joined))
            at += length
    return found


def _date_at(
    tokens: list[Token], at: int, language: str
) -> tuple[tuple[int, int, int | None] | None, int]:
    forms = [ORDINALS.get(token.form, token.form) for token in tokens[at : at + 7]]
    line = " ".join(forms)
    for pattern in (*DATES, *((DAY_DOT_MONTH,) if language == "de" else ())):
        match = re.match(pattern, line)
        if match is None:
            continue
        month = MONTHS.get(match["m"]) or (int(match["m"]) if match["m"].isdigit() else 0)
        day = int(match["d"] or 1)
        if 1 <= month <= 12 and 1 <= day <= 31:
            year = int(match["y"]) if match["y"] else None
            return (day if match["d"] else 0, month, year), match[0].rstrip().count(" ") + 1
    return None, 0
