"""An answer as tokens: words, numbers, clock times, dates and amounts, each comparable.

Numbers in words become figures (the library text2num, in seven languages), Kanji numerals too, so
that "three working days" and "3 working days" read alike.
"""

import re
import unicodedata
from functools import lru_cache

from text_to_num import alpha2digit

from worker.lessons.scoring.moments import MINUTES, minutes_of, with_dates, with_times
from worker.lessons.scoring.tokens import Token, fold
from worker.lessons.scoring.units import (
    CURRENCIES,
    HALF_HOURS,
    MINUTES_PAST,
    NUMBER_WORDS,
    SAID_OTHERWISE,
    SCALES,
    UNITS,
)

# Languages whose numbers text2num reads.
SPOKEN = ("en", "de", "fr", "es", "pt", "it", "nl")
_CJK = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_KANJI_DIGITS = "〇零一二两三四五六七八九"
_KANJI_TENS = {"十": 10, "百": 100, "千": 1000, "万": 10_000}
_COUNTERS = "年月日時时点分人個个台円元歳岁週周番号階楼本枚回名つ張张条只"
_KANJI_NUMBER = re.compile(f"[{_KANJI_DIGITS}{''.join(_KANJI_TENS)}]+(?=[^{_CJK}]|[{_COUNTERS}]|$)")
# "nineteen eighty-seven" as text2num leaves it.
_YEAR_IN_TWO = re.compile(r"\b(1[5-9]|20) (\d{2})\b(?![.,:]\d)")
_SCALED = re.compile(
    r"\b(\d+(?:[.,]\d+)?|two|three|four|five|six) "
    r"(thousand|millions?|billion|dozen|tausend|millionen|mille|mil|millones)\b",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    rf"""
    (?P<clock>\d{{1,2}}[:.h]\d{{2}}(?:\s?[ap]\.?m\b\.?)?(?!\d|[.,]\d)
        |\d{{1,2}}\s?[ap]\.?m\b\.?|\d{{1,2}}\s?h\b)
    |(?P<number>\d{{1,3}}(?:[,.'\u00a0 ]\d{{3}})+(?!\d)|\d+(?:[.,]\d+)?)
        (?P<tail>(?:st|nd|rd|th|er|[a-z])\b|º|ª)?
    |(?P<word>[^\W\d_{_CJK}](?:[^\W{_CJK}]|['_](?=[^\W\d_{_CJK}]))*)
    |(?P<sign>[{_CJK}])
    |(?P<mark>[^\s\w])
    """,
    re.VERBOSE | re.IGNORECASE,
)


@lru_cache(maxsize=8192)
def read(text: str, language: str = "en") -> tuple[Token, ...]:
    """A text's tokens."""
    plain = unicodedata.normalize("NFKC", text)
    # A line that goes on in small letters was only too long.
    plain = re.sub(r"[^\S\n]+|\n(?=[a-z])", " ", plain)
    plain = re.sub(r"[\u2018\u2019\u201b\u02bc`\u00b4]", "'", plain)
    plain = re.sub(r"[\u2010-\u2015\u2212]", "-", plain)
    plain = re.sub(r"(?<![\w.])(\d+(?:[.,]\d+)?)(km|cm|mm|kg|ml|min|m|g|l)\b", r"\1 \2", plain)
    plain = _KANJI_NUMBER.sub(lambda match: str(_kanji(match[0])), plain)
    plain = re.sub(
        r"(午前|午後|上午|下午|晚上)(\d{1,2})[時时点](?:(\d{1,2})分?)?", _eastern_time, plain
    )
    plain = (
        re.sub(r"\b(?:[ldnsjcm]|qu)'(?=\w)", r"", plain, flags=re.I) if language == "fr" else plain
    )
    plain = _expanded(_half_hours(plain))
    plain = _SCALED.sub(_scaled, plain)
    if language in SPOKEN:
        plain = alpha2digit(plain, language)
    plain = _YEAR_IN_TWO.sub(r"\1\2", plain)
    for pattern, instead in SAID_OTHERWISE:
        plain = pattern.sub(instead, plain)
    tokens = _scan(plain)
    return tuple(with_dates(with_times(_amounts(tokens, language)), language))


def _scaled(match: re.Match[str]) -> str:
    """Round numbers: "3.4 thousand" as 3400."""
    said = match[1].lower()
    number = NUMBER_WORDS[said] if said in NUMBER_WORDS else _number(said)
    return f"{number * SCALES[match[2].lower()]:.12g}"


def _eastern_time(match: re.Match[str]) -> str:
    hour = int(match[2]) % 12 + (12 if match[1] in ("午後", "下午", "晚上") else 0)
    return f"{hour:02d}:{int(match[3] or 0):02d}"


def _expanded(text: str) -> str:
    for short, whole in (("'re", " are"), ("'ll", " will"), ("'ve", " have"), ("'m", " am")):
        text = re.sub(rf"(?<=\w){short}\b", whole, text, flags=re.IGNORECASE)
    return re.sub(r"\bper cent\b", "%", text, flags=re.IGNORECASE)


def _half_hours(text: str) -> str:
    """Said times as figures: "half past nine" is 9:30, "a quarter to ten" 9:45."""
    text = MINUTES_PAST.sub(_past, text)
    for pattern, minutes in HALF_HOURS:

        def clock(match: re.Match[str], minutes: int = minutes) -> str:
            said = match["h"].lower()
            hour = int(said) if said.isdigit() else NUMBER_WORDS.get(said)
            if hour is None:
                return match[0]
            at = (hour * 60 + minutes) % MINUTES
            return f"{at // 60}:{at % 60:02d}"

        text = pattern.sub(clock, text)
    return text


def _past(match: re.Match[str]) -> str:
    hour = NUMBER_WORDS.get(match["h"].lower()) or int(match["h"])
    said = match["m"].lower()
    minutes = (
        int(said)
        if said.isdigit()
        else NUMBER_WORDS.get(said) or {"twenty": 20, "twenty-five": 25}[said]
    )
    at = (hour * 60 + (minutes if match["way"].lower() == "past" else -minutes)) % MINUTES
    return f"{at // 60}:{at % 60:02d}"


def _kanji(numeral: str) -> int:
    if not any(sign in _KANJI_TENS for sign in numeral):
        return int(
            "".join(str(int(unicodedata.numeric(sign))) for sign in numeral.replace("两", "二"))
        )
    total, section, digit = 0, 0, 0
    for sign in numeral.replace("两", "二"):
        tens = _KANJI_TENS.get(sign)
        if tens is None:
            digit = int(unicodedata.numeric(sign))
        elif tens == 10_000:
            total, section, digit = (total + section + digit) * tens, 0, 0
        else:
            section, digit = section + (digit or 1) * tens, 0
    return total + section + digit


def _scan(text: str) -> list[Token]:
    tokens: list[Token] = []
    end = 0
    for match in _TOKEN.finditer(text):
        gap = text[end : match.start()]
        joined = not gap and match.start() > 0
        if "\n" in gap and tokens:
            tokens.append(Token("\n", "\n", "mark"))
        token = _token(match)
        # A letter before the figures makes them a name: "B12" holds no 12. So do letters behind.
        if (
            token.kind == "number"
            and tokens
            and joined
            and re.search(r"[^\W\d_]$", tokens[-1].text)
            and not re.search(f"[{_CJK}]$", tokens[-1].text)
        ):
            last = tokens.pop()
            token = Token(
                last.text + token.text, last.form + token.form, "word", joined=last.joined
            )
            joined = last.joined
        if (
            token.kind == "number"
            and joined
            and tokens
            and tokens[-1].form == "-"
            and not tokens[-1].joined
        ):
            tokens.pop()
            token = Token("-" + token.text, "-" + token.form, "number", -float(token.value))  # type: ignore[arg-type]
        tokens.append(
            Token(token.text, token.form, token.kind, token.value, joined, token.is_ordinal)
        )
        if token.kind == "number" and len(tokens) > 1 and tokens[-2].form in CURRENCIES.values():
            tokens[-2], tokens[-1] = tokens[-1], tokens[-2]
        end = match.end()
    return tokens


def _token(match: re.Match[str]) -> Token:
    text = match[0]
    if match["clock"]:
        minutes = minutes_of(text)
        if minutes:
            return Token(text, fold(text), "time", minutes)
    if match["number"]:
        tail = (match["tail"] or "").lower()
        number = _number(match["number"])
        if tail in ("k", "m"):
            return (
                Token(text, fold(text), "number", number * SCALES[tail])
                if tail == "k"
                else Token(text, fold(text), "word")
            )
        if tail and tail not in ("st", "nd", "rd", "th", "e", "er", "º", "ª"):
            return Token(text, fold(text), "word")
        return Token(text, fold(text), "number", number, is_ordinal=bool(tail))
    if match["clock"]:
        return Token(text, fold(text), "word")
    if match["mark"]:
        form = CURRENCIES.get(text, text)
        return Token(text, form, "word" if form in CURRENCIES.values() or text == "%" else "mark")
    form = fold(text)
    return Token(text, CURRENCIES.get(form, form), "word")


def _number(text: str) -> float:
    grouped = re.fullmatch(r"\d{1,3}(?:[,.'\u00a0 ]\d{3})+", text)
    if grouped and not re.fullmatch(r"0[.,]\d{3}", text):
        return float(re.sub(r"\D", "", text))
    return float(text.replace(",", "."))


def _amounts(tokens: list[Token], language: str) -> list[Token]:
    """Numbers with their unit, as one token each."""
    found: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        number = _as_number(token, language)
        ahead = at + 1
        if token.kind == "number" and ahead < len(tokens) and tokens[ahead].form in SCALES:
            number = float(token.value) * SCALES[tokens[ahead].form]  # type: ignore[arg-type]
            ahead += 1
        half = token.form in ("half", "halbe", "media", "demi") and ahead < len(tokens)
        if half:
            number = 0.5
            if tokens[ahead].form in ("a", "an", "de", "d'", "-"):
                ahead += 1
        while number is not None and ahead < len(tokens) and tokens[ahead].form == "-":
            ahead += 1
        adjective = ""
        if (
            number is not None
            and ahead + 1 < len(tokens)
            and tokens[ahead].form in ("working", "business")
        ):
            adjective, ahead = "working ", ahead + 1
        if (
            number is not None
            and ahead + 1 < len(tokens)
            and adjective + tokens[ahead].form in ("calendar", "full", "whole", "consecutive")
        ):
            ahead += 1
        unit = (
            UNITS.get(adjective + tokens[ahead].form)
            if number is not None and ahead < len(tokens)
            else None
        )
        if unit is not None and number is not None:
            dimension, size = unit
            text = " ".join(item.text for item in tokens[at : ahead + 1])
            found.append(
                Token(
                    text, fold(text), "amount", (dimension, round(number * size, 6)), token.joined
                )
            )
            at = ahead + 1
        elif token.form in ("fortnight", "quinzaine"):
            found.append(
                Token(token.text, token.form, "amount", ("second", 1209600.0), token.joined)
            )
            at += 1
        elif ahead > at + 1 and token.kind == "number" and tokens[at + 1].form in SCALES:
            found.append(Token(token.text, token.form, "number", number, token.joined))
            at = ahead
        else:
            found.append(token)
            at += 1
    return found


def _as_number(token: Token, language: str) -> float | None:
    if token.kind == "number":
        return float(token.value)  # type: ignore[arg-type]
    if token.kind == "time" and re.fullmatch(r"\d+\.\d+", token.text):
        return float(token.text)
    number = NUMBER_WORDS.get(token.form)
    return float(number) if number is not None else None
